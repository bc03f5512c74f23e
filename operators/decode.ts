import { defer, ignoreElements, merge, type OperatorFunction, tap } from 'rxjs';
import { OptionError } from '../src/core/errors.js';
import { expectFunction, expectKnown } from '../src/core/options.js';
import { type DeadLetter, DeadLetters } from '../src/delivery/dead-letter.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { countingItself, eachDelivery } from '../src/delivery/each-delivery.js';
import { NACKED, nackErrorOfThrown } from '../src/delivery/nack-errors.js';
import type { Sink } from '../src/delivery/receipt.js';
import { unlessRehearsed } from '../src/delivery/rehearsal.js';
import { type DecoderLike, decoderOf } from '../src/formats/decoder.js';

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
 * Bounds: nothing is held.
 * Fails: with the dead-letter sink's error; an `OptionError` thrown by the decoder (an asynchronous schema) ends the stream,
 * since it would be thrown for every value.
 */
export function decode<I, A>(decoder: DecoderLike<I, A>, options: DecodeOptions = {}): DeliveryOperator<I, A> {
  expectKnown('decode options', options, ['deadLetter']);
  const { deadLetter } = options;
  if (deadLetter !== undefined) expectFunction('deadLetter', deadLetter);
  const read = decoderOf(decoder);

  const decoded = (nack: (delivery: Delivery<I>, cause: unknown) => typeof NACKED | undefined) =>
    eachDelivery((delivery: Delivery<I>): Delivery<A> | typeof NACKED | undefined => {
      try {
        return delivery.with(read(delivery.value));
      } catch (cause) {
        if (cause instanceof OptionError) {
          delivery.nack(cause);
          throw cause;
        }
        return nack(delivery, nackErrorOfThrown('decoder of decode', cause, delivery));
      }
    });

  const nack = (delivery: Delivery<I>, cause: unknown): typeof NACKED => {
    delivery.nack(cause);
    return NACKED;
  };
  if (deadLetter === undefined) return deliveryOperator('decode', 'kept', decoded(nack));
  const setAsideOrDecoded: OperatorFunction<Delivery<I>, Delivery<A>> = (source) =>
    defer(() => {
      const letters = new DeadLetters('decode');
      const setAside = (delivery: Delivery<I>, cause: unknown) =>
        letters.areTaken ? letters.send(delivery, cause, 1) : nack(delivery, cause);
      return merge(
        unlessRehearsed(deadLetter)(letters.letters$).pipe(ignoreElements()),
        source.pipe(decoded(setAside), tap({ complete: () => letters.complete() })),
      );
    });
  return deliveryOperator('decode', 'kept', countingItself(setAsideOrDecoded));
}
