import { map, Observable, of, switchMap } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { AmqpConsumerDriver, AmqpMessage } from '../../ports/amqp-consumer.js';

/** The offset of a message of a stream; undefined where it is of none. */
export function offsetOf({ properties }: AmqpMessage): number | undefined {
  const offset = properties.headers?.['x-stream-offset'];
  if (typeof offset !== 'number' && typeof offset !== 'bigint') return undefined;
  return Number.isSafeInteger(Number(offset)) ? Number(offset) : undefined;
}

/** The offset of the first message that a stream still holds, by a channel of its own. It must hold one. */
export function firstOffset(driver: AmqpConsumerDriver, queue: string): Observable<number> {
  return new Observable((subscriber) =>
    driver
      .consume(
        { queue, prefetch: 1, arguments: { 'x-stream-offset': 'first' } },
        {
          message: (message) => {
            const offset = offsetOf(message);
            if (offset === undefined) return;
            subscriber.next(offset);
            subscriber.complete();
          },
          logEvent: () => undefined,
        },
      )
      .subscribe({ error: (error: unknown) => subscriber.error(error) }),
  );
}

/**
 * The offset behind the last message of a stream: its offsets have no gaps, so it is the first and as many as the stream holds. The
 * broker counts these every few seconds. 0 for an empty stream, of which it is not known; undefined where the driver cannot count.
 */
export function logEnd(driver: AmqpConsumerDriver, queue: string): Observable<number> | undefined {
  return driver
    .countReady?.(queue)
    .pipe(switchMap((count) => (count === 0 ? of(0) : firstOffset(driver, queue).pipe(map((first) => first + count)))));
}

/** It was read as a stream, and is none. */
export function queueError(queue: string): ConnectError {
  return new ConnectError(
    'RXF_AMQP_MISMATCH',
    `The messages of ${queue} have no header x-stream-offset, so it is no stream. Read it with amqpSource.`,
    { details: { queue } },
  );
}
