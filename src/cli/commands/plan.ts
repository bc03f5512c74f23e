import { command, oneArgument } from '../command.js';
import { flowOf } from '../flow-of.js';
import { PLAN_OPTIONS, readPlanArguments } from '../plan/plan-arguments.js';

export const plan = command({
  name: 'plan',
  usage: ['plan <file> [--sample topic|<file>] [--rate <n>/s] [--bytes <n>] [--measure-writes] [--json] …'],
  summary: 'measure the flow on a sample, and print the processes, window, files and memory it needs; commits nothing',
  options: { ...PLAN_OPTIONS, json: { type: 'boolean' } },
  optionsHelp: [
    '--sample <what>        topic, topic@<offset> or a file of lines: what the operators and the sink are measured on',
    '--rate <n>/s           records a second that arrive',
    '--bytes <n>            bytes of a record (default: those of the sample)',
    '--partitions <n>       streams of the source together (default: those in the sample of a topic)',
    '--backlog <n>          records that are not read yet',
    '--headroom <duration>  until retention deletes the oldest of them, such as 6h',
    '--points <n:rate,…>    what n processes were measured to do, such as 1:50000,2:96000,4:170000,8:260000',
    '--records <n>          the most records of the sample (default 10000)',
    '--within <duration>    the most time that it takes (default 60s)',
    "--measure-writes       write the sample in a folder of its own on the sink's file system, and remove it",
    "--scratch <folder>     the begin of that folder's name (default: the sink's root, -plan)",
    '--json                 print one JSON object, for programs',
  ],
  exitCodes: '0 planned, 1 the sample could not be read',
  example: 'rxflume plan flow.ts --sample topic --rate 50000/s --measure-writes',
  read: (given, options) => readPlanArguments(oneArgument('plan', 'the file of a flow', given), options),
  async run(asked, context) {
    const flow = await flowOf(asked.file, context);
    if (flow === undefined) return 2;
    const { plan: planned } = await import('../plan/plan.js');
    return planned(flow, asked, context);
  },
});
