import { expectOption } from '../core/options.js';

/**
 * How much is inside a system on average, by Little's law: L = λ · W. It holds for any stable system, whatever its arrivals,
 * order and distribution of times; where it is needed is where something waits for each record, such as a write.
 *
 * ```ts
 * import { littleConcurrency } from 'rxflume/planner';
 *
 * littleConcurrency({ ratePerSecond: 200, seconds: 0.05 }); // → 10
 * ```
 *
 * Fails: `OptionError` for a rate or a time that is negative or not finite.
 * Source: J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9 (1961).
 */
export function littleConcurrency({
  ratePerSecond,
  seconds,
}: {
  readonly ratePerSecond: number;
  readonly seconds: number;
}): number {
  for (const [name, value] of Object.entries({ ratePerSecond, seconds })) {
    expectOption(name, value, Number.isFinite(value) && value >= 0, 'a finite number >= 0');
  }
  return ratePerSecond * seconds;
}
