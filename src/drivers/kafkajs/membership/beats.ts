import type { Assignment } from '../consumer/assignment.js';
import type { Home } from '../consumer/home.js';
import type { Reading } from '../consumer/reading.js';
import { Signal } from '../consumer/signal.js';
import { mayPass, reasonOf, typeOf } from '../errors.js';
import type { ConsumerLink } from './consumer-link.js';
import { joinError } from './group-errors.js';
import type { Membership, Step } from './membership.js';

/**
 * Carries out what a `Membership` says: one heartbeat after the other, on a clock of its own, also while the application is
 * slow and while what is revoked is settled.
 */
export class Beats {
  readonly #link: ConsumerLink;
  readonly #membership: Membership;
  readonly #home: Home;
  readonly #nameTopics: () => void;
  readonly #soon = new Signal();
  readonly #beaten = new Signal();
  #heardAt = performance.now();
  #assignment: Assignment | undefined;

  constructor(link: ConsumerLink, membership: Membership, home: Home, nameTopics: () => void) {
    this.#link = link;
    this.#membership = membership;
    this.#home = home;
    this.#nameTopics = nameTopics;
  }

  /** Asks at once whether we still belong to the group. */
  ask(): void {
    this.#membership.ask();
    this.look();
  }

  /** There may be more to say. */
  look(): void {
    this.#soon.fire();
  }

  /** Asks at once, and resolves after the answer, or the end. */
  async next(assignment: Assignment): Promise<void> {
    const beaten = this.#beaten.wait();
    this.ask();
    await Promise.race([beaten, assignment.ending]);
  }

  /** Lives for as long as the assignment is held. `given`: what the group gives us has changed. */
  keep(assignment: Assignment, reading: Reading, given: () => void): void {
    this.#assignment = assignment;
    this.#heardAt = performance.now();
    void assignment.ending.then(() => this.#soon.fire());
    this.#run(assignment, reading, given).catch((error: unknown) => assignment.end({ kind: 'crashed', error }));
    given();
  }

  /** Nothing is said by itself any more. */
  stop(): void {
    this.#assignment = undefined;
    this.#soon.fire();
    this.#beaten.fire();
  }

  async #run(assignment: Assignment, reading: Reading, given: () => void): Promise<void> {
    while (this.#assignment === assignment && !assignment.isOver) {
      const waitMs = this.#membership.waitMs(performance.now());
      if (waitMs > 0) {
        await this.#soon.wait(waitMs);
        continue;
      }
      const { step, error } = await this.beat();
      this.#beaten.fire();
      if (this.#assignment !== assignment || assignment.isOver) return;
      if (step === 'reconcile') given();
      if (error === undefined) reading.works('group');
      else this.#judge(step, error, assignment, reading);
    }
  }

  /** One heartbeat, and what it means. */
  async beat(): Promise<{ readonly step: Step; readonly error?: unknown }> {
    const beat = this.#membership.next();
    try {
      const answer = await this.#answerInTime(this.#link.beat(beat));
      this.#heardAt = performance.now();
      const step = this.#membership.answered(answer, performance.now());
      this.#link.asking = { memberId: this.#membership.memberId, epoch: this.#membership.epoch };
      return { step };
    } catch (error) {
      const type = typeOf(error);
      const step = this.#membership.unanswered(type, mayPass(error), performance.now());
      if (step === 'rejoin') this.#link.asking = { memberId: null, epoch: -1 };
      if (step === 'names') this.#nameTopics();
      this.#link.forget(error);
      if (step === 'moved' || (step === 'again' && type === '')) {
        await this.#link.findCoordinator().catch((reason: unknown) => this.#link.forget(reason));
      }
      return { step, error };
    }
  }

  #judge(step: Step, error: unknown, assignment: Assignment, reading: Reading): void {
    if (step === 'rejoin') {
      const { driverLog, subscription } = this.#home;
      const what = `Group ${subscription.groupId} has given our partitions away: ${reasonOf(error)}.`;
      driverLog.tell(
        'warn',
        'kafka.fenced',
        `${what} Rejoining; what was not committed is redelivered to its new owners.`,
      );
      assignment.end({ kind: 'stale', error });
      return;
    }
    reading.failing('group');
    const silentMs = performance.now() - this.#heardAt;
    if (step === 'fail' || silentMs > this.#home.subscription.sessionTimeoutMs) {
      assignment.end({ kind: 'crashed', error: joinError(error, this.#home.subscription) });
    } else if (silentMs > this.#membership.intervalMs * 2) {
      this.#home.driverLog.trouble(`The group coordinator does not respond: ${reasonOf(error)}. Retrying.`);
    }
  }

  async #answerInTime<T>(answer: Promise<T>): Promise<T> {
    const { sessionTimeoutMs } = this.#home.subscription;
    const late = new Signal();
    let isLate = true;
    const answered = answer.finally(() => {
      isLate = false;
      late.fire();
    });
    answered.catch(() => undefined);
    await Promise.race([answered, late.wait(sessionTimeoutMs)]);
    if (!isLate) return answered;
    this.#link.forgetCoordinator();
    throw Object.assign(new Error(`no response within ${sessionTimeoutMs} ms`), { code: 'ETIMEDOUT' });
  }
}
