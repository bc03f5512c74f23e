import { asyncScheduler, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describeError, OptionError } from '../../core/errors.js';
import { withChance } from './chance.js';
import { compare, type Differences, type Lines } from './comparison.js';
import type { Fault, Schedule, Verb } from './schedule.js';
import { Simulation } from './simulation.js';
import type { Fed, Trial } from './trial.js';
import type { Wait } from './waits.js';

/** The longest the collectors may be busy before they are ordered to drain, in virtual milliseconds. */
const MAX_BUSY_MS = 20_000;
/** How often it is looked whether all is committed that is waited for. */
const LOOK_MS = 50;
/** Fresh collectors that may come one after the other once all is healed. */
const MAX_ROUNDS = 6;
/** Beyond it, and some waits as long as they may be, the clock stops, so that timers that nobody ends do not run forever. */
const MAX_MS = 600_000;

/** What became of one schedule. */
export interface Outcome extends Differences {
  readonly lines: Lines;
  readonly partial: readonly string[];
  readonly withdrawn: readonly string[];
  readonly outside: readonly string[];
  readonly ahead: readonly string[];
  /** The longest that a partition waited while nothing was wrong. */
  readonly longestWait: Wait | undefined;
  /** The same, where it was longer than it may be. */
  readonly tooLong: readonly Wait[];
  /** Where something did not come to its end: what was waiting then. */
  readonly waiting: readonly Wait[];
  /** What did not come to its end, or the empty text. */
  readonly stuck: string;
  /** The errors of collectors that failed by themselves. */
  readonly errors: readonly unknown[];
  readonly steps: readonly Verb[];
  readonly struck: readonly { readonly fault: Fault; readonly words: string }[];
  readonly log: readonly string[];
}

/**
 * Runs one schedule in virtual time: produces, lets the faults strike, drains; then heals everything, wakes who sleeps,
 * carries out what is late, and lets fresh collectors run until nothing is missing or nothing comes any more.
 */
export function play(trial: Trial, schedule: Schedule, feed: readonly Fed[], isLogged = false): Outcome {
  const scheduler = new TestScheduler(() => undefined);
  const mostMs = MAX_MS + MAX_ROUNDS * trial.maxWaitMs;
  const { stackTraceLimit } = Error;
  // Faults make thousands of errors whose stacks nobody reads; taking them is a tenth of the time.
  if (!isLogged) Error.stackTraceLimit = 0;
  let course: Course | undefined;
  try {
    withChance(schedule.seed, () =>
      scheduler.run(({ flush }) => {
        scheduler.maxFrames = mostMs;
        course = new Course(trial, schedule, isLogged);
        course.start(feed);
        flush();
      }),
    );
  } catch (error) {
    if (course === undefined || error instanceof OptionError) throw error;
    course.finish(`an error was thrown that nothing caught: ${describeError(error)}`, course.simulation.lastStepAt);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  (course as Course).finish(`the clock ran out after ${mostMs} ms`, mostMs);
  return (course as Course).outcome as Outcome;
}

class Course {
  readonly simulation: Simulation;
  outcome: Outcome | undefined;
  readonly #trial: Trial;
  /** Whether all is waited for before it drains, though nothing went wrong. */
  #isPatient: boolean;
  #linesBefore = -1;
  #isProduced = false;

  constructor(trial: Trial, schedule: Schedule, isLogged: boolean) {
    this.#trial = trial;
    this.#isPatient = schedule.faults.length === 0 && schedule.pace > 0;
    this.simulation = new Simulation(trial, schedule, isLogged);
    this.simulation.onStuck = (why) => this.finish(why);
  }

  start(feed: readonly Fed[]): void {
    this.#produce(feed, 0);
    this.simulation.start();
    this.#whenQuiet(() =>
      this.#drain(() => {
        this.simulation.heal();
        this.#round(1);
      }),
    );
  }

  finish(stuck: string, nowMs = asyncScheduler.now()): void {
    if (this.outcome !== undefined) return;
    const { simulation } = this;
    const { waits } = simulation;
    waits.look(nowMs);
    simulation.end();
    const { longest } = waits;
    const lines = simulation.recorder.visible();
    this.outcome = {
      ...compare(this.#trial.expected ?? lines, lines, this.#trial.roots),
      lines,
      partial: simulation.recorder.partial,
      withdrawn: simulation.recorder.withdrawn,
      outside: simulation.recorder.outside,
      ahead: simulation.recorder.ahead,
      longestWait: longest,
      tooLong: longest !== undefined && longest.ms > this.#trial.maxWaitMs ? [longest] : [],
      waiting: stuck === '' ? [] : waits.waiting(nowMs),
      stuck,
      errors: simulation.collectors.flatMap(({ end, error }) => (end === 'error' ? [error] : [])),
      steps: simulation.steps,
      struck: simulation.struck,
      log: simulation.log ?? [],
    };
  }

  #produce(feed: readonly Fed[], at: number): void {
    const fed = feed[at];
    this.#isProduced = fed === undefined;
    if (fed === undefined) return;
    this.simulation.produce(fed);
    timer(this.#trial.produceIntervalMs).subscribe(() => this.#produce(feed, at + 1));
  }

  #whenQuiet(then: () => void, until = asyncScheduler.now() + MAX_BUSY_MS): void {
    if (this.outcome !== undefined) return;
    const now = asyncScheduler.now();
    const { quietMs, maxWaitMs } = this.#trial;
    const waitMs = this.simulation.lastStepAt + quietMs - now;
    this.simulation.waits.look(now);
    const wait = this.#mayWait ? this.simulation.waits.current(now) : undefined;
    if (this.#isProduced && wait === undefined && (waitMs <= 0 || now >= until)) then();
    else if (now >= until + maxWaitMs) then();
    else timer(waitMs > 0 ? Math.max(10, waitMs) : LOOK_MS).subscribe(() => this.#whenQuiet(then, until));
  }

  /**
   * A run in which nothing has gone wrong yet drains in the midst of its work: the steps of such a drain are to be struck.
   * After that, all that is there must be committed without a drain, until something has waited too long.
   */
  get #mayWait(): boolean {
    const { struck, waits } = this.simulation;
    return (this.#isPatient || struck.length > 0) && (waits.longest?.ms ?? 0) <= this.#trial.maxWaitMs;
  }

  /** Tells all to drain who are awake, and waits until they are done. */
  #drain(then: () => void): void {
    if (this.outcome !== undefined) return;
    const { simulation } = this;
    simulation.isTended = false;
    simulation.waits.pause(asyncScheduler.now());
    for (const collector of simulation.collectors) if (!collector.gate.isStopped) simulation.drain(collector);
    this.#whenDrained(then, asyncScheduler.now() + this.#trial.withinMs, 2);
  }

  #whenDrained(then: () => void, until: number, lookAgainMs: number): void {
    if (this.outcome !== undefined) return;
    const busy = this.simulation.collectors.filter((one) => one.isLeaving && one.isAlive && !one.gate.isStopped);
    if (busy.length === 0) {
      then();
    } else if (asyncScheduler.now() > until) {
      const names = busy.map(({ name }) => name).join(', ');
      this.finish(`${names} did not end within ${this.#trial.withinMs} ms of the start of the drain`);
    } else {
      const nextMs = Math.min(200, lookAgainMs * 2);
      timer(lookAgainMs).subscribe(() => this.#whenDrained(then, until, nextMs));
    }
  }

  #round(number: number): void {
    const { simulation } = this;
    const before = simulation.collectors.length;
    this.#isPatient = true;
    simulation.isTended = true;
    simulation.waits.resume(asyncScheduler.now());
    simulation.start();
    this.#whenQuiet(() =>
      this.#drain(() => {
        const failed = simulation.collectors.slice(before).findLast((one) => one.end === 'error' && one.isLeaving);
        if (simulation.dueAt >= asyncScheduler.now()) this.#afterAllIsDue(() => this.#round(number + 1));
        else this.#judge(number, failed === undefined ? '' : `${failed.name} failed: ${describeError(failed.error)}`);
      }),
    );
  }

  /** Waits for who sleeps and what is late, with no other collector at work. */
  #afterAllIsDue(then: () => void): void {
    timer(this.simulation.dueAt - asyncScheduler.now() + 1).subscribe(() => this.#whenQuiet(() => this.#drain(then)));
  }

  /** Another round where something is missing and may still come. */
  #judge(number: number, failure: string): void {
    const { expected } = this.#trial;
    const lines = this.simulation.recorder.visible();
    const isMissing = expected !== undefined && compare(expected, lines, this.#trial.roots).lost.length > 0;
    const hasMoved = this.#linesBefore !== lines.size;
    this.#linesBefore = lines.size;
    const again = failure !== '' || (isMissing && hasMoved);
    if (again && number < MAX_ROUNDS) this.#round(number + 1);
    else this.finish(failure === '' ? '' : `with nothing going wrong any more, ${failure}`);
  }
}
