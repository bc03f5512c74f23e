import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Admin, Kafka, logLevel } from 'kafkajs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const brokers = (process.env.RXFLUME_KAFKA_BROKERS ?? '127.0.0.1:19092').split(',');
export const nameNode = process.env.RXFLUME_HDFS_URL ?? 'http://127.0.0.1:19870';

const run = promisify(execFile);
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } });

/** `scripts/services …`, to its end. */
export async function services(...args: string[]): Promise<string> {
  const { stdout } = await run(`${root}scripts/services`, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** A name that no earlier run has used. */
export function fresh(name: string): string {
  return `${name}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`;
}

/** Where the NameNode sends writers to. */
export async function dataNode(): Promise<URL> {
  const path = `/webhdfs/v1/tmp/${fresh('where')}?op=CREATE&noredirect=true&user.name=flume`;
  const { Location } = (await (await fetch(nameNode + path, { method: 'PUT' })).json()) as { Location: string };
  return new URL(Location);
}

export async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export async function createTopic(topic: string, numPartitions = 4): Promise<void> {
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }));
}

/** The sum of what a group has committed in a topic; 0 where nothing is. */
export async function committed(groupId: string, topic: string): Promise<number> {
  const [offsets] = await withAdmin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
  return (offsets?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

export async function produceRaw(
  topic: string,
  messages: readonly { value: string | Buffer | null; partition?: number; timestamp?: string }[],
): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  try {
    await producer.send({ topic, messages: [...messages] });
  } finally {
    await producer.disconnect();
  }
}

/**
 * Numbered records [from, to), spread over the partitions; `everyMs` is the pause between sends of 1,000. Idempotent: where
 * a broker has just started and rejects some of the partitions of a request, kafkajs sends all of it again.
 */
export async function produce(topic: string, from: number, to: number, partitions = 4, everyMs = 0): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    for (let first = from; first < to; first += 1_000) {
      const messages = Array.from({ length: Math.min(1_000, to - first) }, (_, at) => ({
        partition: (first + at) % partitions,
        value: JSON.stringify({ n: first + at, text: 'Where is my order? '.repeat(6) }),
      }));
      await producer.send({ topic, messages });
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  } finally {
    await producer.disconnect();
  }
}

/** How often each number is in the files under a root, by Hadoop's own reader. */
export async function readNumbers(folder: string): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  const child = spawn(`${root}scripts/services`, ['hdfs', '-text', `${folder}/mod=*/*`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let problem = '';
  child.stderr.on('data', (text) => {
    problem += text;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { n } = JSON.parse(line) as { n: number };
    seen.set(n, (seen.get(n) ?? 0) + 1);
  }
  if (seen.size === 0) throw new Error(`nothing could be read under ${folder}: ${problem.slice(0, 500)}`);
  return seen;
}

/** Which of [0, count) are missing, at most ten of them, and how many came more than once. */
export function compare(
  seen: ReadonlyMap<number, number>,
  count: number,
): { missing: number[]; foreign: number; repeated: number } {
  const missing = Array.from({ length: count }, (_, n) => n).filter((n) => !seen.has(n));
  const values = [...seen];
  return {
    missing: missing.slice(0, 10),
    foreign: values.filter(([n]) => n < 0 || n >= count).length,
    repeated: values.filter(([, times]) => times > 1).length,
  };
}

export interface Command {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly lines: () => Record<string, unknown>[];
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** Resolves when a line of that kind has been printed. */
  until(what: string): Promise<void>;
}

/** `rxflume run <file>` from the sources, with its output kept; killed when the test process ends. */
export function runFlow(file: string, env: Record<string, string>, ...options: string[]): Command {
  const child = spawn(process.execPath, ['--import', 'tsx', `${root}src/cli/main.ts`, 'run', file, ...options], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      process.off('exit', kill);
      resolve(code);
    });
  });
  const lines = () =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const until = async (what: string) => {
    const deadline = Date.now() + 60_000;
    while (!output.includes(`"what":"${what}"`)) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`no ${what} in: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { child, output: () => output, lines, ended, until };
}

export function rssMiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024;
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
