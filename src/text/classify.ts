import { describeValue } from '../core/errors.js';
import { expectFunction, expectOption } from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../delivery/delivery-operator.js';
import { eachDelivery } from '../delivery/each-delivery.js';
import { NACKED, resultFor } from '../delivery/nack-errors.js';

/**
 * What gives each text a result at once: a `TextModel`, or a model of your own.
 *
 * ```ts
 * import type { TextClassifier } from 'rxflume/text';
 *
 * export const shouting: TextClassifier<boolean> = {
 *   version: '1',
 *   classify: (text) => text === text.toUpperCase(),
 * };
 * ```
 */
export interface TextClassifier<C> {
  /** Changes with each result that it may give; it is kept in each row. */
  readonly version: string;
  /** The result for one text. What it throws nacks the delivery. */
  classify(text: string): C;
}

/**
 * Gives each value what a model says of its text; the acker stays with the delivery. `model` may be a `ModelSlot`, which is asked anew
 * for each value. `project` gets the version of the model that judged the text.
 *
 * ```
 * values  -a-b-c-|
 *         classify(model, (value) => value, (value, result) => result)     the model makes a capital of a text
 * result  -A-B-C-|
 * acks    --a-b-c-      acking the result acks the delivery
 * ```
 *
 * ```ts
 * import { classify, ModelSlot } from 'rxflume/text';
 *
 * const slot = new ModelSlot({ version: 'v1', classify: (text: string) => text.includes('refund') });
 * export const judged = classify(
 *   slot,
 *   (message: { text: string }) => message.text,
 *   (message, isRefund, model) => ({ ...message, isRefund, model }),
 * );
 * ```
 *
 * Settles: nacks a delivery whose text is none, or for which the model or a function throws, with `RXF_OPERATOR_FAILED`; the stream continues.
 * Bounds: nothing is held.
 */
export function classify<T, C, U>(
  model: TextClassifier<C>,
  textOf: (value: T, delivery: Delivery<T>) => string,
  project: (value: T, result: C, version: string) => U,
): DeliveryOperator<T, U> {
  expectOption('model', model, typeof model?.classify === 'function', 'a model with `version` and `classify`');
  expectFunction('textOf', textOf);
  expectFunction('project', project);
  // One call for all of it, so that a swap is never between the result and its version.
  const judge = (value: T, delivery: Delivery<T>): U => {
    const text = textOf(value, delivery);
    if (typeof text !== 'string') throw new TypeError(`\`textOf\` returned ${describeValue(text)}, which is no text`);
    return project(value, model.classify(text), model.version);
  };
  return deliveryOperator(
    'classify',
    'kept',
    eachDelivery((delivery: Delivery<T>) => {
      const value = resultFor('model or a function of classify', delivery, judge);
      return value === NACKED ? NACKED : delivery.with(value);
    }),
  );
}
