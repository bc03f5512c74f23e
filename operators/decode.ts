import { defer, ignoreElements, merge, type OperatorFunction, tap } from 'rxjs';
import { readDeliveries } from '../src/backpressure/read-deliveries.js';
import { expectFunction, expectKnown } from '../src/core/options.js';
import { type DeadLetter, DeadLetters } from '../src/delivery/dead-letter.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { countingItself } from '../src/delivery/each-delivery.js';
import { NACKED } from '../src/delivery/nack-errors.js';
import type { Sink } from '../src/delivery/receipt.js';
import { unlessRehearsed } from '../src/delivery/rehearsal.js';
import { type DecoderLike, decoderOf, isWaitingDecoder, type WaitingDecoder } from '../src/formats/decoder.js';

export interface DecodeOptions {
  /** Where values that cannot be decoded are set aside; each is acked when its dead letter is durable. Default: nack. */
  readonly deadLetter?: Sink<DeadLetter>;
}

/**
 * Decodes each value with an io-ts decoder, a Standard Schema, or a function that throws, such as `json(schema)`; or with what a
 * schema registry gives, `registry(…).decoder(…)`, which may have to wait for a schema.
 *
 * ```
 * values   -a-?-c-|
 *          decode(json(Message))
 * result   -A---C-|
 * nacks    ---?-----     or a dead letter, where a sink for them is given
 * ```
 *
 * Settles: nacks what cannot be decoded with the `DecodeError`, or hands it to `deadLetter`, which acks it. A value whose schema cannot
 * be fetched is nacked with the `ConnectError`, and never goes to `deadLetter`: a registry that is down is not the value's fault.
 * Bounds: nothing is held. Where a schema is fetched, what follows in the same stream waits, unreleased: the source's window bounds it.
 * Fails: with the dead-letter sink's error; an `OptionError` thrown by the decoder (an asynchronous schema) ends the stream,
 * since it would be thrown for every value.
 */
export function decode<I, A>(
  decoder: DecoderLike<I, A> | WaitingDecoder<I, A>,
  options: DecodeOptions = {},
): DeliveryOperator<I, A> {
  expectKnown('decode options', options, ['deadLetter']);
  const { deadLetter } = options;
  if (deadLetter !== undefined) expectFunction('deadLetter', deadLetter);
  const reader = isWaitingDecoder(decoder) ? decoder : decoderOf(decoder);

  const nack = (delivery: Delivery<I>, cause: unknown): typeof NACKED => {
    delivery.nack(cause);
    return NACKED;
  };
  if (deadLetter === undefined) {
    return deliveryOperator('decode', 'kept', readDeliveries(reader, nack), { decoder });
  }
  const setAsideOrDecoded: OperatorFunction<Delivery<I>, Delivery<A>> = (source) =>
    defer(() => {
      const letters = new DeadLetters('decode');
      const setAside = (delivery: Delivery<I>, cause: unknown) =>
        letters.areTaken ? letters.send(delivery, cause, 1) : nack(delivery, cause);
      return merge(
        unlessRehearsed(deadLetter)(letters.letters$).pipe(ignoreElements()),
        source.pipe(readDeliveries(reader, setAside), tap({ complete: () => letters.complete() })),
      );
    });
  return deliveryOperator('decode', 'kept', countingItself(setAsideOrDecoded), { decoder, deadLetter });
}
