import { rxflumeTask, taskOf } from '../contestants/own.js';
import { atMost, type Bar } from '../lab/bars.js';
import { type Contestant, contest, type Job, type Measured, thousands } from '../lab/contest.js';
import { Lake } from '../lab/lake.js';
import type { Bench, Part, Row } from '../lab/part.js';
import { Program, runProgram } from '../lab/program.js';
import { rowsOf } from '../lab/rows.js';
import { median } from '../lab/statistics.js';
import { deleteTopic, fillTopic, type Topic } from '../lab/topics.js';
import { sleep } from '../lab/watch.js';

const VALUE_BYTES = 199;
const WARM_RECORDS = 200_000;
const BYTES_A_SIZE = 200_000_000;
const QUIET_MS = 200;

interface Point {
  readonly name: string;
  readonly of: Omit<Topic, 'name' | 'lineBytes'>;
  readonly run: (job: Job) => Promise<Measured>;
}

/** How speed and memory change with the number of records, partitions, buckets, bytes and processes. */
export const growth: Part = {
  name: 'growth',
  title: 'Growth',
  async run(bench) {
    const { services, isShort } = bench;
    const rounds = bench.rounds ?? (isShort ? 1 : 2);
    const most = bench.records ?? (isShort ? 1_000_000 : 10_000_000);
    const some = Math.min(most, isShort ? 200_000 : 1_000_000);
    const warm = await fillTopic(services.broker, { partitions: 4, records: WARM_RECORDS, valueBytes: VALUE_BYTES });
    const warmUp = { topic: warm.name, records: WARM_RECORDS };
    const plain = (job: Job) => runProgram('rxflume', { ...rxflumeTask(services, job), warmUp });
    const point = (name: string, of: Partial<Topic>, run: Point['run'] = plain): Point => ({
      name,
      of: { partitions: 4, records: some, valueBytes: VALUE_BYTES, ...of },
      run,
    });
    const counts = isShort ? [100_000, 300_000, most] : [100_000, 1_000_000, most];
    const lines: Readonly<Record<string, readonly Point[]>> = {
      records: counts.map((records) => point(`${thousands(records)} records`, { records })),
      partitions: [1, 4, 16, 64].map((partitions) => point(counted(partitions, 'partition'), { partitions })),
      buckets: [1, 10, 100, 1_000].map((buckets) =>
        point(counted(buckets, 'bucket'), { partitions: 1 }, (job) =>
          runProgram('rxflume', { ...rxflumeTask(services, job, { buckets }), warmUp }),
        ),
      ),
      bytes: [20, 200, 2_000, 20_000, 1_000_000].map((valueBytes) =>
        point(`${thousands(valueBytes)} bytes`, {
          valueBytes,
          records: Math.min(some, Math.floor((isShort ? BYTES_A_SIZE / 4 : BYTES_A_SIZE) / valueBytes)),
        }),
      ),
      processes: [1, 2].map((processes) =>
        point(counted(processes, 'process'), { partitions: 8, records: 2 * some }, (job) =>
          together(bench, job, processes),
        ),
      ),
    };
    const rows: Row[] = [];
    try {
      for (const [of, points] of Object.entries(lines)) rows.push(...(await measure(bench, of, points, rounds)));
    } finally {
      await deleteTopic(services.broker, warm.name);
    }
    return {
      setup:
        `rxflume, exactly-once, one mapValue and one filterValue, after ${thousands(WARM_RECORDS)} records to warm up; unless said otherwise ` +
        `${thousands(some)} records of ${VALUE_BYTES} bytes, 4 partitions, 1 bucket, 1 process; buckets with 1 partition and at most 100 of them in turn, ` +
        `processes with 8 and ${thousands(2 * some)} records, without warming up. ${rounds} rounds.`,
      rows,
      bars: barsOf(rows),
    };
  },
};

function counted(number: number, one: string): string {
  const more = one.endsWith('s') ? `${one}es` : `${one}s`;
  return `${thousands(number)} ${number === 1 ? one : more}`;
}

async function measure(bench: Bench, of: string, points: readonly Point[], rounds: number): Promise<Row[]> {
  const { services, say } = bench;
  const rows: Row[] = [];
  for (const { name, of: topicOf, run } of points) {
    const topic = await fillTopic(services.broker, topicOf);
    const lake = new Lake(services.hdfsUrl);
    const contestant: Contestant = { name, run };
    const check = async (_: Contestant, { folder }: Job, measured: Measured) => {
      const stored = (await lake.files(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
      if (measured.records === topic.records && stored === topic.lineBytes) return;
      throw new Error(
        `${measured.records} of ${topic.records} records, ${stored} of ${topic.lineBytes} bytes are stored`,
      );
    };
    try {
      const results = await contest({ contestants: [contestant], rounds, topic, lake, say, check });
      const all = results.get(name) ?? [];
      const { timesFirst: _, ...row } = rowsOf(results)[0] as Row;
      rows.push({
        ...row,
        name,
        of,
        megabytesPerSecond: Math.round(median(all.map(({ seconds }) => topic.lineBytes / 1e6 / seconds))),
        laterByEarlierRss: Number(median(all.map(({ rssMiB }) => laterByEarlier(rssMiB))).toFixed(2)),
      });
    } finally {
      await deleteTopic(services.broker, topic.name);
    }
  }
  return rows;
}

/** The most memory in the last half of a run by the most in the half before it: above 1 where it grows. */
function laterByEarlier(rssMiB: readonly number[]): number {
  const half = Math.floor(rssMiB.length / 2);
  if (half === 0) return Number.NaN;
  return Math.max(...rssMiB.slice(half)) / Math.max(...rssMiB.slice(0, half));
}

/** Several processes of one group, told to stop when all is read. */
async function together({ services }: Bench, job: Job, processes: number): Promise<Measured> {
  const { records: _, ...task } = { ...taskOf(services, job), ...rxflumeTask(services, job), isTelling: true };
  const programs = Array.from({ length: processes }, () => new Program('rxflume', task));
  try {
    await Promise.all(programs.map((program) => program.ready()));
    for (const program of programs) program.go();
    const startedAt = performance.now();
    let seen = 0;
    let changedAt = startedAt;
    // What one of them had read before the other joined is read twice: all is read when nothing more comes.
    for (let now = startedAt; seen < job.topic.records || now - changedAt < QUIET_MS; now = performance.now()) {
      const sum = programs.reduce((total, program) => total + program.seen, 0);
      if (sum !== seen) changedAt = now;
      seen = sum;
      await sleep(5);
    }
    const waitedMs = performance.now() - changedAt;
    for (const program of programs) program.stop();
    const all = await Promise.all(programs.map((program) => program.measured()));
    return {
      records: all.reduce((sum, { records }) => sum + records, 0),
      seconds: (performance.now() - startedAt - waitedMs) / 1_000,
      cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      peakRssMiB: Math.max(...all.map(({ peakRssMiB }) => peakRssMiB)),
      rssMiB: all[0]?.rssMiB ?? [],
    };
  } finally {
    for (const program of programs) program.kill();
  }
}

/** Of what is measured at growing numbers of records: whole runs, and what each further record costs. */
export function barsOf(rows: readonly Row[]): Bar[] {
  const counts = rows.filter(({ of }) => of === 'records');
  const runs = counts.map((row) => ({ records: Number(row.records), cpu: Number(row.cpuMicroseconds) }));
  const further = runs.slice(1).map(({ records, cpu }, at) => {
    const before = runs[at] as (typeof runs)[number];
    return (records * cpu - before.records * before.cpu) / (records - before.records);
  });
  const largest = counts.at(-1);
  return [
    atMost('CPU a record of whole runs, by records: away from the middle', spread(runs.map(({ cpu }) => cpu)), 15, '%'),
    atMost('CPU of each further record, by records: away from the middle', spread(further), 15, '%'),
    atMost('peak RSS, most records', Number(largest?.peakRssMiB), 256, 'MiB'),
    atMost('RSS, later half of the most records by the earlier', Number(largest?.laterByEarlierRss), 1.1),
  ];
}

/** How far the largest and the smallest are from half way between them, in per cent. */
function spread(numbers: readonly number[]): number {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return ((most - least) / (most + least)) * 100;
}
