import { describeValue, SinkError } from '../src/core/errors.js';
import { expectFunction, expectKnown, expectOption } from '../src/core/options.js';
import { sentence } from '../src/core/sentence.js';
import { type Branch, expectBranches, intoBranches } from '../src/delivery/branches.js';
import type { Delivery, Origin } from '../src/delivery/delivery.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';
import { NACKED, resultFor } from '../src/delivery/nack-errors.js';

export interface RouteByOptions<T, R> {
  /**
   * How to handle a value without a branch: a branch of its own, `ack` (drop it), or `nack` (permanently, with
   * `RXF_SINK_ROUTE`). Default `nack`.
   */
  readonly otherwise?: Branch<T, R> | 'ack' | 'nack';
}

const MAX_BRANCHES = 1_000;

/**
 * Hands each delivery to the branch that `select` names: a sink, or operators that end in one. Emits what the branches emit.
 *
 * ```
 * values  -a-b-c-----|
 *         routeBy(x => (x === 'b' ? 'slow' : 'fast'), { slow, fast })     slow acks after 4, fast after 1
 * result  --a---cb---|
 * acks    --a---cb----
 * ```
 *
 * Settles: as the branch does. Nacks a delivery for which `select` throws, with `RXF_OPERATOR_FAILED`; one whose branch has
 * completed.
 * Bounds: nothing is buffered.
 * Fails: with the first error of a branch.
 */
export function routeBy<T, R, K extends string>(
  select: (value: T, delivery: Delivery<T>) => NoInfer<K> | (string & {}),
  branches: Readonly<Record<K, Branch<T, R>>>,
  options: RouteByOptions<T, R> = {},
): SettlingOperator<T, R> {
  expectFunction('select', select);
  expectKnown('routeBy options', options, ['otherwise']);
  const names = expectBranches('branches', branches, MAX_BRANCHES);
  const { otherwise = 'nack' } = options;
  const isKnown = typeof otherwise === 'function' || ['ack', 'nack'].includes(otherwise);
  expectOption('otherwise', otherwise, isKnown, "a sink, 'ack' or 'nack'");

  const named = names.map((name): Branch<T, R> => branches[name as K]);
  const all = typeof otherwise === 'function' ? [...named, otherwise] : named;
  return deliveryOperator(
    'routeBy',
    'kept',
    intoBranches(all, (outlets) => {
      const byName = new Map(names.map((name, at) => [name, outlets[at]]));
      return (delivery) => {
        const name = resultFor('select of routeBy', delivery, select);
        if (name === NACKED) return;
        const outlet = byName.get(name) ?? outlets[names.length];
        if (outlet !== undefined) outlet.give(delivery);
        else if (otherwise === 'ack') delivery.ack();
        else delivery.nack(routeError(name, names, delivery.origin));
      };
    }),
    typeof otherwise === 'function' ? { ...branches, otherwise } : branches,
  );
}

function routeError(name: unknown, names: readonly string[], { stream, offset }: Origin): SinkError {
  const branch = describeValue(name);
  const known = `${names.slice(0, 8).join(', ')}${names.length > 8 ? ' and more' : ''}`;
  const problem = `${stream} offset ${offset} is for the branch ${branch}, but the only branches are ${known}`;
  const message = sentence(problem, 'Add the branch, or pass `otherwise`');
  return new SinkError('RXF_SINK_ROUTE', message, { details: { stream, offset, branch } });
}
