import {
  concat,
  concatMap,
  defer,
  delay,
  EMPTY,
  filter,
  from,
  merge,
  Observable,
  of,
  type Subscription,
  share,
  tap,
} from 'rxjs';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt } from '../../src/delivery/receipt.js';
import type { KafkaConsumer, KafkaDriver } from '../../src/ports/kafka-consumer.js';
import type { BuildCollector } from '../../src/testing/index.js';
import { exact, storeEach, toyFlow, toyFlowInto } from './toy-sinks.js';

/** Gives its sink a value of the first partition as long as there is one, as a source did once. */
export const firstFirst = toyFlowInto((fs) => (deliveries) => {
  const queues = new Map<string, Delivery<string>[]>();
  return new Observable<Receipt>((subscriber) => {
    let isDone = false;
    let under: Subscription | undefined;
    const next = () => {
      const [, queue] = [...queues].sort().find(([, held]) => held.length > 0) ?? [];
      const delivery = queue?.shift();
      if (delivery === undefined) {
        under = undefined;
        if (isDone) subscriber.complete();
        return;
      }
      under = storeEach(
        fs,
        exact,
      )(of(delivery)).subscribe({
        next: (receipt) => subscriber.next(receipt),
        complete: next,
      });
    };
    const all = deliveries.subscribe({
      next: (delivery) => {
        const { stream } = delivery.origin;
        queues.set(stream, [...(queues.get(stream) ?? []), delivery]);
        if (under === undefined) next();
      },
      complete: () => {
        isDone = true;
        if (under === undefined) subscriber.complete();
      },
      error: (error: unknown) => subscriber.error(error),
    });
    return () => {
      all.unsubscribe();
      under?.unsubscribe();
    };
  });
});

/** Stores only when it holds three values, or is told to drain: nobody ever asks it for what is left. */
export const byThrees = toyFlowInto((fs) => (deliveries) => {
  let held: Delivery<string>[] = [];
  const flushed = () => {
    const some = held;
    held = [];
    return storeEach(fs, exact)(from(some));
  };
  return concat(
    deliveries.pipe(
      tap((delivery) => held.push(delivery)),
      concatMap(() => (held.length < 3 ? EMPTY : flushed())),
    ),
    defer(flushed),
  );
});

/** Serves the second partition only when the first has had nothing for a while. */
export const lateLane = toyFlowInto((fs) => (deliveries) => {
  const shared = deliveries.pipe(share());
  const ofFirst = ({ origin }: Delivery<string>) => origin.stream.endsWith('/0');
  return merge(
    storeEach(fs, exact)(shared.pipe(filter(ofFirst))),
    storeEach(
      fs,
      exact,
    )(
      shared.pipe(
        filter((delivery) => !ofFirst(delivery)),
        delay(1_500),
      ),
    ),
  );
});

/** A commit that failed counts as done: it is not tried again until something else is acked. */
export const forgiving = over((consumer) => (epoch, offsets) => {
  const { commit } = consumer;
  return new Observable((subscriber) =>
    from(commit(epoch, offsets)).subscribe({
      error: () => subscriber.complete(),
      complete: () => subscriber.complete(),
    }),
  );
});

/** Commits one after the other, so that none is made any more behind one that is never answered. */
export const queueing = over((consumer) => {
  let isBusy = false;
  return (epoch, offsets) =>
    new Observable((subscriber) => {
      if (isBusy) return;
      isBusy = true;
      from(consumer.commit(epoch, offsets)).subscribe({
        error: (error: unknown) => {
          isBusy = false;
          subscriber.error(error);
        },
        complete: () => {
          isBusy = false;
          subscriber.complete();
        },
      });
    });
});

/** An exact flow whose commits go through another hand. */
function over(commitOf: (consumer: KafkaConsumer) => KafkaConsumer['commit']): BuildCollector {
  const wrapped = (kafka: KafkaDriver): KafkaDriver => ({
    name: kafka.name,
    connect: (subscription, listener) =>
      from(kafka.connect(subscription, listener)).pipe(
        concatMap((consumer: KafkaConsumer) => of({ ...consumer, commit: commitOf(consumer) })),
      ),
  });
  return (parts) => toyFlow(exact)({ ...parts, kafka: wrapped(parts.kafka) });
}
