import { describe, expect, it } from '@jest/globals';
import { type Observable, of, throwError } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { AmqpConsumerDriver } from '../../../src/ports/amqp-consumer.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../../src/sources/amqp/amqp-stream-source.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { broker, busy, read as readQueue, run } from './support.js';

function readings() {
  const monitor = new Monitor();
  const read = (name: string) =>
    monitor
      .samples()
      .filter((sample) => sample.name === `rxflume_source_${name}`)
      .map(({ value }) => value);
  return { monitor, read };
}

describe('the gauges of a queue', () => {
  it('show what is out, how old it is, and what is ready', () =>
    inVirtualTime((at) => {
      const own = broker();
      const { monitor, read } = readings();
      let seen: ReturnType<typeof readQueue>;
      at(70_000, () => {
        own.send('q', ['a'], { timestamp: 10_000 });
        own.send('q', ['b', 'c', 'd']);
        seen = readQueue(own, { monitor, prefetch: 2 });
      });
      at(70_100, () => {
        expect([read('in_flight_records'), read('in_flight_bytes')]).toEqual([[2], [2]]);
        expect(read('oldest_unsettled_timestamp_seconds')).toEqual([10]);
      });
      at(70_200, () => {
        expect(read('backlog_records')).toEqual([2]);
        expect([read('joined'), read('emitted_records_total')]).toEqual([[1], [2]]);
        // b has no time of its own, so it has that of its arrival.
        seen.one('b').ack();
        expect(read('oldest_unsettled_timestamp_seconds')).toEqual([10]);
        seen.one('a').ack();
      });
      at(71_000, () => {
        expect(read('released_records_total')).toEqual([2]);
        expect(read('oldest_unsettled_timestamp_seconds')[0]).toBeCloseTo(70.2, 1);
        const ages = monitor.samples().find(({ name }) => name === 'rxflume_source_age_seconds')?.histogram;
        expect([ages?.count, Math.round(ages?.sum ?? 0)]).toEqual([2, 120]);
        seen.running.unsubscribe();
        expect([read('joined'), read('in_flight_records'), read('backlog_records')]).toEqual([[], [], []]);
      });
    }));

  it('count the seconds without progress while the prefetch is full, or messages are ready; redelivery is none', () =>
    inVirtualTime((at) => {
      const own = broker();
      own.send('q', ['a', 'b', 'c']);
      const { monitor, read } = readings();
      const seen = readQueue(own, { monitor, prefetch: 2 });
      at(100, () => expect(read('no_progress_seconds')).toEqual([0]));
      at(20_000, () => own.cut());
      at(30_100, () => {
        expect(seen.seen).toEqual(['a', 'b', 'a*', 'b*']);
        expect(read('no_progress_seconds')).toEqual([30]);
        expect(read('window_closed_seconds_total')[0]).toBeGreaterThan(29);
        seen.one('a', 1).ack();
      });
      at(30_200, () => expect(read('no_progress_seconds')).toEqual([0]));
      at(30_300, () => {
        for (const value of ['b', 'c'])
          seen.out
            .filter((one) => String(one.value) === value)
            .at(-1)
            ?.ack();
      });
      at(40_000, () => read('backlog_records'));
      at(90_000, () => {
        expect([read('backlog_records'), read('no_progress_seconds')]).toEqual([[0], [0]]);
        seen.running.unsubscribe();
      });
    }));

  it('take a consumer that waits to become the single active one for no stall', () =>
    inVirtualTime((at) => {
      const own = broker();
      const { monitor, read } = readings();
      // It has messages, and gives this consumer none.
      const driver: AmqpConsumerDriver = { name: 'sac', consume: own.consume.bind(own), countReady: () => of(5) };
      const seen = run(amqpSource(driver, { queues: ['q'], monitor }));
      at(100, () => read('backlog_records'));
      at(60_000, () => {
        expect([read('backlog_records'), read('no_progress_seconds')]).toEqual([[5], [0]]);
        seen.running.unsubscribe();
      });
    }));

  it('leave out a backlog that the broker does not tell, and one of before a reconnect', () =>
    inVirtualTime((at) => {
      const own = broker();
      const { monitor, read } = readings();
      let answer: Observable<number> = of(5);
      const driver: AmqpConsumerDriver = { name: 'x', consume: own.consume.bind(own), countReady: () => answer };
      const seen = run(amqpSource(driver, { queues: ['q'], monitor, reconnect: { firstDelayMs: 1_000, jitter: 0 } }));
      at(100, () => expect([read('backlog_records')]).toEqual([[5]]));
      at(10_000, () => {
        answer = throwError(() => new Error('no right'));
        expect(read('backlog_records')).toEqual([]);
        answer = of(7);
      });
      at(20_000, () => {
        expect(read('backlog_records')).toEqual([7]);
        own.cut();
        expect([read('backlog_records'), read('joined')]).toEqual([[], [0]]);
        seen.running.unsubscribe();
      });
    }));

  it('ask the broker at most every five seconds, and only where somebody reads', () =>
    inVirtualTime((at) => {
      const own = broker();
      const { monitor, read } = readings();
      let asked = 0;
      const countReady = () => {
        asked += 1;
        return of(0);
      };
      const driver: AmqpConsumerDriver = { name: 'x', consume: own.consume.bind(own), countReady };
      const seen = run(amqpSource(driver, { queues: ['q'], monitor }));
      at(10_000, () => {
        expect(asked).toBe(0);
        for (let scrapes = 0; scrapes < 10; scrapes += 1) read('joined');
        expect(asked).toBe(1);
      });
      at(14_999, () => read('joined'));
      at(15_001, () => {
        expect(asked).toBe(1);
        read('joined');
        expect(asked).toBe(2);
        seen.running.unsubscribe();
      });
    }));

  it('keep the age of what was out over a reconnect, until the channel is there again', () =>
    inVirtualTime((at) => {
      const own = broker();
      const { monitor, read } = readings();
      let seen: ReturnType<typeof readQueue>;
      at(70_000, () => {
        own.send('q', ['a'], { timestamp: 10_000 });
        seen = readQueue(own, { monitor });
      });
      at(70_100, () => {
        own.isDown = true;
        own.cut();
        expect(read('oldest_unsettled_timestamp_seconds')).toEqual([10]);
      });
      at(70_500, () => {
        expect(read('oldest_unsettled_timestamp_seconds')).toEqual([10]);
        own.isDown = false;
      });
      at(75_000, () => {
        seen.one('a', 1).ack();
        expect(read('oldest_unsettled_timestamp_seconds')).toEqual([]);
        seen.running.unsubscribe();
      });
    }));
});

describe('the gauges of a stream', () => {
  it('show offsets, the backlog and the age', () =>
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('s', 'stream');
      own.send('s', ['a', 'b', 'c', 'd', 'e']);
      own.trim('s', 1);
      const { monitor, read } = readings();
      const seen = run(amqpStreamSource(own, { queues: ['s'], monitor, prefetch: 2, startAt: 'first' }));
      at(100, () => read('backlog_records'));
      at(200, () => {
        expect([read('read_offset'), read('log_end_offset'), read('backlog_records')]).toEqual([[3], [5], [2]]);
        expect(read('in_flight_records')).toEqual([2]);
        seen.one('b').ack();
      });
      at(5_200, () => {
        read('backlog_records');
      });
      at(30_000, () => {
        expect([read('acked_offset'), read('read_offset'), read('backlog_records')]).toEqual([[2], [4], [1]]);
        expect(read('oldest_unsettled_timestamp_seconds')[0]).toBeLessThan(1);
        expect(read('no_progress_seconds')[0]).toBeGreaterThan(20);
        seen.running.unsubscribe();
      });
    }));

  it('keep the age of a message that was nacked until it is acked', () =>
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('s', 'stream');
      const { monitor, read } = readings();
      let seen: ReturnType<typeof run>;
      at(70_000, () => {
        own.send('s', ['a'], { timestamp: 10_000 });
        const redeliver = { firstDelayMs: 1_000 };
        seen = run(amqpStreamSource(own, { queues: ['s'], monitor, startAt: 'first', redeliver }));
      });
      at(70_100, () => seen.one('a').nack(busy()));
      at(70_500, () => expect(read('oldest_unsettled_timestamp_seconds')).toEqual([10]));
      at(75_000, () => {
        seen.one('a', 1).ack();
        expect(read('oldest_unsettled_timestamp_seconds')).toEqual([]);
        seen.running.unsubscribe();
      });
    }));
});
