import type { CommittedOffset } from '../../../ports/kafka-consumer.js';
import { connectError, groupHasMovedOn, instanceError, mayPass, reasonOf, typeOf } from '../errors.js';
import type { Link, Membership } from '../vendor/link.js';
import { Assignment, type Ending } from './assignment.js';
import { Fetching } from './fetching.js';
import type { GroupMember } from './group-member.js';
import { Heartbeats } from './heartbeats.js';
import type { Home } from './home.js';
import { LogFactsReader } from './log-facts.js';
import { LogRange } from './log-range.js';
import type { Rejected } from './offsets.js';
import { Reading } from './reading.js';
import { SameTopics } from './same-topics.js';
import { settled } from './settling.js';
import { retryMs, Signal } from './signal.js';
import { Starting } from './starting.js';

/**
 * One life of a member of the group by the classic protocol: from connecting, over its assignments, to a crash or to being
 * closed.
 */
export class Member implements GroupMember {
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

  get memberId(): string | null {
    return this.link.memberId;
  }

  commit(assignment: Assignment, offsets: readonly CommittedOffset[]): Promise<readonly Rejected[]> {
    return this.link.commit(assignment.membership, offsets);
  }

  leave(): Promise<void> {
    return this.link.leave();
  }

  /** Ends what goes on without another word to the listener. */
  close(): void {
    this.#isClosed = true;
    this.#assignment?.end({ kind: 'closed' });
    this.#changed.fire();
    this.link.endJoining();
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
      if (ending.kind === 'stale') this.#failIfReplaced(ending.error);
      if (ending.kind === 'stale' && typeOf(ending.error) !== 'ILLEGAL_GENERATION') this.link.memberId = null;
    }
  }

  /** Joining again would throw out who has our static id now, and be thrown out by it. */
  #failIfReplaced(error: unknown): void {
    if (typeOf(error) === 'FENCED_INSTANCE_ID') throw instanceError(error, this.#home.subscription);
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
        this.#failIfReplaced(error);
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
      const starting = new Starting(this.link, assignment, {
        home: this.#home,
        reading,
        topics: this.#same,
        range: this.#range,
        doubt: () => this.doubt(),
        startable: () => this.wake(),
        lookForTopics: () => this.#lookSoon(assignment),
      });
      const { partitions } = assignment.membership;
      const isStarted =
        isAnnounced && (await starting.ask(partitions, () => listener.assigned(assignment.epoch, partitions)));
      if (isStarted) {
        reading.start();
        this.#fetching = new Fetching(this.link, assignment, {
          home: this.#home,
          reading,
          topics: this.#same,
          range: this.#range,
          lookForTopics: () => this.#lookSoon(assignment),
        });
        this.#fetching.start();
        // What can be placed is read; what cannot yet holds up nothing else.
        void starting.findOthers();
        await assignment.ending;
        // Our generation holds until we join again: what is settled and committed now still counts.
        if (assignment.partitions.length > 0 && !assignment.isGone)
          await settled(this.#home, assignment, () => listener.revoking());
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
    this.wake();
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
