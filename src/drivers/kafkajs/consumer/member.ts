import type { ObservableInput } from 'rxjs';
import type { PartitionOffset } from '../../../ports/kafka-consumer.js';
import { connectError, groupHasMovedOn, mayPass, meaningOf, reasonOf, typeOf } from '../errors.js';
import type { Link, Membership } from '../vendor/link.js';
import { answerWithin, firstOf } from './answer-within.js';
import { Assignment, type Ending } from './assignment.js';
import { Fetching } from './fetching.js';
import { Heartbeats } from './heartbeats.js';
import type { Home } from './home.js';
import { LogFactsReader } from './log-facts.js';
import { LogRange } from './log-range.js';
import type { Rejected } from './offsets.js';
import { LATE_MS, Reading, whenLate } from './reading.js';
import { SameTopics } from './same-topics.js';
import { retryMs, Signal } from './signal.js';
import { topicTrouble } from './topic-trouble.js';

/** One life of a member of the group: from connecting, over its assignments, to a crash or to being closed. */
export class Member {
  readonly link: Link;
  readonly #home: Home;
  readonly #changed = new Signal();
  /** What is known of the logs that it reads. */
  readonly logFacts: LogFactsReader;
  readonly #range: LogRange;
  readonly #same: SameTopics;
  #assignment: Assignment | undefined;
  #fetching: Fetching | undefined;
  #heartbeats: Heartbeats | undefined;
  #reading: Reading | undefined;
  #looking: Promise<void> | undefined;
  /** The topics and partitions that were known when we joined. */
  #joinedWith = '';
  #isClosed = false;
  #isConnected = false;

  constructor(link: Link, home: Home) {
    this.link = link;
    this.#home = home;
    this.#same = new SameTopics(link, home);
    this.logFacts = new LogFactsReader(link);
    this.#range = new LogRange(link, home.subscription);
  }

  /** What we own, while we own it. */
  get assignment(): Assignment | undefined {
    return this.#assignment?.isGone ? undefined : this.#assignment;
  }

  /** Whether what we own can be read and committed. */
  get reading(): Reading | undefined {
    return this.#reading;
  }

  /** The group may know of us, so that leaving it is worth a moment. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  wake(): void {
    this.#fetching?.wake();
  }

  /** Asks the group soon whether we still belong to it, after an answer that made that doubtful. */
  doubt(): void {
    this.#heartbeats?.ask();
  }

  /** Ends what goes on without another word to the listener. */
  close(): void {
    this.#isClosed = true;
    this.#assignment?.end({ kind: 'closed' });
    this.#changed.fire();
  }

  /** Resolves when closed; fails with what the member crashed of. */
  async run(): Promise<void> {
    await this.link.connect();
    this.#isConnected = true;
    while (!this.#isClosed) {
      const membership = await this.#join();
      if (this.#isClosed || membership === undefined) return;
      this.#home.joined();
      const ending = await this.#hold(new Assignment(this.#home.nextEpoch(), membership));
      if (ending.kind === 'crashed') throw ending.error;
      if (ending.kind === 'stale' && typeOf(ending.error) !== 'ILLEGAL_GENERATION') this.link.memberId = null;
    }
  }

  async #join(): Promise<Membership | undefined> {
    const { subscription, options, setting, driverLog, hasJoined } = this.#home;
    const until = performance.now() + (hasJoined ? subscription.sessionTimeoutMs : options.connectTimeoutMs);
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#range.lookBeforeJoining();
        return await this.link.join();
      } catch (error) {
        if (this.#isClosed) return undefined;
        if (!mayPass(error) && !groupHasMovedOn(error)) throw connectError(error, setting);
        if (performance.now() > until) throw error;
        this.link.forget(error);
        const waitMs = retryMs(failures);
        if (failures > 2)
          driverLog.tell('warn', 'kafka.joining', `Cannot join the group: ${reasonOf(error)}. Retrying.`);
        await this.#changed.wait(waitMs);
        if (this.#isClosed) return undefined;
        await this.link.refresh().catch((reason: unknown) => this.link.forget(reason));
      }
    }
  }

  async #hold(assignment: Assignment): Promise<Ending> {
    const { options, subscription, driverLog, listener } = this.#home;
    this.#assignment = assignment;
    this.#joinedWith = this.link.knownLayout();
    const limits = {
      intervalMs: Math.min(options.heartbeatIntervalMs, subscription.sessionTimeoutMs / 3),
      sessionTimeoutMs: subscription.sessionTimeoutMs,
    };
    const reading = new Reading((isReading) => {
      if (isReading) driverLog.tell('info', 'kafka.reading', 'All partitions can be read again. Reading resumes.');
      listener.reading(isReading);
    });
    this.#reading = reading;
    this.#heartbeats = new Heartbeats(this.link, assignment, limits, reading, driverLog);
    this.#heartbeats.start();
    const watch = setInterval(() => this.#lookSoon(assignment), options.metadataMaxAgeMs);
    let isAnnounced = false;
    try {
      await this.#same.learn();
      // Closed meanwhile, or taken away again: the listener never hears of it.
      isAnnounced = !assignment.isOver;
      const isStarted = isAnnounced && (await this.#findStarts(assignment, reading));
      if (isStarted) {
        this.#fetching = new Fetching(this.link, assignment, {
          home: this.#home,
          reading,
          topics: this.#same,
          range: this.#range,
          lookForTopics: () => this.#lookSoon(assignment),
        });
        this.#fetching.start();
        // What can be placed is read; what cannot yet holds up nothing else.
        void this.#findOtherStarts(assignment, reading);
        await assignment.ending;
        if (assignment.partitions.length > 0 && !assignment.isGone) await this.#revoke(assignment);
      }
    } finally {
      clearInterval(watch);
      reading.end();
      this.#reading = undefined;
      this.#heartbeats.stop();
      this.#heartbeats = undefined;
      this.#fetching = undefined;
      this.#assignment = undefined;
    }
    if (isAnnounced && !this.#isClosed && assignment.partitions.length > 0) listener.lost();
    return assignment.reason ?? { kind: 'closed' };
  }

  /** Asks where to start and learns the rest from the group. False where the assignment ended meanwhile. */
  async #findStarts(assignment: Assignment, reading: Reading): Promise<boolean> {
    const { listener } = this.#home;
    const starts = await this.#answerOf(assignment, () =>
      listener.assigned(assignment.epoch, assignment.membership.partitions),
    );
    if (starts === undefined) return false;
    assignment.setStarts(starts as readonly PartitionOffset[]);
    if (!this.#same.hold(starts as readonly PartitionOffset[])) return false;
    reading.start();
    return !assignment.isOver;
  }

  #answerOf(assignment: Assignment, ask: () => ObservableInput<unknown>): Promise<unknown> {
    const { subscription, failed } = this.#home;
    return answerWithin(assignment, ask, subscription.revokeTimeoutMs, (error) => failed.call(this.#home, error));
  }

  /** Learns from the group, or the log, where to start in what `assigned` left open. Tells of its failure itself. */
  async #findOtherStarts(assignment: Assignment, reading: Reading): Promise<void> {
    const { listener } = this.#home;
    for (let failures = 1; !assignment.isOver; failures += 1) {
      const rest = assignment.partitions.filter((owned) => owned.position < 0);
      if (rest.length === 0) return;
      try {
        const asked = this.#range.starts(rest);
        whenLate(asked, LATE_MS, () => reading.failing('start'));
        const { committed, began, rejected } = await asked;
        if (assignment.isOver) return;
        reading.works('start');
        if (!this.#same.hold(committed)) return;
        assignment.setStarts(committed);
        this.#fetching?.wake();
        for (const one of rejected) this.#startUnknown(assignment, reading, one);
        if (began.length > 0) {
          const isRemembered = await this.#answerOf(assignment, () => listener.began(assignment.epoch, began));
          if (isRemembered === undefined) return;
          assignment.setStarts(began);
          this.#fetching?.wake();
        }
      } catch (error) {
        if (assignment.isOver) return;
        reading.failing('start');
        if (groupHasMovedOn(error)) this.doubt();
        else if (!mayPass(error)) {
          this.#home.failed(connectError(error, this.#home.setting));
          return;
        }
        this.link.forget(error);
        await this.link.findCoordinator().catch(() => undefined);
      }
      if (assignment.partitions.every((owned) => owned.position >= 0)) return;
      const waitMs = retryMs(failures);
      await Promise.race([this.#changed.wait(waitMs), assignment.ending]);
      await this.link.refresh().catch((reason: unknown) => this.link.forget(reason));
    }
  }

  /** Of one partition it is not known where to start. */
  #startUnknown(assignment: Assignment, reading: Reading, { topic, partition, error }: Rejected): void {
    const owned = assignment.get({ topic, partition });
    if (owned === undefined) return;
    const meaning = meaningOf(error);
    reading.failing(owned);
    owned.troubles += 1;
    this.link.forget(error);
    if (meaning === 'missing' || meaning === 'forbidden') {
      if (!assignment.isOver) topicTrouble(this.#home, owned, meaning, error, () => this.#lookSoon(assignment));
    } else if (mayPass(error)) {
      const what = `Cannot look up the start offset of ${owned.stream}: ${reasonOf(error)}. Other partitions are read; retrying.`;
      if (owned.troubles > 1) this.#home.driverLog.trouble(what);
    } else this.#home.failed(connectError(error, this.#home.setting));
  }

  /** Our generation holds until we join again: what is settled and committed now still counts. */
  async #revoke(assignment: Assignment): Promise<void> {
    const { listener, subscription, driverLog } = this.#home;
    const revoking = firstOf(() => listener.revoking());
    const late = new Signal();
    let isLate = false;
    const waited = late.wait(subscription.revokeTimeoutMs).then(() => {
      isLate = true;
    });
    const answered = revoking.answer.catch((error: unknown) => {
      const reason = reasonOf(error);
      driverLog.tell('warn', 'kafka.unsettled', `Settling before a rebalance failed: ${reason}. Rejoining without it.`);
    });
    await Promise.race([answered.then(() => undefined), waited, assignment.gone]);
    if (isLate)
      driverLog.tell(
        'warn',
        'kafka.unsettled',
        `Settling before a rebalance took more than ${subscription.revokeTimeoutMs} ms. Rejoining without it.`,
      );
    revoking.cancel();
    late.fire();
  }

  #lookSoon(assignment: Assignment): void {
    this.#looking ??= this.#lookForPartitions(assignment)
      // What cannot be learnt now is asked again at the next turn.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** Members share out the partitions they know: one that sees others than when it joined joins again. */
  async #lookForPartitions(assignment: Assignment): Promise<void> {
    await this.#same.look(assignment);
    const now = await this.link.layout();
    // What was known meanwhile may be news already: a fetch in trouble learns the leaders, and all else with them.
    if (now === this.#joinedWith || assignment.isOver) return;
    this.#home.driverLog.tell(
      'info',
      'kafka.repartitioned',
      `Topics or partitions have changed (${now}). Rejoining the group.`,
    );
    assignment.end({ kind: 'rebalance' });
  }
}
