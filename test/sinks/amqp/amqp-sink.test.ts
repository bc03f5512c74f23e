import { describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { ConnectError, type RxflumeError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { flow } from '../../../src/flow/flow.js';
import { type AmqpSink, amqpSink } from '../../../src/sinks/amqp/amqp-sink.js';
import { keptProperties } from '../../../src/sinks/amqp/kept-properties.js';
import type { AmqpSinkOptions } from '../../../src/sinks/amqp/options.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { MemoryAmqp } from '../../../src/testing/index.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

function broker(queues: readonly string[] = ['q']) {
  const own = new MemoryAmqp();
  for (const queue of queues) own.createQueue(queue);
  return own;
}

type Options = AmqpSinkOptions<string>;

const sinkTo = (own: MemoryAmqp, options: Partial<Options> = {}): AmqpSink<string> =>
  amqpSink<string>(own, {
    routingKey: 'q',
    monitor: new Monitor(),
    ...options,
    reconnect: { firstDelayMs: 100, maxDelayMs: 1_000, jitter: 0, ...options.reconnect },
  });

const feed = (sink: AmqpSink<string>) => new SinkRun(sink.write(), 'kafka:t/0');

describe('amqpSink', () => {
  it('is as drawn: acks what is confirmed, nacks what is returned, and what is not confirmed when the channel ends', () => {
    const own = broker();
    inVirtualTime((at) => {
      const run = feed(sinkTo(own));
      const { send, acker, receipts, codes, complete } = run;
      at(5, () => {
        own.answers.push('confirmed', 'unroutable', 'confirmed', 'silence');
        send('a', 'b', 'c', 'd');
      });
      at(20, () => {
        expect([acker.acks, acker.nacks]).toEqual([['a', 'c'], ['b']]);
        own.cut();
        complete();
      });
      at(30, () => {
        expect(codes()).toEqual(['b RXF_AMQP_UNROUTABLE', 'd RXF_AMQP_UNCONFIRMED']);
        const receipt = { sink: 'amqp', target: 'q', values: 2, bytes: 2, stream: 'kafka:t/0' };
        expect(receipts).toEqual([{ ...receipt, firstOffset: 0, lastOffset: 2 }]);
        expect(run.ended).toBe('complete');
      });
    });
  });

  it('publishes in order of arrival, persistent, with the properties of the origin', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send } = feed(sinkTo(own));
      // Before there is a channel, and after.
      send('a', 'b');
      at(5, () => send('c'));
      at(20, () => {
        expect(own.ready('q')).toEqual(['a', 'b', 'c']);
        expect(own.published[1]).toMatchObject({
          exchange: '',
          routingKey: 'q',
          properties: { deliveryMode: 'persistent', messageId: 'kafka:t/0@1' },
        });
      });
    });
  });

  it('routes, maps and describes each value as its options say', () => {
    const own = broker();
    own.createExchange('e', 'topic');
    own.bind('q', { exchange: 'e', routingKey: 'eu.*' });
    inVirtualTime((at) => {
      const sink = sinkTo(own, {
        exchange: 'e',
        routingKey: (value, { origin }) => `eu.${value}${origin.offset}`,
        encode: (value) => Buffer.from(value.toUpperCase()),
        properties: (_, { origin }) => ({
          ...keptProperties(origin),
          contentType: 'text/plain',
          deliveryMode: 'transient',
        }),
      });
      const { send, receipts } = feed(sink);
      at(5, () => send('a'));
      at(20, () => {
        expect(own.ready('q')).toEqual(['A']);
        expect(own.published[0]).toMatchObject({
          routingKey: 'eu.a0',
          properties: { contentType: 'text/plain', deliveryMode: 'transient' },
        });
        expect(receipts[0]?.target).toBe('e');
      });
    });
  });

  it('has at most so much in flight, by count and bytes', () => {
    const own = broker();
    inVirtualTime((at) => {
      const byCount = feed(sinkTo(own, { maxInFlight: 2 }));
      const byBytes = feed(sinkTo(own, { maxInFlightBytes: 5 }));
      at(5, () => {
        own.answers.push(...Array.from({ length: 9 }, () => 'silence' as const));
        byCount.send('a', 'b', 'c');
        byBytes.send('large', 'x');
      });
      at(50, () => expect(own.published.map(({ content }) => content.toString())).toEqual(['a', 'b', 'large']));
    });
  });

  it('publishes nothing while the broker blocks, and goes on after it; blocking is no silence', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, acker, leave } = feed(sinkTo(own, { confirmTimeoutMs: 100 }));
      at(5, () => {
        send('a');
        own.block();
        send('b');
      });
      at(1_000, () => {
        expect([own.published, acker.log]).toEqual([[], []]);
        own.unblock();
      });
      at(1_050, () => {
        expect(acker.acks).toEqual(['a', 'b']);
        leave();
      });
    });
  });

  it('gives a channel up on which nothing is confirmed, and takes another', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, acker, codes } = feed(sinkTo(own, { confirmTimeoutMs: 100, maxInFlight: 1 }));
      at(5, () => {
        own.answers.push('silence');
        send('a');
      });
      at(250, () => {
        expect(codes()).toEqual(['a RXF_AMQP_UNCONFIRMED']);
        send('b');
      });
      at(500, () => {
        expect(acker.acks).toEqual(['b']);
        own.answers.push('silence', 'silence');
        send('c', 'd');
      });
      at(550, () => expect(own.published).toHaveLength(3));
    });
  });

  it('waits for a broker that is away, so often; then what waits is nacked, and it goes on trying', () => {
    const own = broker();
    own.isDown = true;
    inVirtualTime((at) => {
      const { send, acker, codes } = feed(sinkTo(own, { reconnect: { maxAttempts: 3 } }));
      send('a');
      at(250, () => expect(acker.log).toEqual([]));
      at(400, () => expect(codes()).toEqual(['a RXF_AMQP_UNREACHABLE']));
      at(500, () => {
        own.isDown = false;
        send('b');
      });
      at(2_000, () => expect(acker.acks).toEqual(['b']));
    });
  });

  it('nacks at once, for good, where a broker cannot be used: no right, no exchange', () => {
    const own = broker();
    own.connectErrors.push(new ConnectError('RXF_AMQP_AUTH', 'wrong password'));
    inVirtualTime((at) => {
      const [first, second] = [feed(sinkTo(own)), feed(sinkTo(own, { exchange: 'none' }))];
      first.send('a');
      second.send('b');
      at(10, () => {
        expect([first.codes(), second.codes()]).toEqual([['a RXF_AMQP_AUTH'], ['b RXF_AMQP_MISSING']]);
        first.leave();
        second.leave();
      });
    });
  });

  it.each<[string, Partial<AmqpSinkOptions<never>>, unknown, string]>([
    ['what is no bytes', {}, { n: 1 }, 'must be bytes or a text, got Object. Give `encode`'],
    ['an unpaired surrogate', { encode: () => 'a\ud800' }, 'a', 'an unpaired surrogate'],
    ['a key that is too long', { routingKey: () => 'k'.repeat(256) }, 'a', 'a text of at most 255 bytes'],
    ['a key that is none', { routingKey: () => undefined as never }, 'a', 'got undefined'],
  ])('nacks %s alone', (_, options, value, message) => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, acker } = feed(sinkTo(own, { routingKey: 'q', ...options } as Partial<Options>));
      at(5, () => {
        send(value as string);
      });
      at(20, () => {
        const [cause] = Object.values(acker.causes) as RxflumeError[];
        expect([cause?.code, cause?.retryable]).toEqual(['RXF_SINK_FORMAT', false]);
        expect(cause?.message).toContain(message);
        expect(own.published).toEqual([]);
      });
    });
  });

  it('nacks what a function of the user throws at, with its origin', () => {
    const own = broker();
    inVirtualTime((at) => {
      const routingKey = () => {
        throw new TypeError('no such field');
      };
      const { send, acker } = feed(sinkTo(own, { routingKey }));
      at(5, () => send('a'));
      at(20, () => {
        const cause = acker.causes.a as RxflumeError;
        expect([cause.code, cause.retryable]).toEqual(['RXF_SINK_FORMAT', false]);
        expect(cause.message).toContain('The routingKey of amqpSink threw for kafka:t/0 offset 0: no such field');
      });
    });
  });

  it('drops what waits of a stream that is read anew, so that it is not there twice', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, acker } = feed(sinkTo(own));
      send('a');
      acker.flush$.complete();
      at(20, () => expect([own.published, acker.nacks]).toEqual([[], ['a']]));
    });
  });

  it('counts failures in a row: a confirm begins anew', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, acker } = feed(sinkTo(own, { reconnect: { maxAttempts: 2, maxDelayMs: 60_000 } }));
      for (const time of [500, 1_000, 1_500]) {
        at(time, () => {
          own.block();
          send(`v${time}`);
          own.cut();
          own.unblock();
        });
      }
      at(3_000, () => expect([acker.acks, acker.nacks]).toEqual([['v500', 'v1000', 'v1500'], []]));
    });
  });

  it('acks at once when much is confirmed', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, receipts } = feed(sinkTo(own));
      at(5, () => send(...Array.from({ length: 600 }, (_, n) => `v${n}`)));
      at(8, () => expect(receipts.map(({ values }) => values)).toEqual([500]));
      at(30, () => expect(receipts.map(({ values }) => values)).toEqual([500, 100]));
    });
  });

  it('gathers confirms into one ack and one receipt, and tells at once what a source asks for', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { send, acker, receipts } = feed(sinkTo(own));
      at(5, () => send('a', 'b', 'c'));
      at(8, () => {
        expect(acker.acks).toEqual([]);
        acker.flush$.next('settle');
        expect(acker.acks).toEqual(['a', 'b', 'c']);
      });
      at(30, () => expect(receipts.map(({ values }) => values)).toEqual([3]));
    });
  });
});

describe('amqpSink, from and to the same', () => {
  const monitor = new Monitor();

  it('is an error at the call where the queue is known', () => {
    const own = broker();
    const source = amqpSource(own, { queues: ['q'], monitor });
    const loop = expect.objectContaining({ code: 'RXF_FLOW_LOOP' });
    expect(() => flow('loop', source, amqpSink<Buffer>(own, { routingKey: 'q' }).write())).toThrow(loop);
    expect(flow('other', source, amqpSink<Buffer>(own, { routingKey: 'r' }).write()).name).toBe('other');
    expect(flow('elsewhere', source, amqpSink<Buffer>(broker(), { routingKey: 'q' }).write()).name).toBe('elsewhere');
  });

  it('nacks the value that would go round, where the value decides', () => {
    const own = broker(['q', 'r']);
    own.send('q', ['r', 'q']);
    const options = { routingKey: (value: Buffer) => value.toString(), monitor };
    const errors: unknown[] = [];
    inVirtualTime((at) => {
      const running = flow('loop', amqpSource(own, { queues: ['q'], monitor }), amqpSink(own, options).write());
      const subscription = running.subscribe({ error: (error: unknown) => errors.push(error) });
      at(100, () => {
        expect([own.ready('r'), own.ready('q')]).toEqual([['r'], ['q']]);
        expect(errors).toEqual([expect.objectContaining({ code: 'RXF_SOURCE_NACKED' })]);
        expect((errors[0] as Error).message).toContain('which the flow reads from');
        subscription.unsubscribe();
      });
    });
  });
});

describe('keptProperties', () => {
  const origin = { stream: 'kafka:t/0', offset: 7, epoch: 1, byteLength: 1 };

  it('keeps headers and time of any origin, text as text, null as null', () => {
    const headers = {
      none: null,
      text: Buffer.from('é'),
      raw: Buffer.from([0xff, 0xfe]),
      both: [Buffer.from('a'), null],
    };
    expect(keptProperties({ ...origin, timestamp: 5, headers })).toEqual({
      headers: { none: null, text: 'é', raw: Buffer.from([0xff, 0xfe]), both: ['a', null] },
      timestamp: 5,
      messageId: 'kafka:t/0@7',
    });
  });

  it('keeps the properties of a message, without what held only where it was', () => {
    const headers = {
      own: 1,
      'x-mine': 2,
      'x-death': [],
      'x-first-death-queue': 'q',
      'x-delivery-count': 3,
      'x-stream-offset': 4,
    };
    const properties = {
      headers,
      userId: 'u',
      expirationMs: 5,
      deliveryMode: 'transient',
      contentType: 'c',
      messageId: 'm',
    };
    const amqp = {
      ...origin,
      stream: 'amqp:q',
      queue: 'q',
      exchange: '',
      routingKey: 'q',
      properties,
      isRedelivered: false,
    };
    expect(keptProperties(amqp as never)).toEqual({
      headers: { own: 1, 'x-mine': 2 },
      contentType: 'c',
      messageId: 'm',
    });
  });
});

describe('amqpSink, its options', () => {
  it.each<[string, object, string]>([
    ['no key', {}, '`routingKey` to be a function'],
    ['no queue', { routingKey: '' }, '`routingKey` to be a queue'],
    ['none in flight', { routingKey: 'q', maxInFlight: 0 }, '`maxInFlight` to be a whole number'],
    ['an unknown one', { routingKey: 'q', mandatory: true }, 'got `mandatory`'],
  ])('rejects %s', (_, options, message) => {
    expect(() => amqpSink(new MemoryAmqp(), options as never)).toThrow(message);
  });

  it('connects to nothing before it is subscribed to', () => {
    const own = broker();
    const sink = sinkTo(own).write();
    expect(sink(NEVER)).toBeDefined();
    expect(own.published).toEqual([]);
  });
});
