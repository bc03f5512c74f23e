import { describe, expect, it } from '@jest/globals';
import { map, NEVER } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { AmqpPublisher } from '../../../src/ports/amqp-publisher.js';
import { amqpTimeOf } from '../../../src/ports/amqp-timestamp.js';
import { amqpSink } from '../../../src/sinks/amqp/amqp-sink.js';
import { keptProperties } from '../../../src/sinks/amqp/kept-properties.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

const thrown = (): never => {
  throw new Error('no');
};

/** What a callback answers for the value that is bad; good for all others. */
const BAD: Readonly<Record<string, Parameters<typeof amqpSink<string>>[1]>> = {
  'a routing key that throws': { routingKey: (value) => (value === 'bad' ? thrown() : 'q') },
  'a routing key of 256 bytes': { routingKey: (value) => (value === 'bad' ? 'x'.repeat(256) : 'q') },
  'a promise for a routing key': { routingKey: (value) => (value === 'bad' ? (Promise.resolve('q') as never) : 'q') },
  'an unpaired surrogate in the routing key': { routingKey: (value) => (value === 'bad' ? 'q\ud800' : 'q') },
  'content that throws': { routingKey: 'q', encode: (value) => (value === 'bad' ? thrown() : value) },
  'content that is none': { routingKey: 'q', encode: (value) => (value === 'bad' ? (7 as never) : value) },
  'properties that throw': { routingKey: 'q', properties: (value) => (value === 'bad' ? thrown() : {}) },
  'a promise for properties': {
    routingKey: 'q',
    properties: (v) => (v === 'bad' ? (Promise.resolve({}) as never) : {}),
  },
  'no properties': { routingKey: 'q', properties: (value) => (value === 'bad' ? (null as never) : {}) },
  'a property that AMQP has not': { routingKey: 'q', properties: (v) => (v === 'bad' ? ({ ttl: 5 } as never) : {}) },
  'a message id of 256 bytes': {
    routingKey: 'q',
    properties: (v) => (v === 'bad' ? { messageId: 'x'.repeat(256) } : {}),
  },
  'a time before 1970': { routingKey: 'q', properties: (value) => (value === 'bad' ? { timestamp: -7 } : {}) },
  'a time that is none': { routingKey: 'q', properties: (v) => (v === 'bad' ? { timestamp: Number.NaN } : {}) },
  'a mode by its number': { routingKey: 'q', properties: (v) => (v === 'bad' ? { deliveryMode: 2 as never } : {}) },
};

describe('amqpSink, given one message that cannot be sent', () => {
  it.each(Object.entries(BAD))('%s: that value alone is nacked, with a code', (_, options) =>
    inVirtualTime((at) => {
      const amqp = new MemoryAmqp();
      amqp.createQueue('q');
      const run = new SinkRun<string>(amqpSink<string>(amqp, { ...options, monitor: new Monitor() }).write());
      for (const name of ['a', 'b', 'bad', 'c', 'd']) run.put(name);
      at(100, () => {
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd']);
        expect(run.acker.nacks).toEqual(['bad']);
        expect(run.acker.causes.bad).toMatchObject({ code: expect.stringMatching(/^RXF_SINK_(FORMAT|WRITE)$/) });
        expect(amqp.ready('q')).toEqual(['a', 'b', 'c', 'd']);
        run.leave();
      });
    }),
  );

  it.each<[string, Partial<AmqpPublisher>]>([
    [
      'throws at a message',
      {
        publish: () => {
          throw new Error('driver');
        },
      },
    ],
    ['never closes', { close: () => NEVER }],
  ])('settles everything and ends where a driver %s', (_, change) =>
    inVirtualTime((at) => {
      const amqp = new MemoryAmqp();
      amqp.createQueue('q');
      const open = amqp.open.bind(amqp);
      amqp.open = (exchanges, listener) =>
        open(exchanges, listener).pipe(map((publisher) => Object.assign(publisher, change)));
      const options = { routingKey: 'q', confirmTimeoutMs: 500, monitor: new Monitor() };
      const run = new SinkRun<string>(amqpSink<string>(amqp, options).write());
      run.put('a');
      at(20, () => run.complete());
      at(700, () => {
        expect([run.acker.unsettled, run.ended]).toEqual([[], 'complete']);
        run.leave();
      });
    }),
  );

  it('takes what a Kafka topic may have: no time, a long name, null headers', () => {
    const stream = `kafka:${'t'.repeat(249)}/123`;
    const headers = { none: null, text: Buffer.from('x') };
    const kept = keptProperties({ stream, offset: 7, epoch: 1, byteLength: 1, timestamp: -1, headers });
    expect(kept).toEqual({ headers: { none: null, text: 'x' }, timestamp: undefined, messageId: undefined });
  });
});

describe('a timestamp of AMQP', () => {
  const ms = Date.UTC(2026, 10, 27, 1, 2, 3);
  it.each([
    [ms / 1_000, ms, undefined],
    [0, 0, undefined],
    [253_402_300_799, 253_402_300_799_000, undefined],
    [ms, ms, ms],
    [ms * 1_000 + 7, ms, ms * 1_000 + 7],
    [ms * 1_000_000, ms, ms * 1_000_000],
    [-1, undefined, -1],
    [2 ** 80, undefined, 2 ** 80],
    [Number.NaN, undefined, Number.NaN],
  ])('%d on the wire is %s', (wire, timestamp, wireTimestamp) =>
    expect(amqpTimeOf(wire)).toEqual({ timestamp, wireTimestamp }),
  );
});
