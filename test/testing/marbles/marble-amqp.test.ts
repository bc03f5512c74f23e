import { describe, expect, it } from '@jest/globals';
import { tap } from 'rxjs';
import { mapValue } from '../../../operators/map-value.js';
import { Monitor } from '../../../src/core/monitor.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../../src/sources/amqp/amqp-stream-source.js';
import type { AmqpSourceOptions } from '../../../src/sources/amqp/options.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { type MarbleAmqp, marbles } from '../../../src/testing/index.js';

const text = mapValue((value: Buffer | null) => String(value));

const read = (driver: MarbleAmqp, options: Partial<AmqpSourceOptions> = {}) =>
  amqpSource(driver, {
    queues: ['queue'],
    ack: { count: 1 },
    redeliver: { firstDelayMs: 5, maxDelayMs: 5 },
    reconnect: { firstDelayMs: 4, jitter: 0 },
    monitor: new Monitor(),
    ...options,
  });

describe('m.amqp', () => {
  it('draws messages, acks and what goes back to the queue', () =>
    marbles((m) => {
      const queue = m.amqp('-a-b-(cd)|');
      // c is nacked at 6, and goes back 5 ms later.
      m.expectObservable(read(queue).pipe(text, m.sink('--a-b-X-d 6ms c')), '25ms !');
      m.expectAcks('    --a-b---d 6ms c');
      m.expectRequeues('-----------c');
      m.expectNacks('   -----------c');
      m.expectDiscards('--');
    }));

  it('draws the loss of a channel: what was out is redelivered, and acks of before count for nothing', () =>
    marbles((m) => {
      const queue = m.amqp('-a-b  channel: ----X---');
      // All is redelivered at 8; a at 6 and b at 10 are those of before.
      m.expectObservable(read(queue).pipe(text, m.sink('------a---b-a')), '30ms !');
      m.expectAcks('------------a');
    }));

  it('draws a consumer that the broker ends', () =>
    marbles((m) => {
      const queue = m.amqp('-a  channel: ---C');
      m.expectObservable(read(queue).pipe(text), '30ms !').toBe('-a-----a');
    }));

  it('draws what is dead-lettered', () =>
    marbles((m) => {
      const queue = m.amqp('-ab');
      const redeliver = { maxAttempts: 0 };
      m.expectObservable(read(queue, { whenNacked: 'deadLetter', redeliver }).pipe(text, m.sink('--X-b')), '20ms !');
      m.expectDiscards('--a');
      m.expectAcks('    ----b');
    }));

  it('draws the releases of a stream, which are what the broker hears of', () =>
    marbles((m) => {
      const queue = m.amqp('-ab-c', { kind: 'stream' });
      const source$ = amqpStreamSource(queue, { queues: ['queue'], ack: { count: 1 }, monitor: new Monitor() });
      m.expectObservable(source$.pipe(text, m.sink('----b-a')), '20ms !');
      m.expectReleases('----b-a');
      m.expectAcks('');
    }));

  it('draws the releases of any source that is watched', () =>
    marbles((m) => {
      const kafka = m.kafka('p0: abc');
      const source$ = kafkaSource(kafka, { topics: ['topic'], groupId: 'g', monitor: new Monitor() });
      const watched$ = m.watch(source$).pipe(text, m.sink('---b-X'));
      m.expectObservable(watched$, '20ms !');
      m.expectAcks('    ---b');
      m.expectNacks('   -----a 14ms c');
      m.expectReleases('---');
    }));

  it('notes the first of each that is watched: settling releases too', () =>
    marbles((m) => {
      const seen$ = m.watch(read(m.amqp('-ab'))).pipe(
        text,
        tap((delivery) => {
          if (delivery.value === 'a') delivery.ack();
          delivery.release();
          delivery.release();
          delivery.nack('no');
        }),
      );
      m.expectObservable(seen$, '10ms !');
      m.expectReleases('--b');
      m.expectAcks('-a');
      m.expectNacks('--b');
    }));

  it('rejects what is no diagram', () => {
    expect(() => marbles((m) => m.amqp('-a  channel: --R'))).toThrow('got `-a  channel: --R`');
    expect(() => marbles((m) => m.expectRequeues('-'))).toThrow('There is no m.amqp(…) whose requeues');
  });
});
