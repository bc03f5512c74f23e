import { randomUUID } from 'node:crypto';
import { RxflumeError } from '../../../core/errors.js';
import type { CommittedOffset } from '../../../ports/kafka-consumer.js';
import { Assignment, type Ending } from '../consumer/assignment.js';
import { Fetching } from '../consumer/fetching.js';
import type { GroupMember } from '../consumer/group-member.js';
import type { Home } from '../consumer/home.js';
import { LogFactsReader } from '../consumer/log-facts.js';
import { LogRange } from '../consumer/log-range.js';
import type { Rejected } from '../consumer/offsets.js';
import { Reading } from '../consumer/reading.js';
import { SameTopics } from '../consumer/same-topics.js';
import { retryMs, Signal } from '../consumer/signal.js';
import { Starting } from '../consumer/starting.js';
import { connectError, mayPass, reasonOf, typeOf } from '../errors.js';
import { Beats } from './beats.js';
import { brokerPattern } from './broker-pattern.js';
import type { ConsumerLink } from './consumer-link.js';
import { ClassicInstead, joinError, unofferedError } from './group-errors.js';
import { type GroupTopics, Membership } from './membership.js';
import { Reconciling } from './reconciling.js';

/** The broker's own default; how long it is set to is not said to clients. */
const BROKER_SESSION_MS = 45_000;
/** For about that long a partition is read by nobody whose member has left. */
const MAX_INTERVAL_MS = 2_000;
/** A commit is repeated so often with a newer epoch before it counts as failed. */
const STALE_TRIES = 5;

/**
 * One life of a member of the group by the consumer protocol (KIP-848): from connecting, over each epoch in which it owns
 * partitions, to a crash or to being closed. A change takes away, and brings, only the partitions that move.
 */
export class ConsumerMember implements GroupMember {
  readonly link: ConsumerLink;
  readonly logFacts: LogFactsReader;
  readonly memberId: string;
  readonly #home: Home;
  readonly #same: SameTopics;
  readonly #range: LogRange;
  readonly #closing = new Signal();
  #membership: Membership | undefined;
  #beats: Beats | undefined;
  #assignment: Assignment | undefined;
  #reading: Reading | undefined;
  #fetching: Fetching | undefined;
  #looking: Promise<void> | undefined;
  /** The broker does not resolve the pattern as we mean it: the topics that match are named. */
  #isNaming = false;
  #isClosed = false;
  #isConnected = false;

  constructor(link: ConsumerLink, home: Home, memberId: string | null) {
    this.link = link;
    this.#home = home;
    this.memberId = memberId ?? randomUUID();
    this.logFacts = new LogFactsReader(link);
    this.#same = new SameTopics(link, home);
    this.#range = new LogRange(link, home.subscription);
  }

  get assignment(): Assignment | undefined {
    return this.#assignment?.isGone ? undefined : this.#assignment;
  }

  get reading(): Reading | undefined {
    return this.#reading;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  wake(): void {
    this.#fetching?.wake();
  }

  doubt(): void {
    this.#beats?.ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#assignment?.end({ kind: 'closed' });
    this.#closing.fire();
    this.#beats?.ask();
  }

  async run(): Promise<void> {
    await this.link.connect();
    this.#isConnected = true;
    await this.#expectOffered();
    const { groupId, groupInstanceId = null, sessionTimeoutMs } = this.#home.subscription;
    const setting = {
      groupId,
      memberId: this.memberId,
      instanceId: groupInstanceId,
      rebalanceTimeoutMs: this.#home.options.rebalanceTimeoutMs,
      maxIntervalMs: Math.min(this.#home.options.heartbeatIntervalMs, MAX_INTERVAL_MS),
      instanceWaitMs: 2 * Math.max(sessionTimeoutMs, BROKER_SESSION_MS),
    };
    const membership = new Membership(setting, this.#subscribed());
    this.#membership = membership;
    this.#beats = new Beats(this.link, membership, this.#home, () => this.#nameTopics());
    while (!this.#isClosed) {
      if (!(await this.#join(membership, this.#beats))) return;
      const ending = await this.#hold(membership, this.#beats);
      if (ending.kind === 'crashed') throw ending.error;
    }
  }

  async commit(assignment: Assignment, offsets: readonly CommittedOffset[]): Promise<readonly Rejected[]> {
    for (let tries = 1; ; tries += 1) {
      const membership = this.#membership;
      // What was taken away meanwhile is another's to commit.
      const ours = offsets.filter((one) => assignment.get(one) !== undefined);
      if (membership === undefined || assignment.isGone || ours.length === 0) return [];
      const { epoch: generationId, memberId } = membership;
      try {
        return await this.link.commit({ generationId, memberId }, ours);
      } catch (error) {
        if (typeOf(error) !== 'STALE_MEMBER_EPOCH' || tries === STALE_TRIES) throw error;
        if (membership.epoch === generationId) await this.#beats?.next(assignment);
      }
    }
  }

  async leave(): Promise<void> {
    const membership = this.#membership;
    if (membership === undefined || membership.epoch === 0) return;
    await this.link.beat(membership.leaving());
  }

  /** Where the choice is ours, a group that has members of the classic protocol is left as it is. */
  async #expectOffered(): Promise<void> {
    const { subscription } = this.#home;
    const reason = await this.#persistently(() => this.link.whyNotOffered());
    if (subscription.protocol !== 'auto') {
      if (reason !== undefined) throw unofferedError(subscription, reason);
      return;
    }
    if (reason !== undefined) throw new ClassicInstead(reason);
    const others = await this.link.classicMembers().catch((error: unknown) => {
      throw new ClassicInstead(`whether the group has members of it cannot be learnt (${reasonOf(error)})`);
    });
    if (others > 0) throw new ClassicInstead(`the group has members of it (${others})`);
  }

  /** Until it succeeds, for as long as joining may take. Undefined where we were closed. */
  async #persistently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const until = this.#joinUntil();
    for (let failures = 1; ; failures += 1) {
      try {
        return await ask();
      } catch (error) {
        if (this.#isClosed) return undefined;
        if (!mayPass(error) || performance.now() > until) throw connectError(error, this.#home.setting);
        this.link.forget(error);
        await this.#closing.wait(retryMs(failures));
        if (this.#isClosed) return undefined;
      }
    }
  }

  #joinUntil(): number {
    const { options, subscription, hasJoined } = this.#home;
    return performance.now() + (hasJoined ? subscription.sessionTimeoutMs : options.connectTimeoutMs);
  }

  /** True once the group has taken us in; false where we were closed. */
  async #join(membership: Membership, beats: Beats): Promise<boolean> {
    const { subscription, driverLog } = this.#home;
    this.link.asking = { memberId: null, epoch: -1 };
    await this.#persistently(() => this.#range.lookBeforeJoining());
    const until = this.#joinUntil();
    while (!this.#isClosed) {
      await this.#closing.wait(membership.waitMs(performance.now()));
      if (this.#isClosed) return false;
      const { step, error } = await beats.beat();
      if (step === 'nothing' || step === 'reconcile') return true;
      if (step === 'again' && typeOf(error) === 'UNRELEASED_INSTANCE_ID') {
        const held = `Group ${subscription.groupId} still holds \`groupInstanceId\` ${subscription.groupInstanceId} for a member that is gone, or runs.`;
        driverLog.tell('warn', 'kafka.joining', `${held} Retrying until its session has timed out.`);
      } else if (step === 'fail' || performance.now() > until) throw joinError(error, subscription);
    }
    return false;
  }

  /** One epoch of ours: from being taken in to being thrown out, a crash, or the end. */
  async #hold(membership: Membership, beats: Beats): Promise<Ending> {
    const { options, driverLog, listener } = this.#home;
    const assignment = new Assignment(this.#home.nextEpoch(), { generationId: -1, memberId: '', partitions: [] });
    this.#assignment = assignment;
    const reading = new Reading((isReading) => {
      if (isReading) driverLog.tell('info', 'kafka.reading', 'All partitions can be read again. Reading resumes.');
      listener.reading(isReading);
    });
    this.#reading = reading;
    const lookForTopics = () => this.#lookSoon(assignment);
    const shared = { home: this.#home, reading, topics: this.#same, range: this.#range, lookForTopics };
    const fetching = new Fetching(this.link, assignment, shared);
    this.#fetching = fetching;
    const doubt = () => beats.ask();
    const starting = new Starting(this.link, assignment, { ...shared, doubt, startable: () => fetching.wake() });
    const nameTopics = () => this.#nameTopics();
    const ownedChanged = () => beats.look();
    const parts = { ...shared, link: this.link, membership, fetching, starting, nameTopics, ownedChanged };
    const reconciling = new Reconciling(assignment, parts);
    const watch = setInterval(lookForTopics, options.metadataMaxAgeMs);
    try {
      await this.#same.learn();
      this.#home.joined();
      if (!assignment.isOver) {
        beats.keep(assignment, reading, () => reconciling.look());
        await reconciling.run();
        await assignment.ending;
      }
    } finally {
      clearInterval(watch);
      reading.end();
      beats.stop();
      this.#reading = undefined;
      this.#fetching = undefined;
      this.#assignment = undefined;
    }
    if (assignment.partitions.length > 0 && !this.#isClosed) listener.lost();
    return assignment.reason ?? { kind: 'closed' };
  }

  #subscribed(): GroupTopics {
    const { topics } = this.#home.subscription;
    const pattern =
      topics instanceof RegExp && !this.#isNaming && this.link.canMatch ? brokerPattern(topics) : undefined;
    return pattern === undefined ? { topics: [...this.link.topics].sort() } : { pattern };
  }

  #nameTopics(): void {
    if (this.#isNaming) return;
    this.#isNaming = true;
    const what = `The broker does not match ${this.#home.subscription.topics} as it is meant. The matching topics are subscribed to by name.`;
    this.#home.driverLog.tell('info', 'kafka.pattern', what);
    this.#subscribe();
  }

  #subscribe(): void {
    this.#membership?.subscribe(this.#subscribed());
    this.#beats?.look();
  }

  #lookSoon(assignment: Assignment): void {
    this.#looking ??= this.#look(assignment).finally(() => {
      this.#looking = undefined;
    });
  }

  /** Learns which topics there are now: those that are named, and the ids of new ones that the broker gives us. */
  async #look(assignment: Assignment): Promise<void> {
    const { subscription, failed } = this.#home;
    try {
      await this.#same.look(assignment);
      await this.link.layout();
      this.wake();
      this.#subscribe();
    } catch (error) {
      const isGone = error instanceof RxflumeError && error.code === 'RXF_KAFKA_TOPIC_MISSING';
      // Without partitions there is no fetch that would show it.
      if (isGone && !(subscription.topics instanceof RegExp) && !assignment.isOver) failed.call(this.#home, error);
    }
  }
}
