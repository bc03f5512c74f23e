import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeError, describeValue, OptionError } from '../../core/errors.js';
import { type DeadLetterStore, deadLetterFolder, deadLetterTopic } from '../../dead-letters/index.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { CommandContext } from '../command.js';
import { isOwn } from '../load-flow.js';
import { importFile } from '../loaders.js';
import { type RootLocation, readRoot } from '../root-url.js';
import type { DlqAsked } from './asked.js';

/** Where dead letters are stored: of `DlqAsked` what matters here. */
type Where = Pick<DlqAsked, 'where' | 'replays' | 'user' | 'mode'>;

/** The dead letters at a root, in a topic, or that a file exports. Throws `OptionError` for what is none of these. */
export async function storeOf(asked: Where, context: CommandContext): Promise<DeadLetterStore> {
  const { where, replays } = asked;
  if (where.startsWith('amqp')) throw wrongUse(ofQueue(where));
  if (/\.[cm]?[jt]s$/.test(where) && existsSync(resolve(context.cwd, where))) return loadStore(where, context.cwd);
  const [, brokers, topic] = /^kafka:\/\/([^/@?#]+)\/([^/?#]+)$/.exec(where) ?? [];
  if (brokers === undefined || topic === undefined) {
    if (where.startsWith('kafka:')) throw wrongUse('Expected a topic as kafka://host:port,host:port/topic.');
    if (replays !== undefined)
      throw wrongUse(`\`--replays\` is for a topic; what was replayed of ${where} is kept in it.`);
    const { fs, root } = await openRoot(where, asked, context);
    return deadLetterFolder(fs, { root });
  }
  if (replays === undefined) {
    throw wrongUse(
      `Topic ${topic} has no place to keep what was replayed. Give \`--replays\`, a root for this topic such as ` +
        `webhdfs://nn1:9870/replays/${topic}, and always the same one.`,
    );
  }
  const { kafkajs } = await import('../../drivers/kafkajs/index.js');
  const { fs, root } = await openRoot(replays, asked, context);
  return deadLetterTopic(kafkajs({ brokers: brokers.split(',') }), { topic, replays: { fs, root } });
}

/** A root, and the file system that has it. Throws `OptionError` for what is none. */
export async function openRoot(
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
    throw wrongUse(`${describeError(error)}.`);
  }
}

export function wrongUse(message: string): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message);
}

function ofQueue(url: string): string {
  return (
    `The messages of a queue have no places, and reading them changes the queue. Move them to a root first: rxflume dlq take ${url} <root> ` +
    '--queue <name>.'
  );
}

/** The store that a file exports: for a cluster with TLS and SASL, or one of your own. */
async function loadStore(file: string, cwd: string): Promise<DeadLetterStore> {
  let exported: Record<string, unknown>;
  try {
    exported = await importFile(resolve(cwd, file));
  } catch (cause) {
    if (isOwn(cause)) throw cause;
    throw new OptionError('RXF_FLOW_FILE', `${file} threw while it was loaded: ${describeError(cause)}.`, { cause });
  }
  const inner = exported.default as { readonly default?: unknown } | undefined;
  const store = [inner, inner?.default].find(isStore);
  if (store !== undefined) return store;
  const message = `Expected the default export of ${file} to be a store such as deadLetterTopic(…), got ${describeValue(inner)}.`;
  throw new OptionError('RXF_FLOW_FILE', message);
}

/** By what it has, since the file may load another copy of this package. */
function isStore(value: unknown): value is DeadLetterStore {
  const { lines, again, replays } = (value ?? {}) as Partial<DeadLetterStore>;
  return typeof lines === 'function' && typeof again === 'function' && typeof replays?.folder === 'string';
}
