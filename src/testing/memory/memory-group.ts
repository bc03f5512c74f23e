import { concat, forkJoin, ignoreElements, type Observable, of, Subscription } from 'rxjs';
import { CommitError } from '../../core/errors.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';

/** What a group calls on a member. */
export interface GroupMember {
  /** It is in the group. */
  known(): void;
  /** It is no longer in the group, and does not know. */
  forgotten(): void;
  /** Settles what it has; the group waits until this completes. */
  revoke(): Observable<unknown>;
  /** Takes all from it without asking. */
  lose(): void;
  /** `begun`: topics in which the group had an offset before anything was assigned. */
  assign(partitions: readonly TopicPartition[], begun: ReadonlySet<string>): void;
}

/**
 * One consumer group of `MemoryKafka`: who is in it. At each change all members settle, and all is handed out anew. A change
 * during an assignment waits until every member has heard of that one: a broker gives a member one generation at a time.
 */
export class MemoryGroup<M extends GroupMember> {
  readonly #partitionsFor: (members: readonly M[]) => readonly TopicPartition[];
  readonly #begun: () => ReadonlySet<string>;
  readonly #members: M[] = [];
  /** Open while all members are asked to settle. */
  #settling = Subscription.EMPTY;
  #isAssigning = false;
  /** What came during an assignment, and is due after it. */
  #next: 'nothing' | 'rebalance' | 'expire' = 'nothing';

  /** `begun`: the topics in which it has a position. */
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
    const isHandedOut = !this.#settling.closed;
    member.forgotten();
    if (!isHandedOut) this.#rebalance();
  }

  /** Takes all from every member at once, without asking, and hands it out anew; that ends a rebalance under way. */
  expireAll(): void {
    if (this.#isAssigning) {
      this.#next = 'expire';
      return;
    }
    this.#settling.unsubscribe();
    this.#assignAll([...this.#members]);
  }

  /** Topics or partitions have changed: all is handed out anew. */
  changed(): void {
    this.#rebalance();
  }

  /** Asks every member to settle, then hands the partitions out; who joins meanwhile is given some too. */
  #rebalance(): void {
    if (this.#isAssigning) {
      if (this.#next === 'nothing') this.#next = 'rebalance';
      return;
    }
    if (!this.#settling.closed || this.#members.length === 0) return;
    const settling = new Subscription();
    this.#settling = settling;
    const settled = this.#members.map((member) => concat(member.revoke().pipe(ignoreElements()), of(0)));
    settling.add(
      forkJoin(settled).subscribe(() => {
        // Expired while the last of them was asked.
        if (settling.closed) return;
        settling.unsubscribe();
        this.#assignAll([]);
      }),
    );
  }

  /** `losing`: members that lose what they have before anyone is given something. */
  #assignAll(losing: readonly M[]): void {
    this.#isAssigning = true;
    try {
      for (const member of losing) member.lose();
      // A member that has left by now is given nothing, so there is nothing to hand out again.
      this.#next = 'nothing';
      this.#assign();
    } finally {
      this.#isAssigning = false;
    }
    this.#continue(this.#next);
  }

  #continue(next: 'nothing' | 'rebalance' | 'expire'): void {
    if (next === 'expire') this.expireAll();
    if (next === 'rebalance') this.#rebalance();
  }

  #assign(): void {
    const members = [...this.#members];
    const shares = members.map((): TopicPartition[] => []);
    for (const [turn, partition] of this.#partitionsFor(members).entries()) {
      shares[turn % members.length]?.push(partition);
    }
    const begun = this.#begun();
    for (const [at, member] of members.entries()) {
      if (this.#members.includes(member)) member.assign(shares[at] ?? [], begun);
    }
  }
}

/** What a member whose partitions others have is answered when it commits. */
export function fencedError(groupId: string): CommitError {
  return new CommitError('RXF_KAFKA_COMMIT', `Cannot commit the offsets of group ${groupId}: the group has moved on.`);
}
