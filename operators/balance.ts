import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectKnown, expectOption } from '../src/core/options.js';
import { type Branch, expectSinks, intoBranches, noSinkError, untilTheLast } from '../src/delivery/branches.js';
import { deliveryOperator, type SettlingOperator } from '../src/delivery/delivery-operator.js';
import { RetainedDeliveries } from '../src/delivery/retained-deliveries.js';

export interface BalanceOptions {
  /** Notified when a sink fails. */
  readonly monitor?: Monitor;
}

/**
 * Hands each delivery to the sink with the fewest unreleased values; sinks with equal counts take turns. Emits what the sinks
 * emit.
 *
 * ```
 * values  -ab--c---d------|
 *         balance([one, two])     one acks after 5, two after 2
 * result  ----b-ac------d-|
 * acks    ----b-ac------d--
 * ```
 *
 * Settles: as the sink does. A sink that fails is not used again; its unsettled deliveries are redelivered to another.
 * Bounds: nothing is buffered.
 * Fails: when the last of the sinks has failed, with its error. No ledger is kept downstream: a redelivered value may go to
 * another sink, so each is at least once.
 */
export function balance<T, R>(sinks: readonly Branch<T, R>[], options: BalanceOptions = {}): SettlingOperator<T, R> {
  expectKnown('balance options', options, ['monitor']);
  expectSinks(sinks);
  const { monitor = defaultMonitor } = options;
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');

  return deliveryOperator(
    'balance',
    { because: '`balance` may give a redelivered value to another of its sinks' },
    (source) =>
      intoBranches<T, R>(
        sinks,
        (outlets) => {
          const targets = outlets.map((outlet) => ({
            outlet,
            load: new RetainedDeliveries<T>({ takeOver: () => false, resumeTracker: 'hidden' }),
          }));
          let turn = 0;
          return (delivery) => {
            const inTurn = [...targets.slice(turn), ...targets.slice(0, turn)].filter(({ outlet }) => outlet.isOpen);
            const [first] = inTurn;
            if (first === undefined) {
              delivery.nack(noSinkError());
              return;
            }
            const least = inTurn.reduce((best, one) => (one.load.size < best.load.size ? one : best), first);
            turn = (targets.indexOf(least) + 1) % targets.length;
            least.outlet.give(least.load.keep(delivery));
          };
        },
        untilTheLast('balance', sinks.length, monitor),
      )(source),
    sinks,
  );
}
