import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run chaos -- [options]

Numbered records go through a real Kafka and two or three collectors into a real HDFS, while collectors are killed and
frozen, connections cut, and services restarted. Then an independent reader counts.

  --runs <n>       runs, each with a topic, a group and a folder of its own; run i has the seed <seed> + i (default 1)
  --seed <n>       decides all faults and their times (default: any, printed)
  --kills <n>      collectors killed in each run (default 20)
  --seconds <n>    how long the faults of a run last (default 5 for each kill)
  --records <n>    records produced in each run, steadily (default 400 a second)
  --short          the form for CI: one run, seed 1, 18 kills in 90 s
  --format <name>  what the collectors write: lines (default) or parquet
  --cluster        three brokers, three RabbitMQ nodes, two NameNodes and two DataNodes instead, of which one after another is killed,
                   hung, cut off or relieved; as root. Only --minutes, --seed and --verbose go with it
  --minutes <n>    how long the faults of --cluster last (default 2)
  --at-least-once  without the ledger, to see that this finds duplicates
  --keep           keep the logs, the topic and the folder, also where all is well
  --verbose        print each fault as it is done

Exit codes: 0 lost, duplicated, foreign and orphans are all 0, and the ledger is whole; 1 not, or it could not be told;
2 wrong use; 130 stopped by a signal.
`;

export interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly kills: number;
  readonly seconds: number;
  readonly records: number;
  readonly format: 'lines' | 'parquet';
  readonly cluster: boolean;
  readonly minutes: number;
  readonly atLeastOnce: boolean;
  readonly keep: boolean;
  readonly verbose: boolean;
}

/** Reads the command line; null where help is asked for. Throws an `Error` that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string' },
      seed: { type: 'string' },
      kills: { type: 'string' },
      seconds: { type: 'string' },
      records: { type: 'string' },
      short: { type: 'boolean', default: false },
      format: { type: 'string', default: 'lines' },
      cluster: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      'at-least-once': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const { short, format } = values;
  if (format !== 'lines' && format !== 'parquet')
    throw new Error(`Expected \`--format\` to be lines or parquet, got \`${format}\``);
  const kills = whole('--kills', values.kills ?? (short ? '18' : '20'), 0, 2_000);
  const seconds = whole('--seconds', values.seconds ?? String(short ? 90 : Math.max(10, kills * 5)), 1, 7_200);
  return {
    runs: whole('--runs', values.runs ?? '1', 1, 1_000),
    seed: whole('--seed', values.seed ?? String(short ? 1 : randomInt(1, 1_000_000)), 0, 2 ** 31),
    kills,
    seconds,
    records: whole('--records', values.records ?? String(seconds * 400), 1_000, 5_000_000),
    format,
    cluster: values.cluster,
    minutes: whole('--minutes', values.minutes ?? '2', 1, 600),
    atLeastOnce: values['at-least-once'],
    keep: values.keep,
    verbose: values.verbose,
  };
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`Expected \`${option}\` to be a whole number from ${least} to ${most}, got \`${text}\``);
}
