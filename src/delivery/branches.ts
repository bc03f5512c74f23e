import { catchError, defer, EMPTY, merge, Observable, type OperatorFunction, Subject, throwError } from 'rxjs';
import { SinkError } from '../core/errors.js';
import { inBranchScope } from '../core/flow-scope.js';
import { type Monitor, withCause } from '../core/monitor.js';
import { expectFunction, expectOption } from '../core/options.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import type { Delivery } from './delivery.js';
import { unlessRehearsed } from './rehearsal.js';

/** Where deliveries may go on: a sink such as `lake.write()`, or operators that end in one. */
export type Branch<in T, out R> = (deliveries: Observable<Delivery<T>>) => Observable<R>;

/** The entry to a branch. */
export class Outlet<T> {
  readonly #deliveries$ = new Subject<Delivery<T>>();
  readonly deliveries$: Observable<Delivery<T>> = this.#deliveries$.asObservable();

  #isLeft = false;

  /** False once the branch takes no more: it has completed, failed or was left. */
  get isOpen(): boolean {
    return this.#deliveries$.observed && !this.#isLeft;
  }

  /** Hands the delivery on; nacks it where the branch takes no more. */
  give(delivery: Delivery<T>): void {
    if (this.isOpen) this.#deliveries$.next(delivery);
    else delivery.nack(closedError());
  }

  complete(): void {
    this.#deliveries$.complete();
  }

  /** The flow stops: what one branch nacks because of that goes to no other. */
  leave(): void {
    this.#isLeft = true;
  }
}

/** How deliveries are dealt to branches. */
interface Deal<T> {
  readonly deal: (delivery: Delivery<T>) => void;
  /** The source has completed: `complete`, now or later, ends the branches. Default: now. */
  readonly completed?: (complete: () => void) => void;
}

/**
 * Runs branches side by side, and deals each delivery to them; emits what they emit, and completes when all of them have.
 *
 * `failed` is given the error of a branch, and what it answers goes on in the branch's place: nothing, where the others are
 * to live on. Without it the first error of a branch is the error of all.
 */
export function intoBranches<T, R>(
  branches: readonly Branch<T, R>[],
  begin: (outlets: readonly Outlet<T>[]) => Deal<T> | Deal<T>['deal'],
  failed?: (at: number, error: unknown) => Observable<never>,
): OperatorFunction<Delivery<T>, R> {
  return (source) =>
    new Observable((subscriber) => {
      const outlets = branches.map(() => new Outlet<T>());
      const takeFrom = subscribeOrdered(subscriber, () => {
        for (const outlet of outlets) outlet.leave();
      });
      const dealing = begin(outlets);
      const { deal, completed } = typeof dealing === 'function' ? { deal: dealing, completed: undefined } : dealing;
      const complete = () => {
        for (const outlet of outlets) outlet.complete();
      };
      const running = outlets.map(({ deliveries$ }, at) => {
        const branch = unlessRehearsed(branches[at] as Branch<T, R>);
        const branch$ = defer(() => branch(deliveries$));
        return failed === undefined ? branch$ : branch$.pipe(catchError((error: unknown) => failed(at, error)));
      });
      inBranchScope(() => merge(...running).subscribe(subscriber));
      takeFrom(source, {
        next: (delivery) => deal(delivery),
        complete: () => (completed === undefined ? complete() : completed(complete)),
      });
    });
}

function closedError(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The branch that the value was for takes no more; it is redelivered.');
}

/** For sinks that replace each other: one that fails is reported and left out, and the error of the last is the error of all. */
export function untilTheLast(operator: string, count: number, monitor: Monitor) {
  let left = count;
  return (at: number, error: unknown): Observable<never> => {
    left -= 1;
    if (left === 0) return throwError(() => error);
    monitor.report({
      what: `${operator}.lost`,
      ...withCause(`Sink ${at + 1} has failed and is not used again`, error),
    });
    return EMPTY;
  };
}

/** With what a delivery is nacked where none of such sinks takes any more. */
export function noSinkError(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'All sinks have failed or completed; the value is redelivered.');
}

/** Throws `OptionError` where it is no list of sinks. */
export function expectSinks(sinks: readonly unknown[]): void {
  expectOption('sinks', sinks, Array.isArray(sinks) && sinks.length > 0, 'an array of sinks');
  for (const [at, sink] of sinks.entries()) expectFunction(`sinks[${at}]`, sink);
}

/** The names of an object of sinks, at most so many. Throws `OptionError` where it is none. */
export function expectBranches(name: string, sinks: unknown, most: number): string[] {
  const names = typeof sinks === 'object' && sinks !== null ? Object.keys(sinks) : [];
  expectOption(name, sinks, names.length > 0 && names.length <= most, `an object of 1 to ${most} sinks by name`);
  for (const one of names) expectFunction(`${name}.${one}`, (sinks as Readonly<Record<string, unknown>>)[one]);
  return names;
}
