import type { ObservableInput } from 'rxjs';
import type { PartitionOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import { connectError, groupHasMovedOn, mayPass, meaningOf, reasonOf } from '../errors.js';
import type { Link } from '../vendor/link.js';
import { answerWithin } from './answer-within.js';
import type { Assignment, OwnedPartition } from './assignment.js';
import type { Home } from './home.js';
import type { LogRange } from './log-range.js';
import type { Rejected } from './offsets.js';
import { LATE_MS, type Reading, whenLate } from './reading.js';
import type { SameTopics } from './same-topics.js';
import { retryMs, Signal } from './signal.js';
import { topicTrouble } from './topic-trouble.js';

/** What starting works with, and whom it tells. */
interface StartSetting {
  readonly home: Home;
  readonly reading: Reading;
  readonly topics: SameTopics;
  readonly range: LogRange;
  /** Asks the group soon whether we still belong to it. */
  readonly doubt: () => void;
  /** Some partition can be fetched that could not. */
  readonly startable: () => void;
  /** Has the cluster asked which topics there are now. */
  readonly lookForTopics: () => void;
}

/** Learns where to start in what one assignment owns: from the listener first, then from the group, or from the log. */
export class Starting {
  readonly #link: Link;
  readonly #assignment: Assignment;
  readonly #of: StartSetting;
  #isLooking = false;

  constructor(link: Link, assignment: Assignment, of: StartSetting) {
    this.#link = link;
    this.#assignment = assignment;
    this.#of = of;
  }

  /** Asks the listener, which says where to start in some of them. False where the assignment ended meanwhile. */
  async ask(
    partitions: readonly TopicPartition[],
    call: () => ObservableInput<readonly PartitionOffset[]>,
  ): Promise<boolean> {
    const starts = (await this.#answerOf(call)) as readonly PartitionOffset[] | undefined;
    if (starts === undefined) return false;
    this.#assignment.setStarts(starts);
    if (!this.#of.topics.hold(starts)) return false;
    for (const one of partitions) {
      const owned = this.#assignment.get(one);
      if (owned !== undefined) owned.isAnswered = true;
    }
    return !this.#assignment.isOver;
  }

  /** Learns where to start in what the listener left open, until that is known. Reports its failure itself. */
  async findOthers(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (let failures = 1; !this.#assignment.isOver; failures += 1) {
        if (this.#open().length === 0) return;
        if (!(await this.#findSome(failures))) return;
      }
    } finally {
      this.#isLooking = false;
    }
  }

  #open(): OwnedPartition[] {
    return this.#assignment.partitions.filter((owned) => owned.position < 0 && owned.isAnswered && !owned.isLeaving);
  }

  /** One try. False where there is nothing more to try. */
  async #findSome(failures: number): Promise<boolean> {
    const { home, reading } = this.#of;
    const asked = this.#open();
    try {
      if (!(await this.#tryToFind(asked))) return false;
    } catch (error) {
      if (this.#assignment.isOver) return false;
      reading.failing('start');
      if (groupHasMovedOn(error)) this.#of.doubt();
      else if (!mayPass(error)) {
        home.failed(connectError(error, home.setting));
        return false;
      }
      this.#link.forget(error);
      await this.#link.findCoordinator().catch(() => undefined);
    }
    // What came meanwhile is looked up at once.
    if (!asked.some((owned) => owned.position < 0 && this.#assignment.has(owned))) return true;
    const late = new Signal();
    await Promise.race([late.wait(retryMs(failures)), this.#assignment.ending]);
    late.fire();
    await this.#link.refresh().catch((reason: unknown) => this.#link.forget(reason));
    return true;
  }

  async #tryToFind(asked: readonly OwnedPartition[]): Promise<boolean> {
    const { home, reading, topics, range } = this.#of;
    const assignment = this.#assignment;
    const answer = range.starts(asked);
    whenLate(answer, LATE_MS, () => reading.failing('start'));
    const { committed, began, rejected } = await answer;
    if (assignment.isOver) return false;
    reading.works('start');
    if (!topics.hold(committed)) return false;
    // Of one that was taken away and given again meanwhile, the answer is of before.
    const isStill = (one: TopicPartition) => asked.includes(assignment.get(one) as OwnedPartition);
    assignment.setStarts(committed.filter(isStill));
    this.#of.startable();
    for (const one of rejected.filter(isStill)) this.#startUnknown(one);
    const fresh = began.filter(isStill);
    if (fresh.length === 0) return true;
    const isRemembered = await this.#answerOf(() => home.listener.began(assignment.epoch, fresh));
    if (isRemembered === undefined) return false;
    assignment.setStarts(fresh.filter(isStill));
    this.#of.startable();
    return true;
  }

  #answerOf(call: () => ObservableInput<unknown>): Promise<unknown> {
    const { home } = this.#of;
    return answerWithin(this.#assignment, call, home.subscription.revokeTimeoutMs, (error) => home.failed(error));
  }

  /** Of one partition it is not known where to start. */
  #startUnknown({ topic, partition, error }: Rejected): void {
    const { home, reading } = this.#of;
    const owned = this.#assignment.get({ topic, partition });
    if (owned === undefined) return;
    const meaning = meaningOf(error);
    reading.failing(owned);
    owned.troubles += 1;
    this.#link.forget(error);
    if (meaning === 'missing' || meaning === 'forbidden') {
      if (!this.#assignment.isOver) topicTrouble(home, owned, meaning, error, this.#of.lookForTopics);
    } else if (mayPass(error)) {
      const what = `Cannot look up the start offset of ${owned.stream}: ${reasonOf(error)}. Other partitions are read; retrying.`;
      if (owned.troubles > 1) home.driverLog.trouble(what);
    } else home.failed(connectError(error, home.setting));
  }
}
