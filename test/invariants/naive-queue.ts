import { defer, from, retry, Subject, take } from 'rxjs';
import type { Acker, FlushSignal } from '../../src/delivery/acker.js';
import { Delivery } from '../../src/delivery/delivery.js';
import { Source } from '../../src/delivery/source.js';
import type { AmqpConsumer, AmqpConsumerDriver, AmqpMessage } from '../../src/ports/amqp-consumer.js';

/** What well-known peers did, or do, wrong with queues. */
export interface QueueBugs {
  /** An ack goes to the channel that stands, whichever the message came on. */
  readonly acksOnNewChannel?: boolean;
  /** Every ack is `multiple`. */
  readonly acksAllBefore?: boolean;
}

/** A source of a queue as one writes it first, with the bugs that are asked for: a duplicate of ours that must be found wrong. */
export function naiveQueue(driver: AmqpConsumerDriver, bugs: QueueBugs): Source<Delivery<unknown>> {
  return new Source((subscriber, stop$) => {
    let current: AmqpConsumer | undefined;
    const flush$ = new Subject<FlushSignal>();
    const out: { readonly message: AmqpMessage; readonly of: { consumer?: AmqpConsumer } }[] = [];
    /** Of the messages that come now; another one for each channel. */
    let channel: { consumer?: AmqpConsumer } = {};
    const settled = new Set<number>();
    const settle = (seq: number, how: (consumer: AmqpConsumer, tag: number) => void) => {
      const one = out[seq];
      if (one === undefined || settled.has(seq)) return;
      settled.add(seq);
      const consumer = bugs.acksOnNewChannel ? current : one.of.consumer;
      if (consumer !== undefined) how(consumer, one.message.deliveryTag);
    };
    const acker: Acker = {
      flush$,
      ack: (first) => settle(first, (consumer, tag) => consumer.ack(tag, bugs.acksAllBefore === true)),
      nack: (first) => settle(first, (consumer, tag) => consumer.nack(tag, false, 'requeue')),
      release: () => undefined,
      hold: () => undefined,
    };
    const listener = {
      message: (message: AmqpMessage) => {
        const seq = out.push({ message, of: channel }) - 1;
        const origin = { stream: 'amqp:q', offset: seq, epoch: 1, byteLength: message.content.length };
        subscriber.next(new Delivery(message.content, origin, acker, seq));
      },
      logEvent: () => undefined,
    };
    const consumed$ = defer(() => {
      channel = {};
      return driver.consume({ queue: 'q', prefetch: 5 }, listener);
    }).pipe(retry({ delay: 20 }));
    subscriber.add(
      consumed$.subscribe((consumer) => {
        current = consumer;
        channel.consumer = consumer;
      }),
    );
    subscriber.add(
      stop$.pipe(take(1)).subscribe(() => {
        from(current?.close() ?? []).subscribe();
        subscriber.complete();
      }),
    );
  });
}
