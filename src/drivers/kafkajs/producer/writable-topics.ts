import type { RxflumeError } from '../../../core/errors.js';
import type { TopicPartition } from '../../../ports/kafka-consumer.js';
import { isMissing, verdictOf } from './producer-answers.js';
import type { TopicMetadata } from './producer-requests.js';

/** A topic made a moment ago may not be known to every broker yet. */
const LOOKS = 3;
export const LOOK_AGAIN_AFTER_MS = 250;
/** For so long nobody asks again about a topic that is not there, or is not ours. */
const REJECTED_FOR_MS = 5_000;

interface Known {
  /** By partition; below 0 where there is none at the moment. Undefined while the topic has not been seen. */
  leaders: readonly number[] | undefined;
  rejection: RxflumeError | undefined;
  misses: number;
  missedAt: number;
  at: number;
}

/** What a table of topics asks of the cluster. */
export interface TopicsOf {
  ask(topics: readonly string[]): Promise<readonly TopicMetadata[]>;
  errorOf(code: number): Error;
  rejection(topic: string, error: unknown): RxflumeError;
  readonly maxAgeMs: number;
}

/**
 * The topics that are written to, each with its partitions and their leaders, or with why nothing can be written to it. What
 * is wrong with one does not concern the others.
 *
 * Bounds: one request at a time, for all topics asked about meanwhile.
 */
export class WritableTopics {
  readonly #of: TopicsOf;
  readonly #topics = new Map<string, Known>();
  readonly #wanted = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(of: TopicsOf) {
    this.#of = of;
  }

  /** How many partitions the topic has, or why nothing can be written to it; undefined where it must be looked up. */
  known(topic: string): number | RxflumeError | undefined {
    const known = this.#topics.get(topic);
    if (known === undefined) return undefined;
    const age = performance.now() - known.at;
    if (known.rejection !== undefined) return age < REJECTED_FOR_MS ? known.rejection : undefined;
    // New partitions are written to from then on; nothing waits for it.
    if (known.leaders !== undefined && age > this.#of.maxAgeMs) this.look([topic]).catch(() => undefined);
    return known.leaders?.length;
  }

  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const leader = this.#topics.get(topic)?.leaders?.[partition];
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  /** Asks about these. Fails where nobody answers; what is wrong with one topic is kept beside it. */
  look(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.#wanted.add(topic);
    this.#next ??= this.#askInTurn();
    return this.#next;
  }

  async #askInTurn(): Promise<void> {
    await this.#running.catch(() => undefined);
    const asked = [...this.#wanted];
    this.#wanted.clear();
    this.#next = undefined;
    this.#running = this.#ask(asked);
    await this.#running;
  }

  async #ask(topics: readonly string[]): Promise<void> {
    const now = performance.now();
    for (const topic of topics) this.#entry(topic).at = now;
    const answers = await this.#of.ask(topics);
    for (const answer of answers) this.#take(answer, performance.now());
  }

  #take({ topic, topicErrorCode, partitionMetadata }: TopicMetadata, now: number): void {
    const known = this.#entry(topic);
    if (topicErrorCode === 0 && partitionMetadata.length > 0) {
      const leaders: number[] = Array(partitionMetadata.length).fill(-1);
      for (const { partitionId, leader } of partitionMetadata) leaders[partitionId] = leader;
      Object.assign(known, { leaders, rejection: undefined, misses: 0, at: now });
      return;
    }
    const error = topicErrorCode === 0 ? new Error('it has no partitions') : this.#of.errorOf(topicErrorCode);
    if (topicErrorCode !== 0 && !isMissing(error)) {
      const verdict = verdictOf(error);
      const isFinal = verdict !== 'again' && verdict !== 'lost';
      if (isFinal) Object.assign(known, { rejection: this.#of.rejection(topic, error), at: now });
      return;
    }
    if (known.misses > 0 && now - known.missedAt < LOOK_AGAIN_AFTER_MS - 1) return;
    known.misses += 1;
    known.missedAt = now;
    if (known.misses >= LOOKS)
      Object.assign(known, { rejection: this.#of.rejection(topic, error), leaders: undefined, at: now });
  }

  #entry(topic: string): Known {
    let known = this.#topics.get(topic);
    if (known === undefined) {
      known = { leaders: undefined, rejection: undefined, misses: 0, missedAt: 0, at: 0 };
      this.#topics.set(topic, known);
    }
    return known;
  }
}
