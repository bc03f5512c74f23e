import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { migrate } from '../../src/cli/migrate/migrate.js';
import type { Case } from './compare/case.js';
import { CASES, KAFKA_RECORDS } from './compare/cases.js';
import { quietPort, Side } from './compare/side.js';
import { describeFlume, folder, until } from './flume-support.js';
import {
  brokers,
  type Command,
  createTopic,
  fresh,
  nameNode,
  root as repository,
  runFlow,
  services,
} from './support.js';

jest.setTimeout(450_000);

/** Both sides have the clocks of this zone: what depends on the zone of the machine shows. */
const TZ = 'Europe/Berlin';
const AGENT = 'compare';
const run = fresh('compare');
const work = folder('compare');
const agents = `${repository}test/cli/agents/`;
/** By agent: what senders heard, and what was written. */
const found = new Map<string, { flume: string[]; rxflume: string[] }>();

/** All agents as one, so that one process runs them. */
function merged(cases: readonly Case[]): string {
  const lines = cases.flatMap(({ name }) => readFileSync(`${agents}compare-${name}.conf`, 'utf8').split('\n'));
  const lists = new Map<string, string[]>();
  const others = lines.filter((line) => {
    const [, kind, names] = /^a1\.(sources|channels|sinks|sinkgroups) = (.*)$/.exec(line) ?? [];
    if (kind === undefined || names === undefined) return true;
    lists.set(kind, [...(lists.get(kind) ?? []), names]);
    return false;
  });
  const heads = [...lists].map(([kind, names]) => `a1.${kind} = ${names.join(' ')}`);
  return `${[...heads, ...others].join('\n')}\n`.replace(/^a1\./gm, `${AGENT}.`);
}

async function runFlume(side: Side, cases: readonly Case[]): Promise<Map<string, readonly string[]>> {
  const file = join(work, 'compare.properties');
  writeFileSync(file, merged(cases));
  const port = await quietPort();
  const env = { ...process.env, ...side.env, TZ };
  await promisify(execFile)(`${repository}scripts/services`, ['flume', 'start', AGENT, file, String(port)], { env });
  try {
    const heard = await feedAll(side, cases);
    let now: unknown;
    const isDone = async () => {
      const counters = JSON.parse(await services('flume', 'metrics', String(port))) as Record<
        string,
        Record<string, string>
      >;
      const open = cases
        .flatMap(({ puts }) => Object.entries(puts))
        .filter(([channel, count]) => {
          const { EventPutSuccessCount: put, EventTakeSuccessCount: taken } = counters[`CHANNEL.${channel}`] ?? {};
          return Number(put) < count || put !== taken;
        });
      now = open.map(([channel, count]) => ({ channel, count, is: counters[`CHANNEL.${channel}`] }));
      return open.length === 0;
    };
    await until('Flume to have written all', isDone, 180_000, () => now);
    return heard;
  } finally {
    await services('flume', 'stop', AGENT);
  }
}

/** The flows as `rxflume migrate` writes them, with the port of this NameNode, as its warning says. */
function migrated({ name }: Case): string {
  const out = join(work, name);
  const quiet = { write: () => undefined };
  const asked = { file: `${agents}compare-${name}.conf`, agent: 'a1', out, print: 'summary', isForced: true } as const;
  expect(migrate(asked, { out: quiet, err: quiet, cwd: work })).toBe(0);
  return out;
}

async function runFlows(side: Side, cases: readonly Case[]): Promise<Map<string, readonly string[]>> {
  const running: Running[] = [];
  // Beside the agent a flow has no positions to import.
  const beside = (text: string) => text.replace(/^ *importPositions: .*\n/m, '');
  for (const one of cases) running.push(...(await startFlows(side, one, beside)));
  const heard = await feedAll(side, cases);
  await stopFlows(running);
  return heard;
}

/** Runs what an agent becomes; `change` is what its user writes into the flows. */
async function startFlows(side: Side, one: Case, change = (text: string) => text): Promise<Running[]> {
  const out = migrated(one);
  const running: Running[] = [];
  for (const name of one.flows) {
    const file = join(out, `${name}.ts`);
    writeFileSync(file, change(readFileSync(file, 'utf8').replaceAll('http://127.0.0.1:9870', nameNode)));
    const metrics = `127.0.0.1:${await quietPort()}`;
    running.push({ ...runFlow(file, { ...side.env, TZ }, '--metrics', metrics), metrics });
  }
  started.push(...running);
  return running;
}

/** Drains them once they have read all. */
async function stopFlows(running: readonly Running[]): Promise<void> {
  await Promise.all(
    running.map(async (flow) => {
      await untilQuiet(flow);
      flow.child.kill('SIGTERM');
    }),
  );
  const codes = await Promise.all(running.map(({ ended }) => ended));
  for (const [at, code] of codes.entries()) {
    if (code !== 0) throw new Error(`flow ${at} ended with ${code}: ${running[at]?.output()}`);
  }
}

interface Running extends Command {
  readonly metrics: string;
}

const started: Running[] = [];

const AFTER = Array.from({ length: 10 }, (_, at) => `after ${at}`);
/** What the flow has to read where the agent has stopped, by the end of each line. */
const SWITCHED: Readonly<Record<string, readonly string[]>> = {
  kafka: AFTER,
  spooldir: ['after the switch'],
  taildir: ['no end', 'after the switch'],
};

/** Waits until a flow has read something, and nothing more for three seconds. */
async function untilQuiet({ metrics, child, output }: Running): Promise<void> {
  let [seen, since] = [0, Date.now()];
  const read = async () => {
    if (child.exitCode !== null) throw new Error(`a flow ended by itself: ${output()}`);
    const text = await fetch(`http://${metrics}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    const counts = [...text.matchAll(/^rxflume_source_records_total\{[^}]*\} (\d+)/gm)].map(([, count]) =>
      Number(count),
    );
    const sum = counts.reduce((one, other) => one + other, 0);
    if (sum !== seen) [seen, since] = [sum, Date.now()];
    return seen > 0 && Date.now() - since > 3_000;
  };
  await until(`the flow at ${metrics} to have read all`, read, 180_000, () => ({ seen, output: output() }));
}

async function feedAll(side: Side, cases: readonly Case[]): Promise<Map<string, readonly string[]>> {
  const each = await Promise.all(cases.map(async (one) => [one.name, await one.feed(side)] as const));
  return new Map(each);
}

async function produce(messages: readonly Message[]): Promise<void> {
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  await producer.send({ topic: `${run}-in`, messages: [...messages] });
  await producer.disconnect();
}

/** What the first has more often than the second. */
function without(some: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return some.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

const guide = readFileSync(`${repository}docs/guides/from-flume.md`, 'utf8');
const chosen = CASES.filter(({ name }) => (process.env.RXFLUME_COMPARE ?? name).split(',').includes(name));

describeFlume('a migrated agent does what Flume does', () => {
  const sides: Side[] = [];

  beforeAll(async () => {
    const [flume, rxflume] = await Promise.all(
      ['flume', 'rxflume'].map((name) => {
        mkdirSync(join(work, name));
        return Side.of(name, join(work, name), run);
      }),
    );
    if (flume === undefined || rxflume === undefined) throw new Error('two sides');
    sides.push(flume, rxflume);
    await createTopic(`${run}-in`, 2);
    for (const { env } of sides) {
      for (const topic of [env.CMP_CHANNEL_TOPIC, env.CMP_TOPIC_OUT, `${env.CMP_TOPIC_OUT}-2`])
        await createTopic(topic as string, 2);
    }
    await produce(KAFKA_RECORDS);
    const ran = await Promise.allSettled([runFlume(flume, chosen), runFlows(rxflume, chosen)]);
    const [heardOfFlume, heardOfFlows] = ran.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    for (const one of chosen) {
      const [ofFlume, ofFlows] = await Promise.all([one.outcome(flume), one.outcome(rxflume)]);
      found.set(one.name, {
        flume: [...(heardOfFlume?.get(one.name) ?? []), ...ofFlume],
        rxflume: [...(heardOfFlows?.get(one.name) ?? []), ...ofFlows],
      });
    }
    if (process.env.RXFLUME_COMPARE_KEEP !== undefined)
      writeFileSync(process.env.RXFLUME_COMPARE_KEEP, JSON.stringify([...found], null, 1));
  });

  afterAll(() => {
    for (const { child } of started) child.kill('SIGKILL');
    for (const side of sides) side.stop();
  });

  it.each(chosen.map((one) => [one.name, one] as const))('%s', (name, { differences = [] }) => {
    const { flume = [], rxflume = [] } = found.get(name) ?? {};
    expect(rxflume.length).toBeGreaterThan(0);
    for (const { row } of differences) expect(guide).toContain(`| **${row}** |`);
    expect({ flume: without(flume, rxflume).sort(), rxflume: without(rxflume, flume).sort() }).toEqual({
      flume: differences.flatMap((one) => one.flume).sort(),
      rxflume: differences.flatMap((one) => one.rxflume).sort(),
    });
  });

  // As docs/tutorial/from-flume.md says it: the agent has stopped, and what it read is written.
  it('the flow goes on where the agent stopped, and nothing is lost or doubled', async () => {
    const [flume] = sides;
    const switched = CASES.filter(({ name }) => Object.hasOwn(SWITCHED, name));
    if (flume === undefined || switched.some((one) => !chosen.includes(one))) return;
    await produce(AFTER.map((value, at) => ({ partition: at % 2, value, timestamp: '1700000000000' })));
    writeFileSync(join(flume.dir, 'spool/after.log'), '1700000000020 after the switch\n');
    appendFileSync(join(flume.dir, 'tail/app/app.log'), '\n1700000000020 after the switch\n');
    const running: Running[] = [];
    for (const one of switched) {
      // The folders are those of the agent's user.
      running.push(...(await startFlows(flume, one, (text) => text.replace("user: 'flume'", "user: 'hdfs'"))));
    }
    await stopFlows(running);
    for (const one of switched) {
      const before = found.get(one.name)?.flume ?? [];
      const now = await one.outcome(flume);
      expect(without(before, now)).toEqual([]);
      const added = without(now, before);
      const expected = SWITCHED[one.name] ?? [];
      expect(expected.map((text) => added.filter((line) => line.endsWith(text)).length)).toEqual(expected.map(() => 1));
      expect(added).toHaveLength(expected.length);
    }
  });
});
