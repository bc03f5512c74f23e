import { command, nameOf, oneArgument, textOf } from '../command.js';
import { withinMsOf } from '../duration.js';
import { flowOf } from '../flow-of.js';
import type { ShadowAsked } from '../shadow/shadow.js';

const MAX_RECORDS = 100_000_000;

export const shadow = command<ShadowAsked>({
  name: 'shadow',
  usage: ['shadow <file> --against <root> [--records <n>] [--within <duration>] [--bytes-within <percent>] [--json] …'],
  summary: 'run a flow on the input of what another has committed under <root>, and compare the files; leaves no trace',
  options: {
    against: { type: 'string' },
    flow: { type: 'string' },
    records: { type: 'string' },
    within: { type: 'string' },
    'bytes-within': { type: 'string' },
    scratch: { type: 'string' },
    keep: { type: 'boolean' },
    user: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionsHelp: [
    '--against <root>       the root of a file sink with a ledger: a folder, or webhdfs://host:port/path',
    '--flow <name>          the flow of that name that <file> exports',
    '--records <n>          the most offsets that are compared, the newest (default 100000)',
    '--within <duration>    the most time that it takes (default 60s)',
    '--bytes-within <percent>  how far bytes may differ where contents are not compared (default 0)',
    "--scratch <folder>     the begin of the name of the folder to write to (default: the sink's root, -shadow)",
    '--keep                 leave that folder there',
    '--user <name>          the user of HDFS',
    '--json                 print one JSON object, for programs',
  ],
  notes: `Contents are compared of files of lines, plain or with gzip, of at most 64 MiB each; of others, rows and bytes are.`,
  exitCodes: '0 equal, 1 different, 3 they could not be compared',
  example: 'rxflume shadow new.ts --against /lake/chat',
  read(given, options) {
    const against = nameOf(options, 'against');
    if (against === undefined) throw new Error('`shadow` needs `--against <root>`');
    const number = (option: string, otherwise: string, most: number) => {
      const text = textOf(options, option) ?? otherwise;
      const value = Number(text);
      if (/^\d+(\.\d+)?$/.test(text) && value <= most) return value;
      throw new Error(`expected \`--${option}\` to be a number from 0 to ${most}, got \`${text}\``);
    };
    const records = number('records', '100000', MAX_RECORDS);
    if (records < 1 || !Number.isInteger(records)) {
      throw new Error(`expected \`--records\` to be a whole number from 1, got \`${textOf(options, 'records')}\``);
    }
    return {
      file: oneArgument('shadow', 'the file of a flow', given),
      flow: nameOf(options, 'flow'),
      against,
      records,
      withinMs: withinMsOf(textOf(options, 'within'), '60s'),
      bytesWithinPercent: number('bytes-within', '0', 1_000),
      scratch: nameOf(options, 'scratch'),
      isKept: options.keep === true,
      user: nameOf(options, 'user'),
      isJson: options.json === true,
    };
  },
  async run(asked, context) {
    const flow = await flowOf(asked.file, context, asked.flow);
    if (flow === undefined) return 2;
    const { shadow: run } = await import('../shadow/shadow.js');
    return run(flow, asked, context);
  },
});
