import { concat, forkJoin, ignoreElements, type Observable, of } from 'rxjs';
import { CommitError } from '../../core/errors.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';

/** What a group calls on a member. */
export interface GroupMember {
  /** It is in the group. */
  known(): void;
  /** It is no longer in the group, and is not told. */
  forgotten(): void;
  /** Settles what it has; the group waits until this completes. */
  revoke(): Observable<unknown>;
  /** Takes all from it without asking. */
  lose(): void;
  /** `begun`: topics in which the group had an offset before anything was assigned. */
  assign(partitions: readonly TopicPartition[], begun: ReadonlySet<string>): void;
}

/** One consumer group of `MemoryKafka`: who is in it. At each change all members settle, and all is handed out anew. */
export class MemoryGroup<M extends GroupMember> {
  readonly #partitionsFor: (members: readonly M[]) => readonly TopicPartition[];
  readonly #begun: () => ReadonlySet<string>;
  readonly #members: M[] = [];
  #isRebalancing = false;

  /** `begun`: the topics in which it has a place. */
  constructor(partitionsFor: (members: readonly M[]) => readonly TopicPartition[], begun: () => ReadonlySet<string>) {
    this.#partitionsFor = partitionsFor;
    this.#begun = begun;
  }

  get members(): readonly M[] {
    return this.#members;
  }

  join(member: M): void {
    member.known();
    this.#members.push(member);
    this.#rebalance();
  }

  /** Strikes the member off, whom nobody waits for from now on. */
  strikeOff(member: M): void {
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#members.splice(at, 1);
    // A rebalance that waits for it goes on without it, and hands out what was its.
    const isHandedOut = this.#isRebalancing;
    member.forgotten();
    if (!isHandedOut) this.#rebalance();
  }

  /** Takes all from every member at once, without asking, and hands it out anew. */
  expireAll(): void {
    for (const member of [...this.#members]) member.lose();
    this.#assign();
  }

  /** Topics or partitions have changed: all is handed out anew. */
  changed(): void {
    this.#rebalance();
  }

  /** Asks every member to settle, then hands the partitions out; who joins meanwhile is given some too. */
  #rebalance(): void {
    if (this.#isRebalancing || this.#members.length === 0) return;
    this.#isRebalancing = true;
    forkJoin(this.#members.map((member) => concat(member.revoke().pipe(ignoreElements()), of(0)))).subscribe(() => {
      this.#isRebalancing = false;
      this.#assign();
    });
  }

  #assign(): void {
    const members = [...this.#members];
    const shares = members.map((): TopicPartition[] => []);
    for (const [turn, partition] of this.#partitionsFor(members).entries()) {
      shares[turn % members.length]?.push(partition);
    }
    const begun = this.#begun();
    for (const [at, member] of members.entries()) member.assign(shares[at] ?? [], begun);
  }
}

/** What a member whose partitions others have is answered when it commits. */
export function fencedError(groupId: string): CommitError {
  return new CommitError('RXF_KAFKA_COMMIT', `Cannot commit the offsets of group ${groupId}: the group has moved on.`);
}
