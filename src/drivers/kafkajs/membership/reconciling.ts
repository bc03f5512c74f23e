import type { Assignment, OwnedPartition } from '../consumer/assignment.js';
import type { Fetching } from '../consumer/fetching.js';
import type { Home } from '../consumer/home.js';
import type { Reading } from '../consumer/reading.js';
import type { SameTopics } from '../consumer/same-topics.js';
import { settled } from '../consumer/settling.js';
import { retryMs, Signal } from '../consumer/signal.js';
import type { Starting } from '../consumer/starting.js';
import type { ConsumerLink } from './consumer-link.js';
import type { Membership } from './membership.js';
import { type NamedPartition, namedShares, sharesOf } from './shares.js';

/** Looks for a topic whose id the group gives us before the broker's reading of the pattern is doubted. */
const UNKNOWN_LOOKS = 5;

interface ReconcileSetting {
  readonly home: Home;
  readonly link: ConsumerLink;
  readonly membership: Membership;
  readonly reading: Reading;
  readonly topics: SameTopics;
  readonly fetching: Fetching;
  readonly starting: Starting;
  /** The group gives us a topic that our pattern does not match. */
  readonly nameTopics: () => void;
  /** What we own is to be said at once. */
  readonly ownedChanged: () => void;
}

/**
 * Brings what we own in line with what the group gives us, one change at a time: first what goes is settled, committed and
 * reported as no longer owned, so that its next owner waits no longer than that; then what comes is taken.
 */
export class Reconciling {
  readonly #assignment: Assignment;
  readonly #of: ReconcileSetting;
  readonly #changed = new Signal();
  /** Which making of a topic each of ours is of. */
  readonly #ids = new WeakMap<OwnedPartition, string>();
  #hasNews = false;
  #isAnnounced = false;
  #unknownLooks = 0;

  constructor(assignment: Assignment, of: ReconcileSetting) {
    this.#assignment = assignment;
    this.#of = of;
    void assignment.ending.then(() => this.#changed.fire());
  }

  /** Whether the listener has heard of the assignment. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** What the group gives us may have changed. */
  look(): void {
    this.#hasNews = true;
    this.#changed.fire();
  }

  /** Until the assignment is over. */
  async run(): Promise<void> {
    while (!this.#assignment.isOver) {
      const given = this.#of.membership.given;
      if (!this.#hasNews || given === undefined) {
        await this.#changed.wait();
        continue;
      }
      this.#hasNews = false;
      const { partitions, unknown } = namedShares(given, this.#of.home.topicIds);
      await this.#revoke(partitions);
      if (!this.#assignment.isOver) await this.#take(partitions, unknown.length > 0);
      if (unknown.length > 0 && !this.#assignment.isOver) await this.#learn();
    }
  }

  async #revoke(given: readonly NamedPartition[]): Promise<void> {
    const { home, reading } = this.#of;
    const isGiven = (owned: OwnedPartition) =>
      given.some(
        ({ topic, partition, topicId }) =>
          topic === owned.topic && partition === owned.partition && topicId === this.#ids.get(owned),
      );
    const going = this.#assignment.partitions.filter((owned) => !isGiven(owned));
    if (going.length === 0) return;
    for (const owned of going) owned.isLeaving = true;
    const partitions = going.map(({ topic, partition }) => ({ topic, partition }));
    await settled(home, this.#assignment, () => home.listener.revoking(partitions));
    for (const owned of going) reading.works(owned);
    if (this.#assignment.isOver) return;
    this.#assignment.remove(going);
    home.listener.lost(partitions);
    this.#report();
  }

  /** `isPart`: there is more that cannot be named yet. */
  async #take(given: readonly NamedPartition[], isPart: boolean): Promise<void> {
    const { home, link, fetching, starting, reading } = this.#of;
    const coming = given.filter((one) => this.#assignment.get(one) === undefined);
    const isFirst = !this.#isAnnounced;
    // With nothing yet, an empty assignment says that others have all of it: not so while more is to be named.
    if (coming.length === 0 && (!isFirst || isPart)) return;
    if (coming.some((one) => link.leaderOf(one) === undefined)) {
      await link.refresh().catch((error: unknown) => link.forget(error));
      if (this.#assignment.isOver) return;
    }
    this.#isAnnounced = true;
    this.#assignment.add(coming);
    for (const one of coming) this.#ids.set(this.#assignment.get(one) as OwnedPartition, one.topicId);
    const { epoch } = this.#assignment;
    const { listener } = home;
    const partitions = coming.map(({ topic, partition }) => ({ topic, partition }));
    const isAnswered = await starting.ask(partitions, () =>
      isFirst ? listener.assigned(epoch, partitions) : (listener.added?.(epoch, partitions) ?? []),
    );
    if (!isAnswered) return;
    if (isFirst) reading.start();
    this.#report();
    fetching.start();
    fetching.wake();
    // What can be placed is read; what cannot yet holds up nothing else.
    void starting.findOthers();
  }

  /** Tells the group at once what we own now. */
  #report(): void {
    const owned = this.#assignment.partitions.map((one) => ({
      partition: one.partition,
      topicId: this.#ids.get(one) as string,
    }));
    this.#of.membership.own(sharesOf(owned));
    this.#of.ownedChanged();
  }

  /** Learns the names of what the group gives us. */
  async #learn(): Promise<void> {
    const { home, link, topics, fetching } = this.#of;
    try {
      await link.layout();
      fetching.wake();
      await topics.learnMore();
    } catch (error) {
      link.forget(error);
    }
    this.#unknownLooks += 1;
    const given = this.#of.membership.given ?? [];
    if (namedShares(given, home.topicIds).unknown.length > 0) {
      if (this.#unknownLooks >= UNKNOWN_LOOKS && home.subscription.topics instanceof RegExp) this.#of.nameTopics();
      await this.#changed.wait(retryMs(this.#unknownLooks));
    } else this.#unknownLooks = 0;
    this.#hasNews = true;
  }
}
