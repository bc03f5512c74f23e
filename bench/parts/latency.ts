import { Benthos, ended } from '../contestants/benthos.js';
import { Flume } from '../contestants/flume.js';
import { rxflumeTask, taskOf } from '../contestants/own.js';
import { type Job, newJob } from '../lab/contest.js';
import { Lake } from '../lab/lake.js';
import { chosen, type Part, type Row } from '../lab/part.js';
import { type Durable, Program } from '../lab/program.js';
import { median, percentile } from '../lab/statistics.js';
import { produceSteadily } from '../lab/steady.js';
import { deleteTopic, makeTopic } from '../lab/topics.js';
import { sleep } from '../lab/watch.js';

const PARTITIONS = 4;
const VALUE_BYTES = 199;
const RECORDS_A_SECOND = 10_000;
const ROLL_MS = 1_000;
/** Read and not counted: everyone has joined and is warm by then. */
const WARM_MS = 3_000;

interface Contender {
  readonly name: string;
  readonly missing?: string | undefined;
  /** Starts it; resolves with how to let it finish, and to learn when each file was durable where it tells. */
  start(job: Job): Promise<() => Promise<readonly Durable[] | undefined>>;
}

/** From produce to durable: a steady stream, files that roll each second, and when each file was there. */
export const latency: Part = {
  name: 'latency',
  title: 'From produce to durable',
  async run(bench) {
    const { services, isShort, say } = bench;
    const rounds = bench.rounds ?? (isShort ? 1 : 2);
    const seconds = isShort ? 5 : 12;
    const lake = new Lake(services.hdfsUrl);
    const rolls = { rollIntervalMs: ROLL_MS, isTelling: true };
    const program = (name: string, task: (job: Job) => object) => async (job: Job) => {
      const { records: _all, ...steady } = { ...task(job), ...rolls } as { records?: number };
      const own = new Program(name, steady);
      await own.ready();
      own.go();
      return async () => {
        own.stop();
        await own.measured();
        return own.durable;
      };
    };
    const benthos = new Benthos(services);
    const flume = new Flume(services);
    const contenders: readonly Contender[] = [
      { name: 'rxflume', start: program('rxflume', (job) => rxflumeTask(services, job)) },
      {
        name: 'rxflume, at least once',
        start: program('rxflume', (job) => rxflumeTask(services, job, { isExactlyOnce: false })),
      },
      {
        name: 'bare fetch + PUT',
        start: program('limit', (job) => ({ ...taskOf(services, job), isWriting: true, isDecoding: false })),
      },
      {
        name: 'benthos 4.27.0',
        missing: benthos.missing,
        start: async (job) => {
          const child = await benthos.start(job, ROLL_MS);
          return async () => {
            await sleep(3 * ROLL_MS);
            await ended(child);
            return undefined;
          };
        },
      },
      {
        name: 'Flume 1.11',
        missing: flume.missing,
        start: async (job) => {
          await flume.start(job, ROLL_MS / 1_000);
          return async () => {
            await sleep(3 * ROLL_MS);
            flume.stop();
            return undefined;
          };
        },
      },
    ];
    const present = chosen(bench, contenders).filter(({ name, missing }) => {
      if (missing !== undefined) say(`  ${name} is left out: ${missing}`);
      return missing === undefined;
    });
    const measured = new Map<string, { p50: number; p99: number; records: number }[]>();
    for (let round = 1; round <= rounds; round += 1) {
      for (const { name, start } of present) {
        const one = await runOne(start);
        measured.set(name, [...(measured.get(name) ?? []), one]);
        say(
          `  round ${round}  ${name.padEnd(22)} p50 ${Math.round(one.p50)} ms, p99 ${Math.round(one.p99)} ms, ${one.records} records`,
        );
      }
    }

    async function runOne(start: Contender['start']) {
      const name = await makeTopic(services.broker, PARTITIONS);
      const job = newJob({ name, partitions: PARTITIONS, records: 0, valueBytes: VALUE_BYTES, lineBytes: 0 });
      await lake.make(job.folder);
      try {
        const finish = await start(job);
        const from = Date.now() + WARM_MS;
        const until = from + seconds * 1_000;
        // Those of the last two seconds only keep the stream steady: not all contenders can be asked to finish.
        await produceSteadily(services.broker, {
          topic: name,
          partitions: PARTITIONS,
          valueBytes: VALUE_BYTES,
          perSecond: RECORDS_A_SECOND,
          ms: WARM_MS + seconds * 1_000 + 2 * ROLL_MS,
        });
        const durable = await finish();
        const waits = await waitsOf(job.folder, durable, from, until);
        const wanted = seconds * RECORDS_A_SECOND;
        if (waits.length < wanted * 0.98)
          throw new Error(`only ${waits.length} of ${wanted} records were found in files`);
        return { p50: percentile(waits, 50), p99: percentile(waits, 99), records: waits.length };
      } finally {
        await lake.remove(job.folder);
        await deleteTopic(services.broker, name);
      }
    }

    /** How long each record of those stamped in [from, until) waited until its file was durable. */
    async function waitsOf(folder: string, reported: readonly Durable[] | undefined, from: number, until: number) {
      const at = new Map(reported?.map(({ path, atMs }) => [path, atMs]));
      const waits: number[] = [];
      for (const { path, closedAtMs } of await lake.files(folder)) {
        const durableAt = reported === undefined ? closedAtMs : at.get(path);
        if (durableAt === undefined) throw new Error(`${path} was never said to be durable`);
        for (const [, stamp] of (await lake.read(path)).matchAll(/"at":(\d+)/g)) {
          const stampedAt = Number(stamp);
          if (stampedAt >= from && stampedAt < until) waits.push(durableAt - stampedAt);
        }
      }
      return waits;
    }

    const rows: Row[] = [...measured].map(([name, all]) => ({
      name,
      p50Ms: Math.round(median(all.map(({ p50 }) => p50))),
      p99Ms: Math.round(median(all.map(({ p99 }) => p99))),
      p50MsByRound: all.map(({ p50 }) => Math.round(p50)),
      p99MsByRound: all.map(({ p99 }) => Math.round(p99)),
    }));
    return {
      setup:
        `${RECORDS_A_SECOND} records a second of ${VALUE_BYTES} bytes, stamped as they are sent, ${PARTITIONS} partitions, for ` +
        `${seconds} s; files roll each second; ${rounds} rounds. Durable: rxflume's receipt (the file is at its final path, the ` +
        'entry is in the ledger), the answer to the PUT, or the time that HDFS has of the closed file.',
      rows,
      bars: [],
    };
  },
};
