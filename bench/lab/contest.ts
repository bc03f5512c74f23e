import type { Lake } from './lake.js';
import type { Topic } from './topics.js';

/** What one contestant is to do in one round. */
export interface Job {
  readonly topic: Topic;
  /** Names its consumer group; nobody else has it. */
  readonly run: string;
  /** Where in HDFS it writes. */
  readonly folder: string;
}

/** What it did, and what it used for that. */
export interface Measured {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of its program, from its start. */
  readonly peakRssMiB: number;
  /** Every 100 ms while it ran. */
  readonly rssMiB: readonly number[];
}

export interface Contestant {
  readonly name: string;
  /** Why it cannot run here, and what to do about it. */
  readonly missing?: string | undefined;
  run(job: Job): Promise<Measured>;
}

export const recordsPerSecond = ({ records, seconds }: Measured): number => records / seconds;
export const cpuMicroseconds = ({ records, cpuSeconds }: Measured): number => (cpuSeconds * 1e6) / records;

let runs = 0;

export function newJob(topic: Topic): Job {
  runs += 1;
  const run = `bench-${Date.now()}-${runs}`;
  return { topic, run, folder: `/lake/bench/${run}` };
}

export interface Contest {
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly topic: Topic;
  readonly lake: Lake;
  readonly say: (line: string) => void;
  /** Looks at what a round left behind, before it is removed. Throws where it is wrong. */
  readonly check?: (contestant: Contestant, job: Job, measured: Measured) => Promise<void>;
}

export type Results = ReadonlyMap<string, readonly Measured[]>;

/** All contestants in turn, so many times over, so that what disturbs the machine disturbs all of them alike. */
export async function contest({ contestants, rounds, topic, lake, say, check }: Contest): Promise<Results> {
  const results = new Map<string, Measured[]>();
  const present = contestants.filter(({ name, missing }) => {
    if (missing !== undefined) say(`  ${name} is left out: ${missing}`);
    return missing === undefined;
  });
  for (const { name } of present) results.set(name, []);
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of present) {
      const job = newJob(topic);
      await lake.make(job.folder);
      try {
        const measured = await contestant.run(job);
        await check?.(contestant, job, measured);
        results.get(contestant.name)?.push(measured);
        say(
          `  round ${round}  ${contestant.name.padEnd(22)} ${thousands(recordsPerSecond(measured)).padStart(10)} records/s ` +
            `${cpuMicroseconds(measured).toFixed(2).padStart(7)} µs ${measured.peakRssMiB.toFixed(0).padStart(5)} MiB`,
        );
      } catch (error) {
        throw new Error(`${contestant.name} failed in round ${round}`, { cause: error });
      } finally {
        await lake.remove(job.folder);
      }
    }
  }
  return results;
}

export function thousands(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}
