// A rolling restart of some processes over the partitions of one topic, by each protocol: what stands still, and which files roll.
// On the cluster of RXFLUME_KAFKA_BROKERS, where that is set. npm run bench -- rolling [--processes 4 --partitions 32 --rate 10 --only classic,consumer,static]
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { compiled } from '../lab/compiled.js';
import { startServices } from '../lab/services.js';
import { sleep } from '../lab/watch.js';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '4' },
    partitions: { type: 'string', default: '32' },
    rate: { type: 'string', default: '10' },
    only: { type: 'string', default: 'classic,consumer,static' },
  },
});
const [processes, partitions, rate] = [Number(values.processes), Number(values.partitions), Number(values.rate)];
const CONTESTANTS: Readonly<Record<string, { readonly protocol: string; readonly isStatic: boolean }>> = {
  classic: { protocol: 'classic', isStatic: false },
  consumer: { protocol: 'consumer', isStatic: false },
  static: { protocol: 'consumer', isStatic: true },
};
/** A gap that is no stop, but how far apart records are and what a busy machine adds. */
const STOP_MS = 500;

/** One process of the group, and the one that takes its place when it is restarted. */
class Process {
  owned = 0;
  #child: ChildProcess | undefined;
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  start(): void {
    const child = fork(compiled('rolling/collector'), {
      env: this.#env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (owned) => {
      this.owned = Number(owned);
    });
    this.#child = child;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    this.owned = 0;
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 120_000; !holds(); await sleep(50)) {
    if (performance.now() > end) throw new Error('the group is not balanced within two minutes');
  }
}

const given = process.env.RXFLUME_KAFKA_BROKERS;
const services = given === undefined ? startServices() : undefined;
const broker = services?.broker ?? String(given);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true, maxInFlightRequests: 1 })];
await Promise.all([admin.connect(), producer.connect()]);

const topics: string[] = [];

/** Every file that is published, whatever its bucket. */
function filesIn(folder: string): readonly string[] {
  if (!existsSync(join(folder, 'lake'))) return [];
  const all = readdirSync(join(folder, 'lake'), { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile() && one.name.endsWith('.txt')).map((one) => join(one.parentPath, one.name));
}

async function roll(name: string): Promise<void> {
  const { protocol, isStatic } = CONTESTANTS[name] as (typeof CONTESTANTS)[string] & object;
  const topic = `rolling-${name}-${Date.now().toString(36)}`;
  const folder = mkdtempSync(join(tmpdir(), 'rxflume-rolling-'));
  const log = join(folder, 'read.log');
  topics.push(topic);
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false });
  await sleep(2_000);
  let isEnded = false;
  let produced = 0;
  const producing = (async () => {
    for (let next = performance.now(); !isEnded; next += 1_000 / rate) {
      const messages = Array.from({ length: partitions }, (_, partition) => ({
        partition,
        value: `${produced + partition}`,
      }));
      await producer.send({ topic, messages });
      produced += partitions;
      await sleep(Math.max(0, next - performance.now()));
    }
  })();
  const all = Array.from({ length: processes }, (_, at) => {
    const own = { ROLLING_TOPIC: topic, ROLLING_FOLDER: folder, ROLLING_LOG: log, ROLLING_PROTOCOL: protocol };
    const instance = isStatic ? { ROLLING_INSTANCE: `p${at}` } : {};
    return new Process({ ...process.env, RXFLUME_KAFKA_BROKERS: broker, ...own, ...instance });
  });
  const isBalanced = () => all.every(({ owned }) => owned === partitions / processes);
  const restarts: { from: number; to: number; files: number }[] = [];
  try {
    for (const one of all) one.start();
    await until(isBalanced);
    await sleep(5_000);
    for (const one of all) {
      const [from, before] = [Date.now(), filesIn(folder).length];
      await one.stop();
      one.start();
      await until(isBalanced);
      await sleep(5_000);
      restarts.push({ from, to: Date.now(), files: filesIn(folder).length - before });
    }
  } finally {
    isEnded = true;
    await producing;
    await sleep(2_000);
    await Promise.all(all.map((one) => one.stop()));
  }
  const lines = filesIn(folder).flatMap((path) => readFileSync(path, 'utf8').split('\n').filter(Boolean));
  const distinct = new Set(lines).size;
  print(name, restarts, readsIn(log));
  console.log(`  ${produced} records: lost ${produced - distinct}, doubled ${lines.length - distinct}`);
  rmSync(folder, { recursive: true, force: true });
}

/** When each record of each partition was first read. */
function readsIn(log: string): readonly (readonly number[])[] {
  const reads = Array.from({ length: partitions }, (): Map<number, number> => new Map());
  for (const line of readFileSync(log, 'utf8').split('\n').filter(Boolean)) {
    const [partition = 0, offset = 0, ms = 0] = line.split(' ').map(Number);
    const known = reads[partition]?.get(offset) ?? Number.POSITIVE_INFINITY;
    reads[partition]?.set(offset, Math.min(known, ms));
  }
  return reads.map((times) => [...times].sort(([a], [b]) => a - b).map(([, ms]) => ms));
}

function print(
  name: string,
  restarts: readonly { readonly from: number; readonly to: number; readonly files: number }[],
  reads: readonly (readonly number[])[],
): void {
  console.log(`${name}: ${processes} processes, ${partitions} partitions, ${rate} records/s each`);
  for (const [at, { from, to, files }] of restarts.entries()) {
    const longest = reads.map((times) => {
      const within = [from, ...times.filter((ms) => ms >= from && ms <= to), to];
      return Math.max(...within.slice(1).map((ms, index) => ms - (within[index] as number)));
    });
    const stopped = longest.filter((ms) => ms > STOP_MS);
    const sum = stopped.reduce((total, ms) => total + ms, 0) / 1_000;
    console.log(
      `  restart ${at + 1}: ${files} files rolled; ${stopped.length} partitions stopped, the longest ${(Math.max(...longest) / 1_000).toFixed(1)} s, ` +
        `${sum.toFixed(0)} s in sum; the median partition ${((longest.sort((a, b) => a - b)[partitions >> 1] ?? 0) / 1_000).toFixed(1)} s`,
    );
  }
}

console.log(`${cpus().length} cores, Node ${process.versions.node}`);
try {
  for (const name of values.only.split(',')) await roll(name);
} finally {
  // Not before: the producer would go on asking for one that is gone.
  await admin.deleteTopics({ topics });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
  services?.stop();
}
