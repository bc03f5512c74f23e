import fc from 'fast-check';
import { Observable } from 'rxjs';
import { describeError, SinkError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Source } from '../../src/delivery/source.js';
import type { AmqpConsumerDriver } from '../../src/ports/amqp-consumer.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { inVirtualTime } from '../support/virtual-time.js';

export interface QueueStep {
  readonly after: number;
  readonly what: 'ack' | 'nack' | 'cut' | 'cancel' | 'deafen' | 'send';
  readonly pick: number;
}

/** Random interleavings: what is settled, lost and sent, in which order, and when. */
export const queueSteps = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 30 }),
    what: fc.constantFrom('ack', 'ack', 'ack', 'ack', 'nack', 'cut', 'cancel', 'deafen', 'send'),
    pick: fc.nat({ max: 50 }),
  }),
  { maxLength: 30 },
) as fc.Arbitrary<QueueStep[]>;

export interface QueueOutcome {
  /** Messages that the broker took for acked on a channel, and nobody had acked as they came on it. */
  readonly unearned: string[];
  /** Channels that the broker closed because they settled what was not theirs. */
  readonly closed: string[];
  /** Messages that are not acked in the end although the taker acks all it gets. */
  readonly left: string[];
}

/** Runs a source of a queue through the steps; then the taker acks all it gets. */
export function queueTrial(
  build: (driver: AmqpConsumerDriver) => Source<Delivery<unknown>>,
  plan: readonly QueueStep[],
): QueueOutcome {
  const broker = new MemoryAmqp();
  broker.createQueue('q');
  const outcome: QueueOutcome = { unearned: [], closed: [], left: [] };
  const earned = new Set<string>();
  const out: { readonly delivery: Delivery<unknown>; readonly channel: number }[] = [];
  let channel = 0;
  let sent = 0;
  let isHealthy = false;
  const driver: AmqpConsumerDriver = {
    name: broker.name,
    consume: (consumption, listener) =>
      new Observable((subscriber) =>
        broker.consume(consumption, listener).subscribe({
          next: (consumer) => {
            channel += 1;
            subscriber.next(consumer);
          },
          error: (error: unknown) => {
            if (describeError(error).includes('unknown delivery tag')) outcome.closed.push(`channel ${channel}`);
            subscriber.error(error);
          },
          complete: () => subscriber.complete(),
        }),
      ),
  };
  const send = () => {
    broker.send('q', [`v${sent}`]);
    sent += 1;
  };
  const ack = (one: (typeof out)[number] | undefined) => {
    if (one === undefined) return;
    earned.add(`${one.channel} ${String(one.delivery.value)}`);
    one.delivery.ack();
  };
  const acked = new Set<string>();
  /** What has been acked at the broker since the last look must have been earned by now. */
  const look = () => {
    for (const { how, channel: on, contents } of broker.settlements.splice(0)) {
      for (const content of how === 'ack' ? contents : []) {
        acked.add(content);
        if (!earned.has(`${on} ${content}`)) outcome.unearned.push(`${on} ${content}`);
      }
    }
  };
  inVirtualTime((at) => {
    for (let n = 0; n < 9; n += 1) send();
    const running = build(driver).subscribe({
      next: (delivery) => {
        const one = { delivery, channel };
        out.push(one);
        if (isHealthy) ack(one);
      },
      error: () => undefined,
    });
    let now = 0;
    for (const { after, what, pick } of plan) {
      now += after;
      at(now, () => {
        look();
        const one = out[pick % Math.max(1, out.length)];
        if (what === 'send') send();
        else if (what === 'cut') broker.cut();
        else if (what === 'cancel') broker.cancelConsumers('q');
        else if (what === 'deafen') broker.deafen();
        else if (what === 'ack') ack(one);
        else one?.delivery.nack(new SinkError('RXF_SINK_WRITE', 'busy'));
      });
    }
    at(now + 100, () => {
      look();
      broker.cut();
      isHealthy = true;
      for (const one of out) ack(one);
    });
    at(now + 5_000, () => {
      look();
      for (let n = 0; n < sent; n += 1) if (!acked.has(`v${n}`)) outcome.left.push(`v${n}`);
      running.unsubscribe();
    });
  });
  return outcome;
}
