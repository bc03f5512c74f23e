import { merge, Observable, type OperatorFunction, Subject } from 'rxjs';
import { type DeadLetter, deadLetterOf } from '../src/core/dead-letter.js';
import { type DecoderLike, decoderOf } from '../src/core/decoder.js';
import type { Delivery } from '../src/core/delivery.js';
import { OptionError } from '../src/core/errors.js';
import { expectFunction, expectKnown } from '../src/core/options.js';
import type { Sink } from '../src/core/receipt.js';

export interface DecodeOptions {
  /** Where values that cannot be decoded are set aside; each is acked when its dead letter is durable. Default: nack. */
  readonly deadLetter?: Sink<DeadLetter>;
}

/**
 * Decodes each value with an io-ts decoder, a Standard Schema, or a function that throws, such as `json(schema)`.
 *
 * ```
 * values   -a-?-c-|
 *          decode(json(Message))
 * result   -A---C-|
 * nacks    ---?-----     or a dead letter, where a sink for them is given
 * ```
 *
 * Settles: nacks what cannot be decoded with the `DecodeError`, or hands it to `deadLetter`, which acks it.
 * Fails: with the dead-letter sink's error; an `OptionError` thrown by the decoder (a schema that answers with a
 * promise) ends the stream, since it would be thrown for every value.
 */
export function decode<I, A>(
  decoder: DecoderLike<I, A>,
  options: DecodeOptions = {},
): OperatorFunction<Delivery<I>, Delivery<A>> {
  expectKnown('decode options', options, ['deadLetter']);
  const { deadLetter } = options;
  if (deadLetter !== undefined) expectFunction('deadLetter', deadLetter);
  const read = decoderOf(decoder);

  const decoded = (source: Observable<Delivery<I>>, refuse: (delivery: Delivery<I>, cause: unknown) => void) =>
    new Observable<Delivery<A>>((subscriber) =>
      source.subscribe({
        next: (delivery) => {
          let value: A;
          try {
            value = read(delivery.value);
          } catch (cause) {
            if (cause instanceof OptionError) {
              delivery.nack(cause);
              subscriber.error(cause);
            } else refuse(delivery, cause);
            return;
          }
          subscriber.next(delivery.with(value));
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );

  if (deadLetter === undefined) return (source) => decoded(source, (delivery, cause) => delivery.nack(cause));
  return (source) =>
    new Observable((subscriber) => {
      const letters$ = new Subject<Delivery<DeadLetter>>();
      const good$ = new Observable<Delivery<A>>((good) =>
        decoded(source, (delivery, cause) =>
          letters$.next(delivery.with(deadLetterOf(delivery.value, delivery.origin, cause))),
        ).subscribe({
          next: (delivery) => good.next(delivery),
          error: (error: unknown) => good.error(error),
          complete: () => {
            letters$.complete();
            good.complete();
          },
        }),
      );
      const stored$ = new Observable<never>((none) =>
        deadLetter(letters$).subscribe({
          error: (error: unknown) => none.error(error),
          complete: () => none.complete(),
        }),
      );
      return merge(stored$, good$).subscribe(subscriber);
    });
}
