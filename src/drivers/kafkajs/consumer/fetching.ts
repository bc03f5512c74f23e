import { listed } from '../../../core/sentence.js';
import type { KafkaBatch } from '../../../ports/kafka-consumer.js';
import { connectError, mayPass, meaningOf, reasonOf } from '../errors.js';
import { toBatch } from '../records/batch.js';
import type { Fetched, Link } from '../vendor/link.js';
import type { Assignment, OwnedPartition } from './assignment.js';
import { unfetchableError, unreadableError } from './fetch-errors.js';
import { type Asked, ready } from './fetch-order.js';
import type { Home } from './home.js';
import type { LogRange } from './log-range.js';
import { LATE_MS, type Reading, whenLate } from './reading.js';
import type { SameTopics } from './same-topics.js';
import { FIRST_WAIT_MS, MAX_WAIT_MS, retryMs, Signal } from './signal.js';
import { topicTrouble } from './topic-trouble.js';

/** Grants are given by people. */
const FORBIDDEN_WAIT_MS = 10_000;

/** What fetching works with: what it reads, and what it reports to. */
interface FetchSetting {
  readonly home: Home;
  /** Learns which partitions can be fetched and which cannot. */
  readonly reading: Reading;
  readonly topics: SameTopics;
  readonly range: LogRange;
  /** Has the cluster asked which topics there are now. */
  readonly lookForTopics: () => void;
}

interface Taken extends Asked {
  readonly batch: KafkaBatch;
}

/**
 * Fetches what one assignment owns, one request under way to each broker that leads some of it, and hands it over.
 *
 * Bounds: at most two fetches of a partition are held at once: one passed on, one under way.
 */
export class Fetching {
  readonly #link: Link;
  readonly #assignment: Assignment;
  readonly #of: FetchSetting;
  readonly #nodes = new Set<number>();
  readonly #changed = new Signal();
  /** Waits that nothing shortens but the end. */
  readonly #ending = new Signal();
  #refreshDueAt = Number.POSITIVE_INFINITY;
  #fed = 0;

  constructor(link: Link, assignment: Assignment, of: FetchSetting) {
    this.#link = link;
    this.#assignment = assignment;
    this.#of = of;
    void assignment.ending.then(() => {
      this.wake();
      this.#ending.fire();
    });
  }

  /** Starts a loop for each broker that leads a partition of ours and has none yet, and looks again for leaders that are missing. */
  start(): void {
    if (this.#assignment.isOver) return;
    this.#followLeaders();
    const leaderless: string[] = [];
    let isSomeUnled = false;
    for (const owned of this.#assignment.partitions) {
      if (this.#link.leaderOf(owned) !== undefined) continue;
      isSomeUnled = true;
      this.#of.reading.failing(owned);
      if (!this.#isTopicTrouble(owned)) leaderless.push(owned.stream);
    }
    if (leaderless.length > 0)
      this.#of.home.driverLog.trouble(
        `${listed(leaderless)} has no leader at the moment. Other partitions are read; the metadata is refreshed.`,
      );
    if (isSomeUnled) this.#refreshLater(MAX_WAIT_MS);
  }

  /** A partition whose new leader became known, to whatever asked for the metadata, is read there from now on. */
  #followLeaders(): void {
    if (this.#assignment.isOver) return;
    for (const owned of this.#assignment.partitions) {
      const node = this.#link.leaderOf(owned);
      if (node === undefined || this.#nodes.has(node)) continue;
      this.#nodes.add(node);
      this.#run(node).catch((error: unknown) => this.#failed(error));
    }
  }

  /** Whether nobody leads it because its topic is gone, or hidden from us. */
  #isTopicTrouble(owned: OwnedPartition): boolean {
    const error = this.#link.topicError(owned.topic);
    const meaning = error === undefined ? undefined : meaningOf(error);
    if (meaning !== 'missing' && meaning !== 'forbidden') return false;
    owned.troubles += 1;
    this.#topicTrouble(owned, meaning, error);
    return true;
  }

  /** Looks again at what is paused and where to read: something has changed. */
  wake(): void {
    this.#followLeaders();
    this.#changed.fire();
  }

  async #run(node: number): Promise<void> {
    let troubles = 0;
    let underWay: Promise<Fetched[]> | undefined;
    let asked: Asked[] = [];
    while (!this.#assignment.isOver) {
      if (underWay === undefined) {
        const now = performance.now();
        asked = ready(this.#assignment, this.#link, node, now);
        if (asked.length === 0) {
          if (!this.#assignment.partitions.some((owned) => this.#link.leaderOf(owned) === node)) break;
          await this.#idle(now);
          continue;
        }
        underWay = this.#ask(node, asked);
      }
      let fetched: Fetched[];
      try {
        fetched = await underWay;
        troubles = 0;
      } catch (error) {
        underWay = undefined;
        if (this.#assignment.isOver) break;
        for (const { owned } of asked) this.#of.reading.failing(owned);
        troubles += 1;
        await this.#recover(error, troubles);
        continue;
      }
      const taken = this.#take(asked, fetched);
      underWay = undefined;
      this.#followLeaders();
      asked = ready(this.#assignment, this.#link, node, performance.now());
      if (asked.length > 0) {
        underWay = this.#ask(node, asked);
        // The request is written some microtasks from now; handing over first would hold it up.
        if (taken.length > 0) await new Promise((resolve) => setImmediate(resolve));
      }
      for (const { batch, owned, turn } of taken) {
        if (!this.#assignment.isOver && owned.turn === turn) this.#of.home.listener.records(batch);
      }
    }
    underWay?.catch(() => undefined);
    this.#nodes.delete(node);
    this.start();
  }

  #ask(node: number, asked: readonly Asked[]): Promise<Fetched[]> {
    const positions = asked.map(({ owned: { topic, partition }, position: offset }) => ({ topic, partition, offset }));
    const isThrottled = this.#link.isThrottled(node);
    const answer = this.#link.fetch(node, positions);
    whenLate(answer, this.#of.home.subscription.maxWaitMs + LATE_MS, () => {
      if (this.#assignment.isOver) return;
      for (const { owned } of asked) this.#of.reading.failing(owned);
      this.#of.home.driverLog.trouble(
        isThrottled
          ? `Broker ${node} throttles fetches by a quota; the broker is not slow. To show the quota: kafka-configs.sh ` +
              '--bootstrap-server … --describe --entity-type clients (and users).'
          : `Broker ${node} is slow to respond to a fetch. The fetch is retried when the request times out.`,
      );
    });
    return answer;
  }

  /**
   * Until woken, or until a partition in trouble may be tried again. `now` is the moment at which none was ready: one whose
   * time came since then would otherwise be neither ready nor waited for.
   */
  async #idle(now: number): Promise<void> {
    const waits = this.#assignment.partitions.filter(
      (owned) => !owned.isPaused && !owned.isLeaving && owned.waitUntilMs > now,
    );
    await this.#changed.wait(Math.min(...waits.map((owned) => owned.waitUntilMs)) - now);
  }

  #take(asked: readonly Asked[], fetched: readonly Fetched[]): Taken[] {
    const taken: Taken[] = [];
    for (const one of fetched) {
      const request = asked.find(({ owned }) => owned.topic === one.topic && owned.partition === one.partition);
      if (request !== undefined && one.errorCode === 0) this.#of.reading.works(request.owned);
      // What was asked for before a seek is not wanted any more.
      if (request === undefined || request.owned.turn !== request.turn || this.#assignment.isOver) continue;
      const { owned, position } = request;
      // The leader has moved meanwhile, and the new one was faster.
      if (owned.isLeaving || owned.position !== position) continue;
      if (one.errorCode !== 0) {
        this.#partitionTrouble(owned, this.#link.errorOf(one.errorCode));
        continue;
      }
      if (owned.isDoubted) {
        this.#lookInto(owned, this.#of.topics.doubted(this.#assignment, owned));
        continue;
      }
      owned.troubles = 0;
      const batch = this.#read(owned, position, one);
      if (batch === null) continue;
      owned.position = batch.nextOffset;
      this.#fed += 1;
      owned.fed = this.#fed;
      taken.push({ ...request, batch });
    }
    for (const { messages } of fetched) messages.lease?.seal();
    return taken;
  }

  #read(owned: OwnedPartition, position: number, fetched: Fetched): KafkaBatch | null {
    try {
      return toBatch(owned, position, fetched);
    } catch (error) {
      this.#failed(unreadableError(owned, position, error));
      return null;
    }
  }

  #partitionTrouble(owned: OwnedPartition, error: unknown): void {
    const meaning = meaningOf(error);
    this.#of.reading.failing(owned);
    owned.troubles += 1;
    owned.waitUntilMs = performance.now() + retryMs(owned.troubles);
    if (meaning === 'outOfRange') {
      const { topics, range } = this.#of;
      // The topic may be another, or the log may not reach that far.
      this.#lookInto(
        owned,
        topics.look(this.#assignment).then(() => range.check(owned)),
      );
      return;
    }
    owned.isDoubted ||= meaning === 'missing' || meaning === 'refresh';
    if (meaning === 'missing' || meaning === 'forbidden') {
      if (meaning === 'forbidden') owned.waitUntilMs = performance.now() + FORBIDDEN_WAIT_MS;
      this.#topicTrouble(owned, meaning, error);
    } else if (!mayPass(error)) {
      this.#failed(unfetchableError(owned, error));
      return;
    } else if (owned.troubles > 1) {
      this.#of.home.driverLog.trouble(`Cannot fetch ${owned.stream}: ${reasonOf(error)}. Retrying.`);
    }
    this.#refreshLater(FIRST_WAIT_MS);
  }

  /** The topic is not there, or not ours to read: what that means depends on how it was subscribed to. */
  #topicTrouble(owned: OwnedPartition, meaning: 'missing' | 'forbidden', error: unknown): void {
    if (!this.#assignment.isOver) topicTrouble(this.#of.home, owned, meaning, error, this.#of.lookForTopics);
  }

  /** The stream cannot go on. */
  #failed(error: unknown): void {
    const { home } = this.#of;
    if (!this.#assignment.isOver) home.failed(connectError(error, home.setting));
  }

  /** Nothing is fetched of it until the answer. */
  #lookInto(owned: OwnedPartition, answer: Promise<void>): void {
    owned.waitUntilMs = Number.POSITIVE_INFINITY;
    const { turn } = owned;
    const askAgain = (afterMs: number) => {
      if (owned.turn === turn) owned.waitUntilMs = performance.now() + afterMs;
      this.wake();
    };
    answer.then(
      () => askAgain(FIRST_WAIT_MS),
      (reason: unknown) => {
        if (!mayPass(reason)) {
          this.#failed(reason);
          return;
        }
        this.#of.home.driverLog.trouble(
          `Cannot look up the log's offsets of ${owned.stream}: ${reasonOf(reason)}. Retrying.`,
        );
        askAgain(retryMs(Math.max(1, owned.troubles)));
        this.#refreshLater(FIRST_WAIT_MS);
      },
    );
  }

  async #recover(error: unknown, troubles: number): Promise<void> {
    if (meaningOf(error) === 'denied') {
      this.#failed(error);
      return;
    }
    this.#link.forget(error);
    if (troubles > 1) this.#of.home.driverLog.trouble(`A fetch failed: ${reasonOf(error)}. Retrying.`);
    await this.#ending.wait(retryMs(troubles));
    if (!this.#assignment.isOver) await this.#refresh();
  }

  #refreshLater(ms: number): void {
    const dueAt = performance.now() + ms;
    if (this.#refreshDueAt <= dueAt) return;
    this.#refreshDueAt = dueAt;
    this.#ending
      .wait(ms)
      .then(() => {
        if (this.#refreshDueAt === dueAt) this.#refreshDueAt = Number.POSITIVE_INFINITY;
        return this.#assignment.isOver ? undefined : this.#refresh();
      })
      .catch(() => undefined);
  }

  /** Learns the leaders anew. What fails here fails again, and louder, in the next fetch. */
  async #refresh(): Promise<void> {
    await this.#link.refresh().catch((error: unknown) => this.#link.forget(error));
    this.start();
    // A broker that led nothing of ours, or only what is paused, may lead more now.
    this.wake();
  }
}
