import {
  defer,
  from,
  lastValueFrom,
  merge,
  NEVER,
  type Observable,
  type ObservableInput,
  takeUntil,
  tap,
  timer,
  toArray,
} from 'rxjs';
import { timeOfDayMs } from '../../core/clock.js';
import { randomName } from '../../core/random-name.js';
import type { Fact, Probe, ProbeSetting } from '../../delivery/probe.js';
import { reach } from './reach.js';

const REACH_WITHIN_MS = 5_000;
/** For what a probe made to be removed again. */
const CLEAN_WITHIN_MS = 15_000;

/**
 * All facts that a probe finds in a time, or until it is stopped, and what came of removing its scratch files. What is not known by then is a fact too.
 *
 * Fails: never.
 */
export async function gather(probe: Probe, limitMs: number, stop$: Observable<unknown> = NEVER): Promise<Fact[]> {
  const cleaning: (() => ObservableInput<Fact>)[] = [];
  const setting: ProbeSetting = {
    reach: (endpoint) => reach(endpoint, Math.min(REACH_WITHIN_MS, limitMs)),
    nowMs: timeOfDayMs,
    scratch: `_rxflume-doctor-${randomName()}`,
    atEnd: (clean) => cleaning.push(clean),
  };
  const fix = 'See what is said of it above; give it more time with `--within`.';
  const over$ = merge(timer(limitMs), stop$);
  const facts = await listed(() => probe(setting), over$, 'all of this part', fix);
  const removeFix = `Look for what begins with ${setting.scratch}, and remove it.`;
  const removed = await listed(
    () => merge(...cleaning.map((clean) => defer(clean))),
    timer(CLEAN_WITHIN_MS),
    'whether the scratch files are removed',
    removeFix,
  );
  return [...facts, ...removed];
}

async function listed(
  facts: () => ObservableInput<Fact>,
  over$: Observable<unknown>,
  what: string,
  fix: string,
): Promise<Fact[]> {
  const found: Fact[] = [];
  let isWhole = false;
  try {
    const emitted$ = defer(facts).pipe(
      tap({
        next: (fact) => found.push(fact),
        complete: () => {
          isWhole = true;
        },
      }),
      takeUntil(over$),
      toArray(),
    );
    await lastValueFrom(from(emitted$));
  } catch (error) {
    return [...found, { kind: 'unknown', what, error, fix }];
  }
  if (isWhole) return found;
  return [...found, { kind: 'unknown', what, error: new Error('it was cut off before its end'), fix }];
}
