// Flume's Avro RPC, both ways, each contestant in a program of its own, in turn:
//   into an agent: rxflume, Flume's Avro sink (one and two of them) and its AvroCLIClient, to the same Avro source; the
//     first and the sinks make their events, the others read the lines of a file;
//   out of an agent: its Avro sinks, to rxflume and to another agent.
// Rates count from the first event taken to the last; CPU is the contestant's in that time, so no start of a JVM counts.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compiled } from '../lab/compiled.js';
import { accepted, cpuSeconds, pidOf, receiver, sender, startAgent, stopAgent } from './agents.js';

const services = fileURLToPath(new URL('../../scripts/services', import.meta.url));
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    'client-events': { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    port: { type: 'string', default: '19850' },
  },
});
const events = Number(values.events);
const clientEvents = Number(values['client-events']);
const firstPort = Number(values.port);
const [port, backPort, metricsPort, senderMetricsPort] = [firstPort, firstPort + 1, firstPort + 2, firstPort + 3];

interface Result {
  readonly events: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const folder = mkdtempSync(join(tmpdir(), 'rxflume-bench-'));
const file = join(folder, 'lines');
const line = `${'Hello, where is my order? '.repeat(8).slice(0, 199)}\n`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Watches an agent take events, and what a program uses meanwhile. */
async function watch(pid: () => number, count: number, startedWith: number): Promise<Result> {
  const deadline = Date.now() + 300_000;
  let first: { at: number; events: number; cpu: number } | undefined;
  let cpu = 0;
  for (;;) {
    const program = pid();
    const taken = (await accepted(metricsPort)) - startedWith;
    cpu = cpuSeconds(program) ?? cpu;
    const now = { at: performance.now(), events: taken, cpu };
    if (first === undefined && taken > 0) first = now;
    if (first !== undefined && taken >= count) {
      return { events: taken - first.events, seconds: (now.at - first.at) / 1_000, cpuSeconds: now.cpu - first.cpu };
    }
    if (Date.now() > deadline) throw new Error(`only ${taken} of ${count} events were taken`);
    await sleep(20);
  }
}

/** Asks until there is an answer, and then no more. */
function cached(ask: () => number): () => number {
  let known = 0;
  return () => {
    if (known === 0) known = ask();
    return known;
  };
}

function node(script: string, ...args: (string | number)[]): ChildProcess {
  return spawn(process.execPath, [compiled(`flume/${script}`), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function watched(child: ChildProcess, count: number): Promise<Result> {
  const before = await accepted(metricsPort);
  try {
    return await watch(() => child.pid as number, count, before);
  } finally {
    child.kill('SIGKILL');
  }
}

const into: Readonly<Record<string, () => Promise<Result>>> = {
  rxflume: () => watched(node('rxflume-sink', events, port), events),
  'rxflume, from a file': () => {
    writeFileSync(file, line.repeat(events));
    return watched(node('rxflume-sink', file, port), events);
  },
  'avro sink': () => bySinks(1),
  '2 avro sinks': () => bySinks(2),
  'AvroCLIClient, from a file': () => {
    writeFileSync(file, line.repeat(clientEvents));
    const client = ['flume', 'client', '-H', '127.0.0.1', '-p', String(port), '-F', file];
    return watched(spawn(services, client, { stdio: 'ignore' }), clientEvents);
  },
};

async function bySinks(sinks: number): Promise<Result> {
  const before = await accepted(metricsPort);
  const starting = startAgent(folder, 'sender', sender(port, events, sinks), senderMetricsPort);
  try {
    return await watch(
      cached(() => pidOf('sender')),
      events,
      before,
    );
  } finally {
    await starting;
    stopAgent('sender');
  }
}

/** What comes out of an agent with two sinks, into rxflume. */
async function intoRxflume(): Promise<Result> {
  const child = node('rxflume-source', backPort, events);
  const result = new Promise<Result>((resolve) => {
    child.stdout?.once('data', (text: Buffer) => resolve(JSON.parse(String(text)) as Result));
  });
  await sleep(1_500);
  await startAgent(folder, 'sender', sender(backPort, events, 2), senderMetricsPort);
  try {
    return await result;
  } finally {
    stopAgent('sender');
    child.kill('SIGKILL');
  }
}

/** The same into the agent: rate and CPU of the receiver. */
async function intoAgent(): Promise<Result> {
  const before = await accepted(metricsPort);
  const starting = startAgent(folder, 'sender', sender(port, events, 2), senderMetricsPort);
  try {
    return await watch(
      cached(() => pidOf('receiver')),
      events,
      before,
    );
  } finally {
    await starting;
    stopAgent('sender');
  }
}

const out = { rxflume: intoRxflume, 'Flume agent': intoAgent };

function show(title: string, results: ReadonlyMap<string, readonly Result[]>, who: string): void {
  const rate = ({ events, seconds }: Result) => events / seconds;
  const cost = (result: Result) => (result.cpuSeconds * 1e6) / result.events;
  console.log(
    `\n${title.padEnd(26)} ${'events/s'.padStart(10)}  ${`CPU µs/event, ${who}`.padStart(24)}  events/s by round`,
  );
  for (const [name, all] of results) {
    const rates = all.map((result) => Math.round(rate(result)).toLocaleString('en-US')).join(' ');
    console.log(
      `${name.padEnd(26)} ${Math.round(middle(all.map(rate)))
        .toLocaleString('en-US')
        .padStart(10)}  ` + `${middle(all.map(cost)).toFixed(2).padStart(24)}  ${rates}`,
    );
  }
}

function middle(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function rounds(contestants: Readonly<Record<string, () => Promise<Result>>>): Promise<Map<string, Result[]>> {
  const results = new Map<string, Result[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const [name, run] of Object.entries(contestants)) results.get(name)?.push(await run());
  }
  return results;
}

console.log(`${events} events of 199 bytes, batches of 1,000; ${cpus().length} cores, Node ${process.versions.node}`);
await startAgent(folder, 'receiver', receiver(port), metricsPort);
try {
  // The receiver's JVM is warm before the first round.
  await bySinks(1);
  show('into an agent', await rounds(into), 'sender');
  show('out of an agent, 2 sinks', await rounds(out), 'receiver');
} finally {
  stopAgent('receiver');
  rmSync(folder, { recursive: true, force: true });
}
