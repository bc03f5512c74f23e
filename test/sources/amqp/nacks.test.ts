import { describe, expect, it } from '@jest/globals';
import { inVirtualTime } from '../../support/virtual-time.js';
import { broker, busy, monitored, read, wrong } from './support.js';

describe('amqpSource, nacks', () => {
  it('gives a message back with growing waits, so often; then it stops, with the others settled', () => {
    const own = broker();
    own.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const { out, seen, ended, error } = read(own, {
        redeliver: { maxAttempts: 2, firstDelayMs: 100, maxDelayMs: 1_000 },
        drainTimeoutMs: 500,
      });
      const nack = (nth: number) => out.filter(({ value }) => value.toString() === 'a')[nth]?.nack(busy());
      at(10, () => nack(0));
      at(100, () => expect(seen).toEqual(['a', 'b']));
      at(120, () => {
        expect(seen).toEqual(['a', 'b', 'a*']);
        nack(1);
      });
      at(310, () => expect(seen).toHaveLength(3));
      at(330, () => {
        expect(seen).toHaveLength(4);
        nack(2);
        out[1]?.acker.flush$.subscribe(() => out[1]?.ack());
      });
      at(1_000, () => {
        expect([ended(), own.ready('q')]).toEqual(['RXF_SOURCE_NACKED', ['a']]);
        expect((error() as Error).message).toContain('amqp:q was nacked after 3 attempts: busy');
      });
    });
  });

  it('counts the nacks of each message by itself, and anew after an ack', () => {
    const own = broker();
    own.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const redeliver = { maxAttempts: 2, firstDelayMs: 10, maxDelayMs: 10 };
      const { out, ended } = read(own, { redeliver });
      let next = 0;
      // a is nacked twice and then acked, twice over; b always once.
      const seen: string[] = [];
      const take = () => {
        for (; next < out.length; next += 1) {
          const value = out[next]?.value.toString() as string;
          seen.push(value);
          const times = seen.filter((one) => one === value).length;
          if (times % 3 === 0) out[next]?.ack();
          else out[next]?.nack(busy());
        }
      };
      for (let time = 5; time < 400; time += 5) at(time, take);
      at(200, () => own.send('q', ['a', 'b']));
      at(400, () => expect([ended(), seen.length, own.ready('q'), own.unacked('q')]).toEqual(['', 12, [], 0]));
    });
  });

  it('stops at what is nacked for good, and the message is there at the next start', () => {
    const own = broker();
    own.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const { one, ended } = read(own);
      at(10, () => {
        one('a').nack(wrong());
        one('b').ack();
      });
      at(100, () => expect([ended(), own.ready('q')]).toEqual(['RXF_SOURCE_NACKED', ['a']]));
    });
  });

  it('dead-letters what is nacked for good, or too often, with `whenNacked`', () => {
    const own = broker('classic', { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' });
    own.createQueue('dead');
    own.send('q', ['a', 'b']);
    const { monitor, logEvents } = monitored();
    inVirtualTime((at) => {
      const redeliver = { maxAttempts: 1, firstDelayMs: 10, maxDelayMs: 10 };
      const { one, ended } = read(own, { whenNacked: 'deadLetter', redeliver, monitor });
      at(10, () => {
        one('a').nack(wrong());
        one('b').nack(busy());
      });
      at(50, () => one('b', 1).nack(busy()));
      at(100, () => {
        expect([own.ready('dead'), own.unacked('q'), ended()]).toEqual([['a', 'b'], 0, '']);
        expect(monitor.total('rxflume_source_dead_lettered_total')).toBe(2);
        expect(logEvents.filter((what) => what === 'RXF_SOURCE_NACKED')).toHaveLength(2);
      });
    });
  });

  it.each([
    ['as declared', { declare: { kind: 'quorum' as const, arguments: { 'x-delivery-limit': 2 } } }],
    ['as it is told', { deliveryLimit: 2 }],
  ])('does not give back what the broker would then take away: %s', (_, options) => {
    const own = broker('quorum', { 'x-delivery-limit': 2 });
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const { out, ended } = read(own, { ...options, redeliver: { firstDelayMs: 1, maxDelayMs: 1 } });
      for (const nth of [0, 1, 2]) at(20 * (nth + 1), () => out[nth]?.nack(busy()));
      at(200, () => {
        // Closing the channel counts too: the broker gives it up only now, and not while it was ours.
        expect(ended()).toBe('RXF_SOURCE_NACKED');
        expect(own.settlements.filter(({ how }) => how === 'requeue')).toHaveLength(2);
      });
    });
  });

  it('does not pass off as drained what was nacked and waits to go back', () => {
    const own = broker();
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const { one, ended, drain } = read(own);
      at(10, () => one('a').nack(busy()));
      at(20, () => drain());
      at(100, () => expect([ended(), own.ready('q')]).toEqual(['RXF_SOURCE_NACKED', ['a']]));
    });
  });
});
