import type { DriverLog } from '../driver-log.js';
import { meaningOf, reasonOf } from '../errors.js';
import type { Link } from '../vendor/link.js';
import type { Assignment } from './assignment.js';
import type { Reading } from './reading.js';
import { Signal } from './signal.js';

const RETRY_AFTER_MS = 500;

interface HeartbeatLimits {
  readonly intervalMs: number;
  /** Silence after which the broker has given our partitions away. */
  readonly sessionTimeoutMs: number;
}

/**
 * Tells the group that we live for as long as an assignment is held, on a clock of its own: also while the application is
 * slow, while positions are looked up and while what is out is settled for a rebalance.
 */
export class Heartbeats {
  readonly #link: Link;
  readonly #assignment: Assignment;
  readonly #limits: HeartbeatLimits;
  readonly #reading: Reading;
  readonly #driverLog: DriverLog;
  readonly #soon = new Signal();
  #isStopped = false;
  #heardAt = performance.now();

  constructor(link: Link, assignment: Assignment, limits: HeartbeatLimits, reading: Reading, driverLog: DriverLog) {
    this.#link = link;
    this.#assignment = assignment;
    this.#limits = limits;
    this.#reading = reading;
    this.#driverLog = driverLog;
  }

  start(): void {
    this.#run().catch((error: unknown) => this.#assignment.end({ kind: 'crashed', error }));
  }

  stop(): void {
    this.#isStopped = true;
    this.#soon.fire();
  }

  /** Asks the group at once whether we still belong to it. */
  ask(): void {
    this.#soon.fire();
  }

  async #run(): Promise<void> {
    let wait = this.#limits.intervalMs;
    for (;;) {
      await this.#soon.wait(wait);
      if (this.#isStopped || this.#assignment.isGone) return;
      wait = (await this.#beat()) ? this.#limits.intervalMs : Math.min(RETRY_AFTER_MS, this.#limits.intervalMs);
    }
  }

  async #beat(): Promise<boolean> {
    try {
      await this.#answerInTime();
      this.#heardAt = performance.now();
      this.#reading.works('group');
      return true;
    } catch (error) {
      if (this.#isStopped) return false;
      return this.#answer(error);
    }
  }

  async #answerInTime(): Promise<void> {
    const late = new Signal();
    let isLate = true;
    const answer = this.#link.heartbeat(this.#assignment.membership).finally(() => {
      isLate = false;
      late.fire();
    });
    await Promise.race([answer, late.wait(this.#limits.sessionTimeoutMs)]);
    if (!isLate) return answer;
    answer.catch(() => undefined);
    this.#link.forgetCoordinator();
    throw Object.assign(new Error(`no response within ${this.#limits.sessionTimeoutMs} ms`), { code: 'ETIMEDOUT' });
  }

  async #answer(error: unknown): Promise<boolean> {
    const meaning = meaningOf(error);
    if (meaning === 'rebalance') {
      this.#heardAt = performance.now();
      this.#assignment.end({ kind: 'rebalance' });
      return true;
    }
    if (meaning === 'stale') {
      this.#assignment.end({ kind: 'stale', error });
      return false;
    }
    this.#reading.failing('group');
    if (meaning === 'denied') {
      this.#assignment.end({ kind: 'crashed', error });
      return false;
    }
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs > this.#limits.sessionTimeoutMs) {
      this.#assignment.end({ kind: 'crashed', error });
      return false;
    }
    this.#link.forget(error);
    if (silentMs > this.#limits.intervalMs * 2) {
      this.#driverLog.trouble(`The group coordinator does not respond: ${reasonOf(error)}. Retrying.`);
    }
    try {
      await this.#link.findCoordinator();
    } catch (reason) {
      this.#link.forget(reason);
    }
    return false;
  }
}
