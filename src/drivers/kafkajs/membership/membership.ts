import type { Heartbeat, HeartbeatAnswer, TopicShare } from './heartbeat-frame.js';

/** What a group is subscribed to: names, or a pattern that the broker resolves. */
export type GroupTopics = { readonly topics: readonly string[] } | { readonly pattern: string };

export interface MembershipSetting {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rebalanceTimeoutMs: number;
  /** The longest between two heartbeats, where the broker allows more. */
  readonly maxIntervalMs: number;
  /** How long a static id may be held by a member that is gone, in milliseconds. */
  readonly instanceWaitMs: number;
}

/**
 * What is to be done after an answer. `nothing`: go on. `reconcile`: what the group gives us has changed. `rejoin`: we own
 * nothing any more, and join at epoch 0. `again`: the same a moment later. `moved`: find the coordinator first. `names`: the
 * broker does not read the pattern. `fail`: asking again brings the same.
 */
export type Step = 'nothing' | 'reconcile' | 'rejoin' | 'again' | 'moved' | 'names' | 'fail';

/** By the name of the error; what is not here is `fail` where the broker said so, and `again` where it said nothing. */
const STEPS: Readonly<Record<string, Step>> = {
  FENCED_MEMBER_EPOCH: 'rejoin',
  UNKNOWN_MEMBER_ID: 'rejoin',
  STALE_MEMBER_EPOCH: 'again',
  UNRELEASED_INSTANCE_ID: 'again',
  NOT_COORDINATOR_FOR_GROUP: 'moved',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'moved',
  GROUP_LOAD_IN_PROGRESS: 'again',
  INVALID_REGULAR_EXPRESSION: 'names',
};

const JOIN = 0;
const LEAVE = -1;
const LEAVE_FOR_A_MOMENT = -2;
const UNCHANGED = -1;
const RETRY_MS = 500;
const FIRST_RETRY_MS = 100;
/** While partitions move: what another member gives up comes to us with a heartbeat of ours. */
const MOVING_INTERVAL_MS = 500;
/** Until the broker has said how often. */
const FIRST_INTERVAL_MS = 5_000;

/**
 * A member of a group of the consumer protocol, without the I/O: answers in, what to do out, and what to say when. One
 * request is under way at a time; only what has changed is said, all of it after an error.
 *
 * Source: KIP-848; Kafka 4.2, AbstractMembershipManager and ConsumerHeartbeatRequestManager.
 */
export class Membership {
  readonly #setting: MembershipSetting;
  #memberId: string;
  #epoch = JOIN;
  #subscribed: GroupTopics;
  #intervalMs = FIRST_INTERVAL_MS;
  #dueAt = Number.NEGATIVE_INFINITY;
  #movingUntil = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #failures = 0;
  /** Whether each of these was said, and answered, as it is now. */
  #isSaid = false;
  #isSubscriptionSaid = false;
  #isOwnedSaid = false;
  /** A pattern was said, so that it is to be taken back where names take its place. */
  #hasPattern = false;
  #owned: readonly TopicShare[] = [];
  #given: readonly TopicShare[] | undefined;
  #instanceHeldSince: number | undefined;
  /** What was changed while a request was under way is not said by it. */
  #changes = 0;
  #changesSaid = 0;

  constructor(setting: MembershipSetting, subscribed: GroupTopics) {
    this.#setting = setting;
    this.#memberId = setting.memberId;
    this.#subscribed = subscribed;
  }

  get memberId(): string {
    return this.#memberId;
  }

  /** 0 until the group has taken us in. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What the group gives us; undefined until it has said so. It may name what others still give up. */
  get given(): readonly TopicShare[] | undefined {
    return this.#given;
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** How long until the next request; none while one is under way. */
  waitMs(nowMs: number): number {
    return this.#isUnderWay ? Number.POSITIVE_INFINITY : Math.max(0, this.#dueAt - nowMs);
  }

  /** To be said at once: whether we still belong to the group, or what our epoch is. */
  ask(): void {
    this.#dueAt = Number.NEGATIVE_INFINITY;
  }

  subscribe(to: GroupTopics): void {
    if (JSON.stringify(to) === JSON.stringify(this.#subscribed)) return;
    this.#subscribed = to;
    this.#isSubscriptionSaid = false;
    this.#changed();
  }

  /** What we own has changed: a revocation is done, or what was given is taken. */
  own(shares: readonly TopicShare[]): void {
    this.#owned = shares;
    this.#isOwnedSaid = false;
    this.#changed();
  }

  /** What to say now. To be followed by `answered` or `unanswered`. */
  next(): Heartbeat {
    this.#isUnderWay = true;
    this.#changesSaid = this.#changes;
    const isJoining = this.#epoch === JOIN;
    const isAll = isJoining || !this.#isSaid;
    const { groupId, instanceId, rebalanceTimeoutMs } = this.#setting;
    const isSubscribing = isAll || !this.#isSubscriptionSaid;
    return {
      groupId,
      memberId: this.#memberId,
      epoch: this.#epoch,
      instanceId: isAll ? instanceId : null,
      rebalanceTimeoutMs: isAll ? rebalanceTimeoutMs : UNCHANGED,
      ...this.#subscription(isSubscribing),
      owned: isAll || !this.#isOwnedSaid ? (isJoining ? [] : this.#owned) : null,
    };
  }

  /** The last thing to say; a static member is expected back. */
  leaving(): Heartbeat {
    const { groupId, instanceId } = this.#setting;
    const epoch = instanceId === null ? LEAVE : LEAVE_FOR_A_MOMENT;
    const nothing = { rebalanceTimeoutMs: UNCHANGED, topics: null, pattern: null, owned: null };
    return { groupId, memberId: this.#memberId, epoch, instanceId, ...nothing };
  }

  answered(answer: HeartbeatAnswer, nowMs: number): Step {
    this.#isUnderWay = false;
    this.#failures = 0;
    this.#instanceHeldSince = undefined;
    const isSame = this.#changes === this.#changesSaid;
    this.#isSaid = true;
    this.#isSubscriptionSaid ||= isSame;
    this.#isOwnedSaid ||= isSame;
    const { intervalMs, epoch, assignment } = answer;
    if (intervalMs > 0) this.#intervalMs = Math.min(intervalMs, this.#setting.maxIntervalMs);
    if (epoch !== this.#epoch || assignment !== null) this.#movingUntil = nowMs + this.#intervalMs;
    this.#dueAt = isSame ? nowMs + this.#nextMs(nowMs) : nowMs;
    this.#epoch = epoch;
    if (answer.memberId !== null && answer.memberId !== '') this.#memberId = answer.memberId;
    if (assignment === null) return 'nothing';
    this.#given = assignment;
    return 'reconcile';
  }

  #nextMs(nowMs: number): number {
    return nowMs < this.#movingUntil ? Math.min(MOVING_INTERVAL_MS, this.#intervalMs) : this.#intervalMs;
  }

  /** The request failed: by an error that the broker gave a name, or without an answer, where the name is empty. */
  unanswered(error: string, mayPass: boolean, nowMs: number): Step {
    this.#isUnderWay = false;
    this.#isSaid = false;
    const step = STEPS[error] ?? (mayPass ? 'again' : 'fail');
    if (step === 'rejoin') {
      this.#rejoin(nowMs);
      return step;
    }
    this.#failures += 1;
    this.#dueAt = nowMs + Math.min(RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    return error === 'UNRELEASED_INSTANCE_ID' && this.#isHeldTooLong(nowMs) ? 'fail' : step;
  }

  /** All is lost. */
  #rejoin(nowMs: number): void {
    const wasJoining = this.#epoch === JOIN;
    this.#epoch = JOIN;
    this.#owned = [];
    this.#given = undefined;
    this.#dueAt = wasJoining ? nowMs + RETRY_MS : nowMs;
  }

  #isHeldTooLong(nowMs: number): boolean {
    this.#instanceHeldSince ??= nowMs;
    return nowMs - this.#instanceHeldSince > this.#setting.instanceWaitMs;
  }

  #changed(): void {
    this.#changes += 1;
    this.ask();
  }

  #subscription(isSaid: boolean): Pick<Heartbeat, 'topics' | 'pattern'> {
    if (!isSaid) return { topics: null, pattern: null };
    if ('topics' in this.#subscribed) {
      // Where a pattern was said before, the empty one takes it back.
      return { topics: this.#subscribed.topics, pattern: this.#hasPattern ? '' : null };
    }
    this.#hasPattern = true;
    return { topics: [], pattern: this.#subscribed.pattern };
  }
}
