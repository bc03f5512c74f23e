import type { CommittedOffset } from '../../../ports/kafka-consumer.js';
import type { Link } from '../vendor/link.js';
import type { Assignment } from './assignment.js';
import type { LogFactsReader } from './log-facts.js';
import type { Rejected } from './offsets.js';
import type { Reading } from './reading.js';

/** What a connection asks of its member, whichever protocol the group speaks. */
export interface GroupMember {
  readonly link: Link;
  /** What is known of the logs that it reads. */
  readonly logFacts: LogFactsReader;
  /** What we own, while we own it. */
  readonly assignment: Assignment | undefined;
  /** Whether what we own can be read and committed. */
  readonly reading: Reading | undefined;
  /** The group may know of us, so that leaving it is worth a moment. */
  readonly isConnected: boolean;
  /** By which the group knows us, for the next life. */
  readonly memberId: string | null;
  /** Resolves when closed; fails with what the member crashed of. */
  run(): Promise<void>;
  wake(): void;
  /** Asks the group soon whether we still belong to it, after an answer that made that doubtful. */
  doubt(): void;
  /** Answers those that were rejected by themselves. Fails where all were. */
  commit(assignment: Assignment, offsets: readonly CommittedOffset[]): Promise<readonly Rejected[]>;
  /** Tells the group that we leave; a static member is expected back. */
  leave(): Promise<void>;
  /** Ends what goes on without another word to the listener. */
  close(): void;
}
