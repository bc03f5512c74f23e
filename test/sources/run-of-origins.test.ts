import { describe, expect, it } from '@jest/globals';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery, Origin } from '../../src/delivery/delivery.js';
import { joinDeliveries } from '../../src/delivery/join.js';
import { splitDelivery } from '../../src/delivery/split.js';
import { keptProperties } from '../../src/sinks/amqp/kept-properties.js';
import { batchId } from '../../src/sinks/http/batch-id.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../src/sources/amqp/amqp-stream-source.js';
import { flumeSource } from '../../src/sources/flume/flume-source.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** What two subscriptions give that begin in the same microsecond, each four messages that are not the other's. */
function bothOf(start: (name: string, out: Delivery<unknown>[]) => { unsubscribe(): void }): Delivery<unknown>[][] {
  const both: Delivery<unknown>[][] = [[], []];
  inVirtualTime((at) => {
    const running = both.map((out, nth) => start(`${nth}`, out));
    at(100, () => {
      for (const one of running) one.unsubscribe();
    });
  });
  return both;
}

const values = (name: string) => [0, 1, 2, 3].map((n) => `${name}-${n}`);

function queue(name: string, out: Delivery<unknown>[]) {
  const broker = new MemoryAmqp();
  broker.createQueue('q');
  broker.send('q', values(name));
  return amqpSource(broker, { queues: ['q'], monitor: new Monitor() }).subscribe((delivery) => out.push(delivery));
}

function agent(name: string, out: Delivery<unknown>[]) {
  const flume = new MemoryFlume();
  const running = flumeSource(flume.server(), { name: 'f', monitor: new Monitor() }).subscribe((delivery) =>
    out.push(delivery),
  );
  const events = values(name).map((value) => ({ headers: {}, body: Buffer.from(value) }));
  const client = flume.connect(0).subscribe((connection) => connection.append(events).subscribe({ error: () => {} }));
  return {
    unsubscribe: () => {
      client.unsubscribe();
      running.unsubscribe();
    },
  };
}

/** Every name that a sink gives to what these deliveries hold, alone, split, joined and together. */
function namesOf(deliveries: readonly Delivery<unknown>[]): string[] {
  const [a, b, c, d] = deliveries as [Delivery<unknown>, Delivery<unknown>, Delivery<unknown>, Delivery<unknown>];
  const joined = [
    [a, b],
    [a, c],
    [a, b, d],
  ].map((parts) => joinDeliveries(parts).origin);
  const parts = splitDelivery(d, ['x', 'y']).map(({ origin }) => origin);
  const alone = [...deliveries.map(({ origin }) => origin), ...joined, ...parts];
  const together: Origin[][] = [[a, b].map(({ origin }) => origin), [b, d].map(({ origin }) => origin), parts];
  const id = (origins: readonly Origin[]) => batchId(a.origin.stream, origins);
  return [
    ...alone.map((origin) => `key ${id([origin])}`),
    ...together.map((origins) => `key ${id(origins)}`),
    ...alone.map((origin) => `id ${keptProperties(origin).messageId}`),
  ];
}

describe.each([
  ['a queue of RabbitMQ', queue],
  ['a Flume server', agent],
])('the origins of %s, whose offsets the source counts', (_, start) => {
  it('give no name twice for different values of two subscriptions that began at the same moment', () => {
    const [first, second] = bothOf(start) as [Delivery<unknown>[], Delivery<unknown>[]];
    expect([first.length, second.length]).toEqual([4, 4]);
    // That is the trap.
    expect(first.map(({ origin }) => origin.offset)).toEqual(second.map(({ origin }) => origin.offset));
    const other = new Set(namesOf(second));
    // What is joined from the range and what is sent as the range are the same values, so only names of one kind count.
    expect(namesOf(first).filter((name) => other.has(name))).toEqual([]);
  });

  it('give a value of one subscription the same name each time, and values together a range', () => {
    const [first] = bothOf(start) as [Delivery<unknown>[]];
    expect(namesOf(first)).toEqual(namesOf(first));
    const origins = first.map(({ origin }) => origin);
    const { stream, offset, run } = origins[0] as Origin;
    expect(run).toMatch(/^\w{8}$/);
    expect(batchId(stream, origins)).toBe(`${stream}+${offset}@${run}-${offset + 3}@${run}`);
  });
});

it('values of two subscriptions that come together are no range', () => {
  const [[a], [, b]] = bothOf(queue) as [[Delivery<unknown>], [Delivery<unknown>, Delivery<unknown>]];
  expect(batchId('amqp:q', [a.origin, b.origin])).toContain('~');
  expect(joinDeliveries([a, b]).origin.digest).toBeDefined();
});

it('a stream, whose offsets are the broker’s, has no run: the same name for every reader', () => {
  const [first, second] = bothOf((_, out) => {
    const broker = new MemoryAmqp();
    broker.createQueue('s', 'stream');
    broker.send('s', values('same'));
    return amqpStreamSource(broker, { queues: ['s'], monitor: new Monitor() }).subscribe((delivery) =>
      out.push(delivery),
    );
  }) as [Delivery<unknown>[], Delivery<unknown>[]];
  expect(namesOf(first)).toEqual(namesOf(second));
});
