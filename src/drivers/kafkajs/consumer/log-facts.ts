import type { LogFacts, PartitionOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import type { Link } from '../vendor/link.js';

/** What a topic keeps is changed by people, and seldom. */
const RETENTION_FOR_MS = 300_000;

interface KnownRetention {
  readonly retentionMs: number | undefined;
  readonly untilMs: number;
}

/**
 * Where the logs of partitions begin and end, and how long their topics keep a record. The second needs the right `DescribeConfigs` on the
 * topic; without it, it is not known.
 *
 * Bounds: two requests to each leader, and one for each topic in five minutes.
 */
export class LogFactsReader {
  readonly #link: Link;
  readonly #retention = new Map<string, KnownRetention>();

  constructor(link: Link) {
    this.#link = link;
  }

  async read(partitions: readonly TopicPartition[]): Promise<readonly LogFacts[]> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const [{ offsets }, { offsets: starts }] = await Promise.all([
      this.#link.bounds(partitions, 'latest'),
      this.#link.bounds(partitions, 'earliest'),
      ...topics.map((topic) => this.#learnRetention(topic)),
    ]);
    return offsets.map(({ topic, partition, offset: end }) => {
      const retentionMs = this.#retention.get(topic)?.retentionMs;
      const start = starts.find((one) => one.topic === topic && one.partition === partition)?.offset;
      const known = { ...(start !== undefined && { start }), ...(retentionMs !== undefined && { retentionMs }) };
      return { topic, partition, end, ...known };
    });
  }

  /** Of the first records of this time or later; where there is none, the end. */
  async offsetsAt(partitions: readonly TopicPartition[], timeMs: number): Promise<readonly PartitionOffset[]> {
    const { offsets } = await this.#link.bounds(partitions, Math.trunc(timeMs));
    const none = offsets.filter(({ offset }) => offset < 0);
    const ends = none.length === 0 ? [] : (await this.#link.bounds(none, 'latest')).offsets;
    return [...offsets.filter(({ offset }) => offset >= 0), ...ends];
  }

  async #learnRetention(topic: string): Promise<void> {
    const now = performance.now();
    if (now < (this.#retention.get(topic)?.untilMs ?? 0)) return;
    const settings = await this.#link.topicSettings(topic, ['retention.ms', 'cleanup.policy']).catch(() => undefined);
    const retentionMs = settings === undefined ? undefined : retentionOf(settings);
    this.#retention.set(topic, { retentionMs, untilMs: now + RETENTION_FOR_MS });
  }
}

/** Undefined where records are not deleted by their age. */
export function retentionOf(settings: ReadonlyMap<string, string | null>): number | undefined {
  const policies = (settings.get('cleanup.policy') ?? 'delete').split(',').map((one) => one.trim());
  const retentionMs = Number(settings.get('retention.ms') ?? Number.NaN);
  return policies.includes('delete') && retentionMs >= 0 ? retentionMs : undefined;
}
