import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Feeder, hasClusters, numbersInLake, until, verdict } from '../../test/live/cluster.js';
import { numbersIn, onNode, Publisher } from '../../test/live/publisher.js';
import { Ages } from '../ages.js';
import { pause } from '../pause.js';
import { Flows, type Process } from './flows.js';
import { stepsOf } from './plan.js';
import { HOME, Servers } from './servers.js';

export interface ClusterOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly verbose: boolean;
}

const RECORDS_PER_SECOND = 500;
const CATCH_UP_WITHIN_MS = 120_000;
/** The longest that a record may wait to be committed while all servers are up. */
const MAX_AGE_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** Where all of it goes in one run. */
interface Places {
  readonly topic: string;
  readonly copy: string;
  readonly stream: string;
  readonly lake: string;
}

/**
 * Faults of three clusters at random, for some minutes, with four processes of flows over them: two from Kafka to files in HDFS, one from
 * Kafka to Kafka, and one from a stream of RabbitMQ to files, all exactly once. Then readers that are none of ours count.
 * Answers an exit code.
 */
export async function proveClusters(options: ClusterOptions, stop: AbortSignal): Promise<number> {
  const { seed, minutes, verbose } = options;
  if (!hasClusters) {
    console.log('--cluster needs root: each broker has a network namespace');
    return 1;
  }
  console.log(`clusters, seed ${seed}, ${minutes} minutes`);
  const name = `chaos-${seed}-${Date.now().toString(36)}`;
  const places = { topic: name, copy: `${name}-copy`, stream: `${name}-stream`, lake: `/lake/${name}` };
  const folder = mkdtempSync(join(tmpdir(), `rxflume-${name}-`));
  const servers = await Servers.start();
  let flows: Flows | undefined;
  let isGood = false;
  try {
    await prepare(servers, places);
    flows = new Flows(processesOf(servers, places), folder);
    const feeder = new Feeder(servers.kafka.brokers, places.topic, HOME.length, RECORDS_PER_SECOND);
    const publisher = new Publisher(servers.rabbitmq, places.stream);
    const ages = new Ages();
    const done = await suffer(servers, places, { flows, ages, seed, minutes, verbose }, stop);
    await Promise.all([feeder.stop(), publisher.stop()]);
    const complaints = [...feeder.errors, ...flows.ended];
    complaints.push(...(await catchUp(servers, places, publisher.confirmed)), ...(await flows.drain()));
    for (const { partition, ms } of ages.worst)
      if (ms > MAX_AGE_MS)
        complaints.push(`a record of partition ${partition} waited ${ms / 1_000} s with all servers up`);
    isGood = (await count(servers, places, feeder.count, publisher.confirmed)) && complaints.length === 0;
    for (const [fault, times] of [...done].sort()) console.log(`${fault.padEnd(30)}${String(times).padStart(6)}`);
    console.log(`${'kill a process'.padEnd(30)}${String(flows.kills).padStart(6)}`);
    console.log(`the longest waits: ${ages.worst.map(({ ms }) => `${(ms / 1_000).toFixed(1)} s`).join(', ')}`);
    for (const line of complaints) console.log(`  ${line}`);
    return isGood ? 0 : 1;
  } catch (error) {
    console.log(`  seed ${seed} failed:`, error);
    return stop.aborted ? 130 : 1;
  } finally {
    flows?.close();
    if (isGood) rmSync(folder, { recursive: true });
    else console.log(`  logs: ${folder}`);
    await servers.stop();
  }
}

async function prepare({ kafka, rabbitmq }: Servers, { topic, copy, stream }: Places): Promise<void> {
  await kafka.createTopic(topic, HOME);
  await kafka.createTopic(copy, HOME);
  await onNode(rabbitmq[0] as string, async (channel) => {
    await channel.assertExchange(stream, 'fanout');
    await channel.assertQueue(stream, { durable: true, arguments: { 'x-queue-type': 'stream' } });
    await channel.bindQueue(stream, stream, '');
  });
}

function processesOf({ kafka, rabbitmq, nameNodes }: Servers, { topic, copy, stream, lake }: Places): Process[] {
  const limits = { TEST_METADATA_MS: '3000', TEST_REQUEST_MS: '5000', TEST_SESSION_MS: '6000', TEST_ROLL_MS: '2000' };
  const shared = {
    ...limits,
    RXFLUME_KAFKA_BROKERS: kafka.brokers.join(','),
    RXFLUME_HDFS_URL: nameNodes,
    TEST_TOPIC: topic,
  };
  const files = { ...shared, TEST_GROUP: `${topic}-files`, TEST_ROOT: `${lake}/kafka`, TEST_RETRIES: '1000' };
  const copies = { ...shared, TEST_GROUP: `${topic}-copies`, TEST_COPY: copy, TEST_PROTOCOL: 'consumer' };
  const queued = {
    TEST_RABBITMQ: rabbitmq.join(','),
    TEST_HEARTBEAT_SECONDS: '2',
    TEST_QUEUE: stream,
    TEST_KIND: 'stream',
  };
  return [
    { name: 'files 1', file: 'test/live/flows/numbered.ts', env: files },
    { name: 'files 2', file: 'test/live/flows/numbered.ts', env: files },
    { name: 'copies', file: 'test/live/flows/copying.ts', env: copies },
    {
      name: 'stream',
      file: 'test/live/flows/queue.ts',
      env: { ...shared, ...queued, TEST_TO: 'hdfs', TEST_ROOT: `${lake}/stream` },
    },
  ];
}

/** One step after another, until the time is over; answers how often each fault was done. */
async function suffer(
  servers: Servers,
  { topic, copy }: Places,
  of: {
    readonly flows: Flows;
    readonly ages: Ages;
    readonly seed: number;
    readonly minutes: number;
    readonly verbose: boolean;
  },
  stop: AbortSignal,
): Promise<Map<string, number>> {
  const end = Date.now() + of.minutes * 60_000;
  const done = new Map<string, number>();
  let isQuiet = true;
  let isOver = false;
  const watch = async () => {
    let wasQuiet = false;
    while (!isOver) {
      const progress = await progressOf(servers, topic).catch(() => []);
      of.ages.look(performance.now(), progress, isQuiet && wasQuiet);
      wasQuiet = isQuiet;
      await pause(LOOK_EVERY_MS, stop).catch(() => undefined);
    }
  };
  const watching = watch();
  try {
    for (const steps = stepsOf(of.seed); ; ) {
      const step = steps.next().value;
      await pause(step.restMs, stop);
      if (Date.now() > end) return done;
      if (of.verbose) console.log(`  ${new Date().toISOString()} ${JSON.stringify(step)}`);
      isQuiet = false;
      if (step.killed !== null) of.flows.kill(step.killed);
      await servers.suffer(step, [topic, copy], stop);
      isQuiet = true;
      done.set(step.fault, (done.get(step.fault) ?? 0) + 1);
    }
  } finally {
    isOver = true;
    await watching;
  }
}

async function progressOf({ kafka }: Servers, topic: string) {
  const [ends, committed] = await Promise.all([kafka.ends(topic), kafka.committed(`${topic}-files`, topic)]);
  return ends.map((end, partition) => ({ partition, end, committed: Math.max(0, committed[partition] ?? 0) }));
}

/** Answers what was not stored in time. */
async function catchUp({ kafka }: Servers, { topic, lake }: Places, published: number): Promise<string[]> {
  const ends = await kafka.ends(topic);
  const isCommitted = (group: string) => async () =>
    (await kafka.committed(`${topic}-${group}`, topic)).every((offset, partition) => offset >= (ends[partition] ?? 0));
  const late = (what: string, holds: () => Promise<boolean>) =>
    until(what, holds, CATCH_UP_WITHIN_MS).then(
      () => [],
      (error: Error) => [error.message],
    );
  const all = await Promise.all([
    late('files are committed', isCommitted('files')),
    late('copies are committed', isCommitted('copies')),
  ]);
  const filed = async () => (await numbersInLake(`${lake}/stream`)).has(published - 1);
  return [...all.flat(), ...(await late('the stream is in files', filed))];
}

/** Whether each number is where it must be, once. */
async function count(
  servers: Servers,
  { topic, copy, stream, lake }: Places,
  fed: number,
  published: number,
): Promise<boolean> {
  const written = await servers.kafka.numbersIn(topic, fed);
  const streamed = await numbersIn(servers.rabbitmq[0] as string, stream, {
    arguments: { 'x-stream-offset': 'first' },
  });
  const filed = await numbersInLake(`${lake}/stream`);
  const rows = [
    ['Kafka, by our producer', verdict(written, fed), fed],
    ['Kafka to HDFS', verdict(await numbersInLake(`${lake}/kafka`), fed), fed],
    ['Kafka to Kafka', verdict(await servers.kafka.numbersIn(copy, fed), fed), fed],
    // A plain publisher sends again what was not confirmed, so the stream itself may hold a number twice.
    ['RabbitMQ to HDFS', difference(filed, streamed), published],
  ] as const;
  let isGood = true;
  console.log(`${''.padEnd(30)}${['records', 'lost', 'doubled', 'foreign'].map((one) => one.padStart(10)).join('')}`);
  for (const [name, { lost, doubled, foreign }, records] of rows) {
    const cells = [records, lost.length, doubled.length, foreign.length].map((one) => String(one).padStart(10));
    console.log(`${name.padEnd(30)}${cells.join('')}`);
    isGood &&= lost.length + doubled.length + foreign.length === 0;
    if (lost.length + doubled.length > 0) console.log(`  lost ${lost.slice(0, 5)}, doubled ${doubled.slice(0, 5)}`);
  }
  return isGood;
}

/** What is there less often, more often, or without being in the other at all. */
function difference(seen: ReadonlyMap<number, number>, truth: ReadonlyMap<number, number>) {
  const times = (n: number) => seen.get(n) ?? 0;
  return {
    lost: [...truth].filter(([n, of]) => times(n) < of).map(([n]) => n),
    doubled: [...truth].filter(([n, of]) => times(n) > of).map(([n]) => n),
    foreign: [...seen.keys()].filter((n) => !truth.has(n)),
  };
}
