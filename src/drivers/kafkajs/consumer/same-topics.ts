import type { TopicPartition } from '../../../ports/kafka-consumer.js';
import type { Link } from '../vendor/link.js';
import type { Assignment, OwnedPartition } from './assignment.js';
import type { Home } from './home.js';
import { expectSame, type TopicIds } from './topic-ids.js';

/**
 * Whether topics are still the ones in which our positions are, in one life of a member. Tells of a topic that was created
 * again itself, as a failure of the stream.
 */
export class SameTopics {
  readonly #link: Link;
  readonly #home: Home;
  /** Of the topics as they were at the joining before the last. */
  #earlier: ReadonlyMap<string, string> = new Map();

  constructor(link: Link, home: Home) {
    this.#link = link;
    this.#home = home;
  }

  /** To be called after each joining, before anything is read. */
  async learn(): Promise<void> {
    this.#earlier = this.#home.topicIds;
    try {
      this.#home.topicIds = (await this.#link.topicIds()) ?? this.#home.topicIds;
    } catch (error) {
      // Those that are known are kept to; what is in the way shows in the fetches too.
      this.#link.forget(error);
    }
  }

  /** In the middle of an assignment, when the group gives us what we do not know: what was there before is kept to. */
  async learnMore(): Promise<void> {
    const now = await this.#link.topicIds();
    if (now === undefined) return;
    const before = [...now].map(([topic, id]): [string, string] => [topic, this.#home.topicIds.get(topic) ?? id]);
    this.#earlier = new Map([...before, ...this.#earlier]);
    this.#home.topicIds = now;
  }

  /** Whether positions that were known before we joined are still in the topics that they were in. */
  hold(positions: readonly TopicPartition[]): boolean {
    return this.#expect(positions, this.#earlier, this.#home.topicIds);
  }

  /** Looks whether a topic of the assignment was created again since we joined; answers the ids that are there now. */
  async look(assignment: Assignment): Promise<TopicIds | undefined> {
    const now = await this.#link.topicIds();
    if (now !== undefined && !assignment.isOver) this.#expect(assignment.partitions, this.#home.topicIds, now);
    return now;
  }

  /** Looks at one whose broker did not have it for a moment. */
  async doubted(assignment: Assignment, owned: OwnedPartition): Promise<void> {
    const now = await this.look(assignment);
    if (now === undefined || now.has(owned.topic)) owned.isDoubted = false;
  }

  #expect(of: readonly TopicPartition[], before: TopicIds, now: TopicIds): boolean {
    try {
      const topics = of.map(({ topic }) => topic);
      expectSame(topics, before, now);
      return true;
    } catch (error) {
      this.#home.failed(error);
      return false;
    }
  }
}
