import type { ObservableInput } from 'rxjs';
import { reasonOf } from '../errors.js';
import { firstOf } from './answer-within.js';
import type { Assignment } from './assignment.js';
import type { Home } from './home.js';
import { Signal } from './signal.js';

/**
 * Has the listener settle and commit before partitions go to others, and gives up after `revokeTimeoutMs`, or when there is no
 * membership left to commit in. Never fails.
 */
export async function settled(
  home: Home,
  assignment: Assignment,
  settle: () => ObservableInput<unknown>,
): Promise<void> {
  const { subscription, driverLog } = home;
  const unsettled = (what: string) =>
    driverLog.tell('warn', 'kafka.unsettled', `Settling before a rebalance ${what}. Rejoining without it.`);
  const settling = firstOf(settle);
  const late = new Signal();
  let isLate = false;
  const waited = late.wait(subscription.revokeTimeoutMs).then(() => {
    isLate = true;
  });
  const answered = settling.answer.catch((error: unknown) => unsettled(`failed: ${reasonOf(error)}`));
  await Promise.race([answered.then(() => undefined), waited, assignment.gone]);
  if (isLate) unsettled(`took more than ${subscription.revokeTimeoutMs} ms`);
  settling.cancel();
  late.fire();
}
