import { command, nameOf, oneArgument, textOf } from '../command.js';
import type { LedgerAsked } from '../ledger.js';

export const ledger = command<LedgerAsked>({
  name: 'ledger',
  usage: [
    'ledger <root> [--stream <name>] [--user <name>] [--mode httpfs] [--json]',
    '              [--skip-to <offset>]',
  ],
  summary: 'list and verify the ledger under the root of an exactly-once file sink; changes nothing without --skip-to',
  options: {
    stream: { type: 'string' },
    user: { type: 'string' },
    mode: { type: 'string' },
    json: { type: 'boolean' },
    'skip-to': { type: 'string' },
  },
  optionsHelp: [
    '--stream <name>        only this stream, such as kafka:chat/3',
    '--user <name>          the HDFS user (default: HADOOP_USER_NAME)',
    '--mode httpfs          the host is an HttpFS server, not a NameNode',
    '--json                 print one JSON object, for programs',
    '--skip-to <offset>     with --stream: record the offsets before this one as lost, so that the flow resumes here',
  ],
  notes: `<root> is a path, file:///path, webhdfs://host:port/path or swebhdfs://host:port/path. List several NameNodes as
webhdfs://nn1:9870,nn2:9870/path.`,
  exitCodes: '0 verified, 1 not verified or unreadable',
  example: 'rxflume ledger webhdfs://nn1:9870/lake/chat --stream kafka:chat/3',
  read(given, options) {
    const root = oneArgument('ledger', 'the root of a file sink', given);
    const [stream, user] = [nameOf(options, 'stream'), nameOf(options, 'user')];
    const skipTo = offsetOf('--skip-to', textOf(options, 'skip-to'));
    if (skipTo !== undefined && stream === undefined) throw new Error('`--skip-to` needs `--stream`');
    return { root, mode: modeOf(textOf(options, 'mode')), user, stream, isJson: options.json === true, skipTo };
  },
  async run(asked, context) {
    const { ledger: audit } = await import('../ledger.js');
    return audit(asked, context);
  },
});

function modeOf(text = 'webhdfs'): 'webhdfs' | 'httpfs' {
  if (text === 'webhdfs' || text === 'httpfs') return text;
  throw new Error(`expected \`--mode\` to be webhdfs or httpfs, got \`${text}\``);
}

function offsetOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new Error(`expected \`${option}\` to be an offset from 1, got \`${text}\``);
}
