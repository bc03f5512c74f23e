import { Observable, Subscription, timer } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { AmqpConsumerDriver, AmqpMessage, AmqpQueueDeclaration } from '../../ports/amqp-consumer.js';
import { offsetOf, queueError } from './first-offset.js';

/** How long after its first message the rest of a chunk is waited for. What comes later is read again, not skipped. */
const CHUNK_WITHIN_MS = 50;
/** A stream that gives nothing for so long, though its consumer is open, has never had a message. */
const EMPTY_AFTER_MS = 2_000;
/** The most a broker gives without an ack; nothing of it is kept. */
const MAX_PREFETCH = 65_535;

/** What `last` or `next` stood for at a moment. */
export interface FoundStart {
  readonly start: number;
  /** The stream holds no message. Offsets then begin at 0, or, where retention removed what it held, at any. */
  readonly isEmpty: boolean;
}

/**
 * What `last` and `next` stand for at this moment, as an offset: both are moments, and to ask for them again at the next
 * channel would skip what was published meanwhile. The broker tells no offset but a message's, so the last chunk is read, on a
 * channel of its own. A stream without messages begins at 0.
 *
 * Bounds: keeps two numbers; 2 s where the stream is empty.
 * Fails: as the driver does; `RXF_AMQP_MISMATCH` where it is no stream.
 */
export function startOffset(
  driver: AmqpConsumerDriver,
  startAt: 'last' | 'next',
  of: { readonly queue: string; readonly declare: AmqpQueueDeclaration | undefined },
): Observable<FoundStart> {
  return new Observable((subscriber) => {
    let first: number | undefined;
    let next = 0;
    const life = new Subscription();
    const tell = () => {
      subscriber.next({ start: startAt === 'next' ? next : (first ?? 0), isEmpty: first === undefined });
      subscriber.complete();
    };
    const message = (one: AmqpMessage) => {
      const offset = offsetOf(one);
      if (offset === undefined) {
        subscriber.error(queueError(of.queue));
        return;
      }
      next = Math.max(next, offset + 1);
      if (first !== undefined) return;
      first = offset;
      if (startAt === 'last') tell();
      else life.add(timer(CHUNK_WITHIN_MS).subscribe(tell));
    };
    const { queue, declare } = of;
    const consumption = { queue, prefetch: MAX_PREFETCH, declare, arguments: { 'x-stream-offset': 'last' } };
    life.add(
      driver.consume(consumption, { message, logEvent: () => undefined }).subscribe({
        next: () => {
          if (first === undefined) life.add(timer(EMPTY_AFTER_MS).subscribe(() => first ?? tell()));
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.error(endedError(queue)),
      }),
    );
    return life;
  });
}

function endedError(queue: string): ConnectError {
  return new ConnectError('RXF_AMQP_LOST', `The consumer that looks where ${queue} ends has ended by itself.`);
}
