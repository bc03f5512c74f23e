import type { BackfillAsked } from '../backfill/backfill.js';
import { command, nameOf, oneArgument, textOf } from '../command.js';
import { flowOf } from '../flow-of.js';
import { givenPlace } from '../place.js';

export const backfill = command<BackfillAsked>({
  name: 'backfill',
  usage: [
    'backfill <file> --from <offset or time> --to <offset or time> --root <folder> [--rate <n>/s] [--flow <name>]',
  ],
  summary: 'run a flow on a part of the past, into another root and as another group, beside the flow that runs',
  options: {
    from: { type: 'string' },
    to: { type: 'string' },
    root: { type: 'string' },
    rate: { type: 'string' },
    flow: { type: 'string' },
    'drain-timeout': { type: 'string' },
  },
  optionsHelp: [
    '--from <offset or time>  such as 120000, or 2026-11-27T08:00:00Z: the first record at that time or later',
    '--to <offset or time>  where it ends, which is not read; at most where the log ends at the start',
    "--root <folder>        where to write, on the file system of the flow's sink",
    '--rate <n>/s           the most records a second that it reads (default: as many as it can)',
    '--flow <name>          the flow of that name that <file> exports',
    '--drain-timeout <ms>   abandon a drain that takes longer (default 60000)',
  ],
  notes: `What it has stored it does not store again: started once more after it was stopped or killed, it goes on.`,
  exitCodes: '0 all of it is stored, 1 failed, or stopped before',
  example:
    'rxflume backfill flow.ts --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z --root /lake/chat-again --rate 5000/s',
  read(given, options) {
    const root = nameOf(options, 'root');
    if (root === undefined) throw new Error('`backfill` needs `--root <folder>`');
    const rate = textOf(options, 'rate');
    const drain = textOf(options, 'drain-timeout') ?? '60000';
    if (rate !== undefined && !/^[1-9]\d{0,8}\/s$/.test(rate)) {
      throw new Error(`expected \`--rate\` to be a whole number of records a second such as 5000/s, got \`${rate}\``);
    }
    if (!/^[1-9]\d{0,8}$/.test(drain)) {
      throw new Error(`expected \`--drain-timeout\` to be a whole number of milliseconds from 1, got \`${drain}\``);
    }
    return {
      file: oneArgument('backfill', 'the file of a flow', given),
      flow: nameOf(options, 'flow'),
      from: givenPlace('backfill', 'from', textOf(options, 'from')),
      to: givenPlace('backfill', 'to', textOf(options, 'to')),
      root: root.length > 1 ? root.replace(/\/+$/, '') : root,
      ratePerSecond: rate === undefined ? undefined : Number(rate.slice(0, -2)),
      drainTimeoutMs: Number(drain),
    };
  },
  async run(asked, context) {
    const flow = await flowOf(asked.file, context, asked.flow);
    if (flow === undefined) return 2;
    const { backfill: run } = await import('../backfill/backfill.js');
    return run(flow, asked, context);
  },
});
