import { asyncScheduler, Observable, type Subscriber, timer } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Receipt, Sink } from '../../delivery/receipt.js';
import { MarbleError } from './difference.js';
import { type Mark, parseRow } from './row.js';

/** The value of a delivery as a row shows it: text as it is, anything else as JSON. */
export function labelOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return JSON.stringify(value) ?? String(value);
}

/**
 * A sink that does what is drawn, from its subscription on: a character acks the oldest delivery whose value or name it is; `X`, or
 * `X(503)`, nacks the oldest of all with a `SinkError` that may pass and has the text in its message.
 *
 * Settles: what is drawn; nacks the rest when it is left. Fails: with a `MarbleError` where nothing is there to settle at a
 * moment that is drawn.
 */
export function marbleSink(row: string, nameOf: NameOf = () => undefined): Sink<unknown> {
  const marks = parseRow(row);
  return (deliveries) =>
    new Observable<Receipt>((subscriber) => {
      const held: Delivery<unknown>[] = [];
      let isComplete = false;
      for (const mark of marks) {
        subscriber.add(timer(mark.frame).subscribe(() => settle(row, mark, held, subscriber, nameOf)));
      }
      const lastFrame = Math.max(0, ...marks.map(({ frame }) => frame));
      subscriber.add(
        timer(lastFrame).subscribe(() => {
          if (isComplete && held.length === 0) subscriber.complete();
        }),
      );
      const endAt = asyncScheduler.now() + lastFrame;
      subscriber.add(
        deliveries.subscribe({
          next: (delivery) => held.push(delivery),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isComplete = true;
            if (held.length === 0 && asyncScheduler.now() >= endAt) subscriber.complete();
          },
        }),
      );
      return () => {
        for (const delivery of held) delivery.nack(new SinkError('RXF_SINK_STOPPED', 'The drawn sink was left.'));
      };
    });
}

/** The character of a delivery in the row that it came from. */
type NameOf = (delivery: Delivery<unknown>) => string | undefined;

function indexOf(label: string, held: readonly Delivery<unknown>[], nameOf: NameOf): number {
  const at = held.findIndex(({ value }) => labelOf(value) === label);
  return at < 0 ? held.findIndex((delivery) => nameOf(delivery) === label) : at;
}

function settle(
  row: string,
  mark: Mark,
  held: Delivery<unknown>[],
  subscriber: Subscriber<Receipt>,
  nameOf: NameOf,
): void {
  const at = mark.label === 'X' ? 0 : indexOf(mark.label, held, nameOf);
  const [delivery] = at < 0 ? [] : held.splice(at, 1);
  if (delivery === undefined) {
    const has = held.map(({ value }) => labelOf(value)).join(', ') || 'nothing';
    subscriber.error(
      new MarbleError(`The sink \`${row}\` is to settle ${mark.label} after ${mark.frame} ms, and holds ${has}.`),
    );
    return;
  }
  if (mark.label === 'X') {
    delivery.nack(new SinkError('RXF_SINK_WRITE', `Nacked as drawn: ${mark.detail ?? 'X'}.`));
    return;
  }
  delivery.ack();
  const { stream, offset, byteLength } = delivery.origin;
  const range = { stream, firstOffset: offset, lastOffset: offset };
  subscriber.next({ sink: 'marbles', target: mark.label, values: 1, bytes: byteLength, ...range });
}
