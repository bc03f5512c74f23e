import { asyncScheduler, from, map, type Observable, Subscription, tap, timer } from 'rxjs';
import { OptionError } from '../../core/errors.js';
import type {
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  KafkaSubscription,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { MemoryKafka } from '../memory/memory-kafka.js';
import { type Mark, parseRow } from './row.js';

export interface MarbleKafkaOptions {
  /** Default `topic`. */
  readonly topic?: string;
  /** How long a join, a fetch and a commit take. Default 0: a record is fetched at the moment it is drawn at. */
  readonly latencyMs?: number;
}

/**
 * A Kafka drawn as rows: `p0: a-b-c  p1: d  group: ---R---A--X`. Each character of a partition is a record whose value it
 * is. In the row of the group, `R`: another member joins, so that partitions are revoked and shared out; `A`: it leaves, and
 * all is assigned here again; `X`: the session expires, all is lost unasked and assigned anew.
 *
 * ```ts
 * import { kafkaSource } from 'rxflume';
 * import { mapValue } from 'rxflume/operators';
 * import { type MarbleKafka, marbles } from 'rxflume/testing';
 *
 * marbles((m) => {
 *   const kafka: MarbleKafka = m.kafka('p0: abc');
 *   const source$ = kafkaSource(kafka, { topics: ['topic'], groupId: 'g', commit: { count: 1, intervalMs: 5 } });
 *   m.expectObservable(source$.pipe(mapValue(String), m.sink('---c-a-b')), '-----------!');
 *   m.expectCommits('-----1-3');
 * });
 * ```
 */
export class MarbleKafka implements KafkaDriver {
  readonly name = 'kafka drawn';
  /** The broker itself, for what a drawing cannot say. */
  readonly broker: MemoryKafka;
  readonly topic: string;
  /** The commits of each partition: the label is the offset. */
  readonly commits: (Mark & { readonly partition: number })[] = [];
  /** Pauses, as `P`, and resumes, as `R`, of each partition. */
  readonly pauses: (Mark & { readonly partition: number })[] = [];
  #groupId: string | undefined;
  #subscription: KafkaSubscription | undefined;
  #other = Subscription.EMPTY;

  constructor(diagram: string, options: MarbleKafkaOptions = {}) {
    const { topic = 'topic', latencyMs = 0 } = options;
    this.topic = topic;
    this.broker = new MemoryKafka({ latencyMs });
    const rows = rowsOf(diagram);
    const partitions = [...rows.keys()].filter((name) => name !== 'group');
    this.broker.createTopic(topic, partitions.length);
    for (const [at, name] of partitions.entries()) {
      if (name !== `p${at}`) throw rowError(diagram, `p${at}`);
      for (const { frame, label } of rows.get(name) ?? []) {
        timer(frame).subscribe(() => this.broker.produce(topic, at, [label]));
      }
    }
    for (const { frame, label } of rows.get('group') ?? []) timer(frame).subscribe(() => this.#change(label));
  }

  connect(subscription: KafkaSubscription, listener: KafkaListener): Observable<KafkaConsumer> {
    this.#groupId = subscription.groupId;
    this.#subscription = subscription;
    this.#begin(subscription);
    return this.broker.connect(subscription, listener).pipe(map((consumer) => this.#noting(consumer)));
  }

  /** The group has been here before, so that no commit is drawn of where it begins. */
  #begin({ groupId, startAt }: KafkaSubscription): void {
    if (startAt === 'latest' || this.broker.committed(groupId, this.topic, 0) >= 0) return;
    const partitions = Array.from({ length: this.broker.partitionCount(this.topic) }, (_, partition) => partition);
    this.broker.setCommitted(
      groupId,
      partitions.map((partition) => ({ topic: this.topic, partition, offset: 0 })),
    );
  }

  #change(what: string): void {
    if (this.#groupId === undefined || this.#subscription === undefined) return;
    if (what === 'X') this.broker.expireSessions(this.#groupId);
    if (what === 'A') this.#other.unsubscribe();
    if (what !== 'R') return;
    const silent: KafkaListener = {
      assigned: () => from([[]]),
      began: () => from([]),
      revoking: () => from([]),
      lost: () => undefined,
      records: () => undefined,
      reading: () => undefined,
      logEvent: () => undefined,
    };
    this.#other = this.broker.connect(this.#subscription, silent).subscribe();
  }

  #noting(consumer: KafkaConsumer): KafkaConsumer {
    const note = (label: string, partitions: readonly TopicPartition[]) => {
      for (const { partition } of partitions) this.pauses.push({ frame: asyncScheduler.now(), label, partition });
    };
    return {
      pause: (partitions) => {
        note('P', partitions);
        consumer.pause(partitions);
      },
      resume: (partitions) => {
        note('R', partitions);
        consumer.resume(partitions);
      },
      seek: (position) => consumer.seek(position),
      commit: (epoch, offsets) => {
        const before = this.broker.commits.length;
        return from(consumer.commit(epoch, offsets)).pipe(
          tap({
            complete: () => {
              for (const { partition, offset } of this.broker.commits.slice(before)) {
                this.commits.push({ frame: asyncScheduler.now(), label: String(offset), partition });
              }
            },
          }),
        );
      },
      describeLogs: (partitions) => consumer.describeLogs?.(partitions) ?? [],
      close: () => consumer.close(),
    };
  }
}

/** The rows of a diagram by their names: a name ends in a colon, and its row lasts up to the next. */
function rowsOf(diagram: string): Map<string, Mark[]> {
  const parts = diagram.trim().split(/(?:^|\s+)(p\d+|group):\s*/);
  const rows = new Map<string, Mark[]>();
  for (let at = 1; at < parts.length; at += 2) rows.set(parts[at] as string, parseRow(parts[at + 1] as string));
  if (parts[0] !== '' || !rows.has('p0')) throw rowError(diagram, 'p0');
  return rows;
}

function rowError(diagram: string, missing: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `Expected the diagram of Kafka to have rows \`p0: … p1: … group: …\`, without a gap, got \`${diagram}\`; \`${missing}\` is missing.`,
  );
}
