import { describeError, OptionError } from '../../core/errors.js';
import { type DeadLetterStore, deadLetterFolder, deadLetterTopic } from '../../dead-letters/index.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { CommandContext } from '../command.js';
import { type RootLocation, readRoot } from '../root-url.js';
import type { DlqAsked } from './asked.js';

/** Where dead letters are stored: of `DlqAsked` what matters here. */
type Where = Pick<DlqAsked, 'where' | 'replays' | 'user' | 'mode'>;

/** The dead letters at a root or in a topic. Throws `OptionError` for what is neither. */
export async function storeOf(asked: Where, context: CommandContext): Promise<DeadLetterStore> {
  const { where, replays } = asked;
  const [, brokers, topic] = /^kafka:\/\/([^/@?#]+)\/([^/?#]+)$/.exec(where) ?? [];
  if (brokers === undefined || topic === undefined) {
    if (where.startsWith('kafka:')) throw wrong('Expected a topic as kafka://host:port,host:port/topic.');
    if (replays !== undefined)
      throw wrong(`\`--replays\` is for a topic; what was replayed of ${where} is kept in it.`);
    const { fs, root } = await open(where, asked, context);
    return deadLetterFolder(fs, { root });
  }
  if (replays === undefined) {
    throw wrong(
      `Topic ${topic} has no place to keep what was replayed. Give \`--replays\`, a root for this topic such as ` +
        `webhdfs://nn1:9870/replays/${topic}, and always the same one.`,
    );
  }
  const { kafkajs } = await import('../../drivers/kafkajs/index.js');
  const { fs, root } = await open(replays, asked, context);
  return deadLetterTopic(kafkajs({ brokers: brokers.split(',') }), { topic, replays: { fs, root } });
}

async function open(
  where: string,
  { mode, user: given }: Where,
  { cwd, env }: CommandContext,
): Promise<{ readonly fs: FileSystem; readonly root: string }> {
  const location = locationOf(where, mode, cwd);
  const root = location.path === '' ? '/' : location.path;
  if (location.kind === 'disk') {
    const { localDisk } = await import('../../drivers/local-disk/index.js');
    return { fs: localDisk(), root };
  }
  const { webhdfs } = await import('../../drivers/webhdfs/index.js');
  const user = given ?? env.HADOOP_USER_NAME;
  const delegationToken = env.RXFLUME_DELEGATION_TOKEN;
  const { nameNodes } = location;
  return { fs: webhdfs({ nameNodes, mode, ...(user && { user }), ...(delegationToken && { delegationToken }) }), root };
}

function locationOf(where: string, mode: DlqAsked['mode'], cwd: string): RootLocation {
  try {
    return readRoot(where, mode, cwd);
  } catch (error) {
    throw wrong(`${describeError(error)}.`);
  }
}

function wrong(message: string): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message);
}
