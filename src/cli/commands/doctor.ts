import { command, nameOf, oneArgument, textOf } from '../command.js';
import { withinMsOf } from '../duration.js';

export const doctor = command({
  name: 'doctor',
  usage: ['doctor <file> [--deep [--record <file>]] [--within <duration>] [--json]'],
  summary: 'examine the flow and what it connects to, and print what is wrong with what to do; leaves nothing behind',
  options: {
    deep: { type: 'boolean' },
    record: { type: 'string' },
    within: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionsHelp: [
    '--deep                 run one record through the flow into scratch files, and read these back',
    '--record <file>        with --deep: the first line of <file> is the record (default: the first that the source has)',
    '--within <duration>    the most time for the source and the sink, and again for --deep (default 30s)',
    '--json                 print one JSON object, for programs',
  ],
  exitCodes: '0 well, perhaps with warnings, 1 a problem, 3 this installation is wrong (Node, packages)',
  example: 'rxflume doctor flow.ts --deep',
  read: (given, options) => {
    const record = nameOf(options, 'record');
    if (record !== undefined && options.deep !== true) throw new Error('`--record` needs `--deep`');
    return {
      file: oneArgument('doctor', 'the file of a flow', given),
      isDeep: options.deep === true,
      record,
      withinMs: withinMsOf(textOf(options, 'within'), '30s'),
      isJson: options.json === true,
    };
  },
  async run(asked, context) {
    const { doctor: examine } = await import('../doctor/doctor.js');
    return examine(asked, context);
  },
});
