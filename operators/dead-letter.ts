import { defer, Observable } from 'rxjs';
import { isOwnError } from '../src/core/errors.js';
import { expectFunction, expectKnown, expectOption, expectWhole } from '../src/core/options.js';
import { type DeadLetter, DeadLetters } from '../src/delivery/dead-letter.js';
import type { Delivery, Origin } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { isStopped, nackErrorOfThrown } from '../src/delivery/nack-errors.js';
import { positionOf } from '../src/delivery/origin-position.js';
import type { Sink } from '../src/delivery/receipt.js';
import { unlessRehearsed } from '../src/delivery/rehearsal.js';
import { RetainedDeliveries } from '../src/delivery/retained-deliveries.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface DeadLetterOptions {
  /**
   * Whether a nacked value becomes a dead letter; `attempt` counts the nacks of that value so far. Default: when the value is
   * permanently at fault: it cannot be decoded, filed, encoded or routed, an operator's function threw for it, or its write
   * failed with an error that is not retryable. A failure of the storage itself is none of these.
   */
  readonly when?: (cause: unknown, attempt: number) => boolean;
  /**
   * The number of nacks after which a retryable write or call is set aside too, instead of going back to the source. Default:
   * never; the source redelivers it until its own `redeliver.maxAttempts` are exhausted. Excludes `when`.
   */
  readonly maxAttempts?: number;
}

/**
 * Sets aside values that anything downstream nacks permanently: the nacked value goes to a dead-letter sink with the reason,
 * and is acked when its letter is durable. All other values pass through.
 *
 * ```
 * values   -a-b-c------|
 *          deadLetter(bad)     b is nacked, and its letter durable after 4
 * result   -a-b-c------|
 * letters  ---b---------
 * acks     -a---c-b-----
 * ```
 *
 * Settles: as downstream does; values set aside, as the dead-letter sink does. A value that was released before its nack is no
 * longer in memory: its nack goes to the source, which redelivers it. So does a nack because the flow stops.
 * Bounds: keeps unreleased values, which the source's window bounds; remembers the attempts of 10,000 values.
 * Fails: with the error of the dead-letter sink. Completes with its source; values nacked after that are still set aside.
 */
export function deadLetter<T>(sink: Sink<DeadLetter>, options: DeadLetterOptions = {}): DeliveryOperator<T> {
  expectFunction('sink', sink);
  expectKnown('deadLetter options', options, ['when', 'maxAttempts']);
  const isEither = options.when === undefined || options.maxAttempts === undefined;
  expectOption('maxAttempts', options.maxAttempts, isEither, 'absent when `when` is given');
  const { maxAttempts = Number.MAX_SAFE_INTEGER } = options;
  expectWhole('maxAttempts', maxAttempts, 1);
  const when = options.when ?? ((cause: unknown, attempt: number) => isForLetters(cause, attempt >= maxAttempts));
  expectFunction('when', when);

  return deliveryOperator(
    'deadLetter',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const letters = new DeadLetters('deadLetter');
        const nacks = new NackCounter();
        let isComplete = false;
        const isChosen = (delivery: Delivery<T>, cause: unknown, attempt: number): boolean => {
          try {
            return when(cause, attempt);
          } catch (thrown) {
            throw nackErrorOfThrown('when of deadLetter', thrown, delivery);
          }
        };
        const takeOver = (delivery: Delivery<T>, cause: unknown): boolean => {
          const { origin } = delivery;
          if (!letters.areTaken || isStopped(cause)) return false;
          const attempt = nacks.count(origin);
          if (!isChosen(delivery, cause, attempt)) return false;
          nacks.forget(origin);
          letters.send(delivery, cause, attempt);
          return true;
        };
        const closeLetters = () => {
          if (isComplete && retained.size === 0) letters.complete();
        };
        const retained = new RetainedDeliveries<T>({ takeOver, emptied: closeLetters, resumeTracker: 'shown' });

        const takeFrom = subscribeOrdered(subscriber);
        const setting = defer(() => unlessRehearsed(sink)(letters.letters$)).subscribe({
          error: (error: unknown) => subscriber.error(error),
        });
        subscriber.add(() => {
          // Deliveries passed on may still be nacked after the source has completed.
          if (!isComplete) setting.unsubscribe();
        });
        takeFrom(source, {
          next: (delivery) => subscriber.next(retained.keep(delivery)),
          complete: () => {
            isComplete = true;
            subscriber.complete();
            closeLetters();
          },
        });
      }),
    { sink },
  );
}

const OF_THE_VALUE = [
  'RXF_FLUME_EVENT_REJECTED',
  'RXF_HTTP_REJECTED',
  'RXF_HTTP_TOO_LARGE',
  'RXF_KAFKA_RECORD_REJECTED',
  'RXF_KAFKA_RECORD_TOO_LARGE',
  'RXF_SINK_BUCKET',
  'RXF_SINK_FORMAT',
  'RXF_SINK_LOOP',
  'RXF_SINK_ROUTE',
  'RXF_SINK_TIME',
  'RXF_SINK_WRITE',
  'RXF_OPERATOR_FAILED',
];

/** Whether the value is at fault: permanently, or, where `mayPass` counts too, possibly. */
function isForLetters(cause: unknown, isLastAttempt: boolean): boolean {
  if (!isOwnError(cause)) return true;
  if (cause.name === 'DecodeError') return true;
  if (isLastAttempt && cause.code === 'RXF_OPERATOR_TIMEOUT') return true;
  return OF_THE_VALUE.includes(cause.code) && (isLastAttempt || !cause.retryable);
}

/** How often each value was nacked; the oldest are forgotten. */
class NackCounter {
  static readonly #MAX_COUNTED = 10_000;
  readonly #counts = new Map<string, number>();

  /** Counts one more. */
  count(origin: Origin): number {
    const key = keyOf(origin);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size > NackCounter.#MAX_COUNTED) this.#counts.delete(this.#counts.keys().next().value as string);
    return count;
  }

  forget(origin: Origin): void {
    this.#counts.delete(keyOf(origin));
  }
}

/** Parts of one value are counted apart. */
function keyOf(origin: Origin): string {
  return `${origin.stream} ${positionOf(origin)}`;
}
