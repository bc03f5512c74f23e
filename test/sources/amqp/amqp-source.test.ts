import { describe, expect, it } from '@jest/globals';
import { map, NEVER, Observable, Subject } from 'rxjs';
import { ConnectError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { type AmqpOrigin, isAmqpOrigin } from '../../../src/ports/amqp-consumer.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { broker, busy, monitored, read } from './support.js';

describe('amqpSource', () => {
  it('is as drawn: acks singly and together on the channel of the message, and gives back what is nacked', () => {
    const own = broker();
    own.send('q', ['a', 'b', 'c', 'd']);
    inVirtualTime((at) => {
      const { one, seen } = read(own, { prefetch: 4, ack: { count: 1 } });
      at(10, () => {
        expect(seen).toEqual(['a', 'b', 'c', 'd']);
        one('a').ack();
      });
      at(20, () => one('c').ack());
      at(30, () => one('b').ack());
      at(40, () => one('d').nack(busy()));
      at(2_000, () => {
        const reported = own.settlements.map(({ how, deliveryTag, isMultiple }) => [how, deliveryTag, isMultiple]);
        expect(reported).toEqual([
          ['ack', 1, false],
          ['ack', 3, false],
          ['ack', 2, false],
          ['requeue', 4, false],
        ]);
        expect(seen).toEqual(['a', 'b', 'c', 'd', 'd*']);
      });
    });
  });

  it('gathers acks by count and time, and says an unbroken run with one', () => {
    const own = broker();
    own.send(
      'q',
      Array.from({ length: 20 }, (_, n) => `v${n}`),
    );
    inVirtualTime((at) => {
      const { out } = read(own, { prefetch: 40 });
      at(10, () => {
        for (const delivery of [...out.slice(0, 5), out[7], out[6]]) delivery?.ack();
      });
      at(19, () => expect(own.settlements).toEqual([]));
      at(22, () => {
        const reported = own.settlements.map(({ deliveryTag, isMultiple }) => [deliveryTag, isMultiple]);
        expect(reported).toEqual([
          [5, true],
          [7, false],
          [8, false],
        ]);
        // A quarter of the prefetch.
        for (const delivery of out.slice(8, 18)) delivery.ack();
      });
      at(24, () => expect(own.unacked('q')).toBe(3));
    });
  });

  it('gives the origin: routing key, exchange, properties, headers as bytes, and offsets that rise', () => {
    const own = broker();
    own.createExchange('e', 'topic');
    own.bind('q', { exchange: 'e', routingKey: '#' });
    inVirtualTime((at) => {
      const { out } = read(own);
      at(5, () => {
        const headers = { text: 't', number: 7, list: ['a', 1], table: { deep: [{ n: 1n }] }, none: null };
        own.publish('e', 'eu.orders', 'v', { headers, timestamp: 1_700_000_000_000, messageId: 'm1' });
        own.publish('e', 'eu.orders', 'w');
      });
      at(10, () => {
        const origin = out[0]?.origin as AmqpOrigin;
        expect(isAmqpOrigin(origin)).toBe(true);
        expect(origin).toMatchObject({
          stream: 'amqp:q',
          queue: 'q',
          exchange: 'e',
          routingKey: 'eu.orders',
          epoch: 1,
        });
        expect([origin.byteLength, origin.timestamp, origin.properties.messageId]).toEqual([
          1,
          1_700_000_000_000,
          'm1',
        ]);
        expect(origin.key?.toString()).toBe('eu.orders');
        const texts = Object.entries(origin.headers ?? {}).map(([name, bytes]) => [
          name,
          Array.isArray(bytes) ? bytes.map(String) : bytes && String(bytes),
        ]);
        expect(texts).toEqual([
          ['text', 't'],
          ['number', '7'],
          ['list', ['a', '1']],
          ['table', '{"deep":[{"n":"1"}]}'],
          ['none', null],
        ]);
        expect((out[1]?.origin.offset as number) - origin.offset).toBe(1);
      });
    });
  });

  it('names the broker in the streams where `name` is given', () => {
    const own = broker();
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const { out } = read(own, { name: 'eu' });
      at(9, () => expect(out[0]?.origin.stream).toBe('amqp:eu/q'));
    });
  });

  it.each(['cut', 'closeChannels', 'cancelConsumers'] as const)(
    'comes back after %s: acks of before are stale, and all is redelivered',
    (fault) => {
      const own = broker();
      own.send('q', ['a', 'b']);
      const { monitor, logEvents } = monitored();
      inVirtualTime((at) => {
        const { one, seen, out, ended } = read(own, { monitor });
        let isOver = false;
        at(10, () => {
          out[0]?.acker.flush$.subscribe({ complete: () => (isOver = true) });
          own[fault]('q');
          one('a').ack();
          expect(isOver).toBe(true);
          expect(['joined', 'in_flight_records'].map((name) => monitor.total(`rxflume_source_${name}`))).toEqual([
            0, 0,
          ]);
        });
        at(150, () => {
          expect(seen).toEqual(['a', 'b', 'a*', 'b*']);
          expect([out[0]?.origin.epoch, out[2]?.origin.epoch]).toEqual([1, 2]);
          expect((out[2]?.origin.offset as number) - (out[1]?.origin.offset as number)).toBe(1);
          one('a').ack();
          one('b', 1).ack();
        });
        at(200, () => {
          expect(own.settlements.map(({ channel, contents }) => [channel, contents])).toEqual([[2, ['b']]]);
          expect([own.unacked('q'), ended(), monitor.total('rxflume_source_acked_total')]).toEqual([1, '', 1]);
          expect(logEvents.filter((what) => what.startsWith('RXF_AMQP_'))).toHaveLength(1);
        });
      });
    },
  );

  it('redelivers what was acked on a connection that was dead unnoticed', () => {
    const own = broker();
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const { one, seen } = read(own);
      at(10, () => {
        own.deafen();
        one('a').ack();
      });
      at(50, () => own.cut());
      at(300, () => expect(seen).toEqual(['a', 'a*']));
    });
  });

  it('waits for a queue that was deleted, with growing waits up to a bound; then it fails once', () => {
    const own = broker();
    inVirtualTime((at) => {
      const bound = read(own, { reconnect: { maxAttempts: 3 } });
      at(10, () => own.deleteQueue('q'));
      at(700, () => expect(bound.ended()).toBe(''));
      at(720, () => expect(bound.ended()).toBe('RXF_AMQP_MISSING'));
    });
    const again = broker();
    inVirtualTime((at) => {
      const { seen } = read(again, { reconnect: { maxAttempts: 3 } });
      at(10, () => again.deleteQueue('q'));
      at(400, () => {
        again.createQueue('q');
        again.send('q', ['a']);
      });
      at(1_000, () => expect(seen).toEqual(['a']));
    });
  });

  it('declares the queue anew where `declare` is given', () => {
    const own = broker();
    inVirtualTime((at) => {
      read(own, { declare: { kind: 'classic' } });
      at(10, () => own.deleteQueue('q'));
      at(500, () => expect(own.consumers('q')).toBe(1));
    });
  });

  it('counts failures in a row: a channel that settled something, or was open for long, begins anew', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { ended } = read(own, { reconnect: { maxAttempts: 2 } });
      for (const time of [2_000, 4_000, 6_000, 8_000]) at(time, () => own.cut());
      at(10_000, () => expect(ended()).toBe(''));
    });
    const short = broker();
    inVirtualTime((at) => {
      const { ended } = read(short, { reconnect: { maxAttempts: 2 } });
      for (const time of [10, 200, 500]) at(time, () => short.cut());
      at(600, () => expect(ended()).toBe('RXF_AMQP_LOST'));
    });
  });

  it.each([
    ['RXF_AMQP_UNREACHABLE', new ConnectError('RXF_AMQP_UNREACHABLE', 'down')],
    ['RXF_AMQP_AUTH', new ConnectError('RXF_AMQP_AUTH', 'no right')],
  ])('fails at once with %s at the first connect', (code, error) => {
    const own = broker();
    own.connectErrors.push(error);
    inVirtualTime((at) => {
      const { ended } = read(own);
      at(10, () => expect(ended()).toBe(code));
    });
  });

  it('fails at once where what cannot pass is found later', () => {
    const own = broker();
    inVirtualTime((at) => {
      const { ended } = read(own);
      at(10, () => {
        own.connectErrors.push(new ConnectError('RXF_AMQP_AUTH', 'no right any more'));
        own.cut();
      });
      at(200, () => expect(ended()).toBe('RXF_AMQP_AUTH'));
    });
  });

  it('reads several queues: one that fails does not stop the others while it is tried again', () => {
    const own = broker('classic', {}, ['q', 'r']);
    inVirtualTime((at) => {
      const { seen, ended } = read(own, { queues: ['q', 'r'] });
      at(10, () => {
        own.deleteQueue('r');
        own.send('q', ['a']);
      });
      at(300, () => expect([seen, ended()]).toEqual([['a'], '']));
      at(310, () => {
        own.createQueue('r');
        own.send('r', ['b']);
      });
      at(1_500, () => expect(seen).toEqual(['a', 'b']));
    });
  });

  it('says where a stream is read as a queue, and loses nothing', () => {
    const own = new MemoryAmqp();
    own.createQueue('q', 'stream');
    inVirtualTime((at) => {
      const { ended, seen } = read(own);
      at(5, () => own.send('q', ['a']));
      at(10, () => expect([ended(), seen]).toEqual(['RXF_AMQP_MISMATCH', []]));
    });
  });
});

describe('amqpSource, its ways out', () => {
  it('drains: takes no more, asks to settle, acks, closes, completes', () => {
    const own = broker();
    own.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const { out, ended, drain, seen } = read(own);
      const flushListeners: string[] = [];
      at(10, () => {
        out[0]?.acker.flush$.subscribe((signal) => flushListeners.push(signal));
        // One is on its way, and goes back when the channel is closed.
        own.send('q', ['c']);
        drain();
      });
      at(50, () => {
        expect([flushListeners, ended()]).toEqual([['settle'], '']);
        for (const delivery of out) delivery.ack();
      });
      at(60, () => {
        expect([ended(), seen, own.ready('q'), own.consumers('q')]).toEqual(['complete', ['a', 'b'], ['c'], 0]);
      });
    });
  });

  it('ends a drain in time where nobody settles, or the broker does not answer', () => {
    const own = broker();
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const { ended, drain } = read(own, { drainTimeoutMs: 500 });
      at(10, () => drain());
      at(600, () => expect([ended(), own.ready('q')]).toEqual(['RXF_SOURCE_DRAIN_TIMEOUT', ['a']]));
    });
  });

  it.each(['at once', 'while it connects', 'while it waits to connect again', 'when its channel is lost meanwhile'])(
    'drains %s',
    (when) => {
      const own = broker();
      own.send('q', ['a']);
      inVirtualTime((at) => {
        const { ended, drain } = read(own, { reconnect: { firstDelayMs: 1_000, maxAttempts: 3 } });
        if (when === 'at once') drain();
        if (when === 'while it connects') at(0, drain);
        if (when === 'while it waits to connect again') at(10, () => own.cut());
        if (when === 'while it waits to connect again') at(20, drain);
        if (when === 'when its channel is lost meanwhile') at(10, drain);
        if (when === 'when its channel is lost meanwhile') at(20, () => own.cut());
        // What was out can no longer be settled, and is redelivered: that is no success.
        const hasLost = when === 'when its channel is lost meanwhile';
        const end = hasLost ? 'RXF_SOURCE_DRAIN_LOST' : 'complete';
        at(30, () => expect([ended(), own.ready('q')]).toEqual([end, ['a']]));
      });
    },
  );

  it('ends with the error of a stop signal that fails, and tells no one else', () => {
    const own = broker();
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const stop$ = new Subject<void>();
      let ended: unknown;
      const source = amqpSource(own, { queues: ['q'], monitor: new Monitor() }).drainedBy(stop$);
      source.subscribe({
        error: (error: unknown) => {
          ended = error;
        },
      });
      const cause = new Error('no signal');
      at(10, () => stop$.error(cause));
      at(20, () => expect([ended, own.ready('q')]).toEqual([cause, ['a']]));
    });
  });

  it('ends a drain in time where a consumer never says that it is closed', () => {
    const own = broker();
    const consume = own.consume.bind(own);
    own.consume = (consumption, listener) =>
      consume(consumption, listener).pipe(map((consumer) => Object.assign(consumer, { close: () => NEVER })));
    inVirtualTime((at) => {
      const { ended, drain } = read(own, { drainTimeoutMs: 500 });
      at(10, () => drain());
      at(520, () => expect(ended()).toBe('complete'));
    });
  });

  it('drains where a driver brings messages and then never says that it is open', () => {
    const stuck = new MemoryAmqp();
    stuck.consume = (_, { message }) =>
      new Observable(() => {
        const content = Buffer.from('a');
        message({ deliveryTag: 1, isRedelivered: false, exchange: '', routingKey: 'q', properties: {}, content });
      });
    inVirtualTime((at) => {
      const { ended, drain, seen } = read(stuck);
      at(10, () => drain());
      at(20, () => expect([seen, ended()]).toEqual([['a'], 'RXF_SOURCE_DRAIN_LOST']));
    });
  });

  it('is silent once it is left: what was out is stale and is redelivered', () => {
    const own = broker();
    own.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const { one, running, out } = read(own);
      let isOver = false;
      at(10, () => {
        out[0]?.acker.flush$.subscribe({ complete: () => (isOver = true) });
        one('a').ack();
        running.unsubscribe();
        one('b').ack();
        one('b').nack(busy());
      });
      at(5_000, () => expect([isOver, own.ready('q'), own.settlements]).toEqual([true, ['a', 'b'], []]));
    });
  });
});

describe('amqpSource, its options', () => {
  const own = new MemoryAmqp();
  it.each<[string, unknown, string]>([
    ['no queue', { queues: [] }, '`queues` to be names of queues'],
    ['one queue twice', { queues: ['q', 'q'] }, '`queues` to be names that differ'],
    ['a prefetch of none', { prefetch: 0 }, '`prefetch` to be a whole number from 1 to 65535'],
    ['an unknown one', { prefech: 1 }, 'got `prefech`'],
    ['a stream', { declare: { kind: 'stream' } }, "`declare.kind` to be one of 'classic', 'quorum'"],
    ['an offset', { consumerArguments: { 'x-stream-offset': 1 } }, 'without `x-stream-offset`'],
    ['another fate', { whenNacked: 'drop' }, "`whenNacked` to be one of 'stop', 'deadLetter'"],
  ])('rejects %s', (_, options, message) => {
    expect(() => amqpSource(own, { queues: ['q'], ...(options as object) })).toThrow(message);
  });

  it('says of itself that it cannot be read again, and from where it reads', () => {
    const { traits } = amqpSource(own, { queues: ['q'] });
    expect(traits).toMatchObject({ name: 'amqpSource', isReplayable: false });
    expect(traits?.reads).toEqual([{ kind: 'RabbitMQ queue', addresses: own.addresses, names: ['q'] }]);
  });
});
