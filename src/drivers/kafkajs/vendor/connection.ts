import { from, Observable, type ObservableInput, type Subscriber } from 'rxjs';
import { backoffMs } from '../../../backpressure/backoff.js';
import { ConnectError, isRetryable, RxflumeError } from '../../../core/errors.js';
import type {
  CommittedOffset,
  KafkaConsumer,
  KafkaListener,
  KafkaSubscription,
  LogFacts,
  PartitionOffset,
  TopicPartition,
} from '../../../ports/kafka-consumer.js';
import type { Assignment } from '../consumer/assignment.js';
import type { GroupMember } from '../consumer/group-member.js';
import type { Home } from '../consumer/home.js';
import { Member } from '../consumer/member.js';
import type { Rejected } from '../consumer/offsets.js';
import { Signal } from '../consumer/signal.js';
import type { TopicIds } from '../consumer/topic-ids.js';
import { DriverLog } from '../driver-log.js';
import {
  commitError,
  connectError,
  groupHasMovedOn,
  meaningOf,
  partitionCommitError,
  reasonOf,
  type Setting,
} from '../errors.js';
import { ConsumerLink } from '../membership/consumer-link.js';
import { ConsumerMember } from '../membership/consumer-member.js';
import { ClassicInstead } from '../membership/group-errors.js';
import { type CheckedOptions, secretsOf } from '../options.js';
import type { Internals } from './internals.js';
import { Link } from './link.js';
import type { OpenSocket } from './sockets.js';

/**
 * One subscription of the driver: supervises one member after another, each with sockets of its own, and is the consumer
 * that the source holds through all of them.
 */
export class Connection implements KafkaConsumer, Home {
  readonly listener: KafkaListener;
  readonly subscription: KafkaSubscription;
  readonly options: CheckedOptions;
  readonly driverLog: DriverLog;
  readonly setting: Setting;
  topicIds: TopicIds = new Map();
  readonly #internals: Internals;
  readonly #open: OpenSocket;
  readonly #out: Subscriber<KafkaConsumer>;
  readonly #closing = new Signal();
  #member: GroupMember | undefined;
  #isClassic: boolean;
  #memberId: string | null = null;
  #epoch = 0;
  #attempts = 0;
  #hasJoined = false;
  #isClosed = false;
  #running: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    internals: Internals,
    open: OpenSocket,
    options: CheckedOptions,
    subscription: KafkaSubscription,
    listener: KafkaListener,
    out: Subscriber<KafkaConsumer>,
  ) {
    this.#internals = internals;
    this.#open = open;
    this.options = options;
    this.subscription = subscription;
    this.listener = listener;
    this.#out = out;
    // Not every listener takes parts of an assignment.
    this.#isClassic = (subscription.protocol ?? 'classic') === 'classic' || listener.added === undefined;
    this.setting = { brokers: options.brokers, secrets: secretsOf(options) };
    this.driverLog = new DriverLog(listener, this.setting.secrets);
  }

  start(): void {
    this.#running = this.#supervise().catch((error: unknown) => this.failed(error));
  }

  // What a member calls.

  nextEpoch(): number {
    this.#epoch += 1;
    return this.#epoch;
  }

  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  joined(): void {
    if (this.#attempts > 0) {
      const { groupId } = this.subscription;
      this.driverLog.tell(
        'info',
        'kafka.joined',
        `Kafka is reachable again: rejoined group ${groupId}. Reading resumes.`,
      );
    }
    this.#attempts = 0;
    if (this.#hasJoined) return;
    this.#hasJoined = true;
    this.#out.next(this);
  }

  failed(error: unknown): void {
    if (this.#isClosed) return;
    void this.#leave();
    this.#out.error(error);
  }

  // The consumer.

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false);
  }

  seek(position: PartitionOffset): void {
    this.#member?.assignment?.seek(position);
    this.#member?.wake();
  }

  commit(epoch: number, offsets: readonly CommittedOffset[]): ObservableInput<unknown> {
    return new Observable((subscriber) => {
      const member = this.#member;
      const assignment = member?.assignment;
      const committable = assignment?.epoch === epoch ? assignment.committable(offsets) : [];
      if (member === undefined || assignment === undefined || committable.length === 0) {
        if (assignment?.epoch === epoch) member?.reading?.works('commit');
        subscriber.complete();
        return;
      }
      this.#commit(member, assignment, committable).then(
        () => {
          subscriber.next(undefined);
          subscriber.complete();
        },
        (error: unknown) => subscriber.error(error),
      );
    });
  }

  describeLogs(partitions: readonly TopicPartition[]): ObservableInput<readonly LogFacts[]> {
    return this.#member?.logFacts.read(this.#ours(partitions)) ?? [];
  }

  offsetsAt(partitions: readonly TopicPartition[], timeMs: number): ObservableInput<readonly PartitionOffset[]> {
    return this.#member?.logFacts.offsetsAt(this.#ours(partitions), timeMs) ?? [];
  }

  readonly #ours = (of: readonly TopicPartition[]) =>
    of.filter((one) => this.#member?.assignment?.get(one) !== undefined);

  close(): ObservableInput<unknown> {
    const closed = this.#leave();
    void closed.then(() => this.#out.complete());
    return from(closed);
  }

  /** Stops at once; the member leaves the group and the sockets are destroyed within `closeTimeoutMs`. */
  abandon(): void {
    void this.#leave();
  }

  #setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    const member = this.#member;
    for (const partition of partitions) {
      const owned = member?.assignment?.get(partition);
      if (owned !== undefined) owned.isPaused = isPaused;
    }
    if (!isPaused) member?.wake();
  }

  async #commit(member: GroupMember, assignment: Assignment, offsets: readonly CommittedOffset[]): Promise<void> {
    const undo = assignment.committing(offsets);
    try {
      const rejected = await this.#commitOrMove(member, assignment, offsets);
      undo(rejected);
      for (const one of rejected) this.#commitRejected(one);
    } catch (error) {
      undo(offsets);
      throw commitError(error, this.subscription.groupId, this.setting.secrets);
    }
  }

  /** One partition alone: the others are committed. Of a pattern a topic may go, or cease to be ours. */
  #commitRejected({ topic, partition, error }: Rejected): void {
    const meaning = meaningOf(error);
    const isOfTopic = meaning === 'missing' || meaning === 'forbidden';
    const reason = reasonOf(error, this.setting.secrets);
    if (!isOfTopic || !(this.subscription.topics instanceof RegExp)) {
      throw partitionCommitError({ topic, partition }, error, this.subscription.groupId, this.setting.secrets);
    }
    this.driverLog.skipped(`${topic}/${partition} cannot be committed: ${reason}. The other partitions are committed.`);
  }

  /** Asks the coordinator; where it does not answer or has moved, asks the new one, once. */
  async #commitOrMove(
    member: GroupMember,
    assignment: Assignment,
    offsets: readonly CommittedOffset[],
  ): Promise<readonly Rejected[]> {
    try {
      const rejected = await member.commit(assignment, offsets);
      member.reading?.works('commit');
      return rejected;
    } catch (error) {
      if (groupHasMovedOn(error)) member.doubt();
      if (groupHasMovedOn(error) || meaningOf(error) === 'denied') throw error;
      member.reading?.failing('commit');
      member.link.forget(error);
      await member.link.findCoordinator();
      if (assignment.isGone) throw error;
      const rejected = await member.commit(assignment, offsets);
      member.reading?.works('commit');
      return rejected;
    }
  }

  /** One member after another, until closed or until there have been too many failures in a row. */
  async #supervise(): Promise<void> {
    while (!this.#isClosed) {
      const member = this.#newMember();
      this.#member = member;
      try {
        await member.run();
        return;
      } catch (error) {
        if (this.#isClosed) return;
        this.#memberId = member.memberId;
        this.#member = undefined;
        member.link.destroy();
        if (error instanceof ClassicInstead) {
          this.#turnClassic(error);
          continue;
        }
        this.#giveUpOn(error);
        const waitMs = this.#delayMs();
        this.driverLog.tell(
          'warn',
          'kafka.lost',
          `The connection to Kafka was lost: ${this.#reason(error)}. Reconnecting in ${Math.round(waitMs)} ms.`,
        );
        await this.#closing.wait(waitMs);
      }
    }
  }

  #newMember(): GroupMember {
    const { options, subscription, driverLog } = this;
    const parts = [this.#internals, options, subscription, driverLog, this.#open] as const;
    if (this.#isClassic) return new Member(new Link(...parts, this.#memberId), this);
    return new ConsumerMember(new ConsumerLink(...parts), this, this.#memberId);
  }

  #turnClassic({ message }: ClassicInstead): void {
    this.#isClassic = true;
    this.#memberId = null;
    const what = `Joining group ${this.subscription.groupId} by the classic protocol: ${message}.`;
    this.driverLog.tell('info', 'kafka.protocol', what);
  }

  /** Throws where trying again would not help, or has not. */
  #giveUpOn(error: unknown): void {
    const ours = connectError(error, this.setting, this.driverLog.lastFailure);
    if (!this.#hasJoined || !isRetryable(ours)) throw ours;
    this.#attempts += 1;
    const { maxAttempts: attempts } = this.options.reconnect;
    if (this.#attempts <= attempts) return;
    throw new ConnectError(
      'RXF_KAFKA_LOST',
      `Kafka at ${this.options.brokers.join(', ')} was lost and could not be reached in ${attempts} attempts: ` +
        `${this.#reason(error)}. Uncommitted records are redelivered at the next start.`,
      { details: { brokers: this.options.brokers, attempts }, cause: error },
    );
  }

  #delayMs(): number {
    return backoffMs(this.#attempts, { ...this.options.reconnect, jitter: 0.5, random: Math.random });
  }

  #reason(error: unknown): string {
    if (error instanceof RxflumeError) return reasonOf(error.cause ?? error, this.setting.secrets);
    return reasonOf(error, this.setting.secrets);
  }

  /** Once: stops fetching now, tells the group, and destroys the sockets when that is done or takes too long. */
  #leave(): Promise<void> {
    this.#closed ??= this.#leaveNow();
    return this.#closed;
  }

  async #leaveNow(): Promise<void> {
    this.#isClosed = true;
    this.driverLog.silence();
    const member = this.#member;
    member?.close();
    this.#closing.fire();
    if (member?.isConnected) {
      const late = new Signal();
      const polite = this.#running.then(() => member.leave()).catch(() => undefined);
      await Promise.race([polite, late.wait(this.options.closeTimeoutMs)]);
      late.fire();
    }
    member?.link.destroy();
  }
}
