import { Observable } from 'rxjs';
import { timeOfDayMs } from '../../../core/clock.js';
import { type RxflumeError, SinkError } from '../../../core/errors.js';
import type { KafkaOutgoing, KafkaSent } from '../../../ports/kafka-producer.js';
import { writeBatch } from './batch-writer.js';
import { Call } from './call.js';
import { type PartitionBatch, type Partitions, partitionBatchesOf } from './partition-batch.js';
import {
  answerOf,
  type Outcome,
  outcomeOf,
  recordRejection,
  rejectionFor,
  unsent,
  verdictOf,
  withdrawn,
} from './producer-answers.js';
import { SendQueue } from './send-queue.js';
import type { ProducingFor, Sender } from './sender.js';
import type { Sequences } from './sequences.js';
import { TopicQueue } from './topic-queue.js';

/** Answers that come after the broker has waited for replicas; the other batches of the request waited with it. */
const SLOW = new Set(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']);

/**
 * Sends records until each is written or rejected, in order within each partition, and no partition waits for another: one
 * batch of each partition under way, one request to each broker, and what had trouble in a request of its own. Where an
 * answer was lost, the same batch again, which the broker then knows by its sequence.
 *
 * Bounds: one encoded batch for each partition. A call takes `sendTimeoutMs`, and the `requestTimeoutMs` of a request that
 * is under way then.
 */
export class Producing {
  readonly #of: ProducingFor;
  readonly #sender: Sender;
  readonly #sendQueues = new Map<string, SendQueue>();
  readonly #topics: TopicQueue;
  /** Brokers that have a request. */
  readonly #busy = new Set<number>();
  #turn = Math.floor(Math.random() * 1_024);
  #timer: NodeJS.Timeout | undefined;

  constructor(of: ProducingFor, sender: Sender) {
    this.#of = of;
    this.#sender = sender;
    this.#topics = new TopicQueue(of, (call, partitionsOf) => this.#share(call, partitionsOf));
  }

  /** Emits what becomes known of the records. Fails where a transaction cannot go on; without one, what is lost is among the rejected. */
  send(records: readonly KafkaOutgoing[], isWanted?: (recordIndex: number) => boolean): Observable<KafkaSent> {
    return new Observable((subscriber) => {
      const until = performance.now() + this.#of.producing.sendTimeoutMs;
      const call = new Call(records, { turn: this.#turn++, until, isWanted }, subscriber);
      this.#topics.add(call);
      return () => call.close();
    });
  }

  #share(call: Call, partitionsOf: (topic: string) => Partitions): void {
    const { partitionBatches, rejected } = partitionBatchesOf(call, partitionsOf, this.#of.producing.maxRecordBytes);
    call.reject([...rejected.keys()], (recordIndex) => rejected.get(recordIndex) as RxflumeError);
    if (partitionBatches.length === 0) return;
    if (this.#sender.joining === undefined) {
      this.#queue(partitionBatches);
      return;
    }
    this.#sender.joining(partitionBatches).then(
      () => this.#queue(partitionBatches),
      (error: unknown) => {
        this.#of.link.forget(error);
        this.#failAll(error, [call]);
      },
    );
  }

  #queue(partitionBatches: readonly PartitionBatch[]): void {
    for (const partitionBatch of partitionBatches) {
      let sendQueue = this.#sendQueues.get(partitionBatch.name);
      if (sendQueue === undefined) {
        sendQueue = new SendQueue(partitionBatch);
        this.#sendQueues.set(partitionBatch.name, sendQueue);
      }
      sendQueue.partitionBatches.push(partitionBatch);
    }
    this.#pump();
  }

  /** Sends whatever can be sent now, and sees to it that the rest is looked at in time. */
  #pump(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const together = new Map<number, SendQueue[]>();
    let next = Number.POSITIVE_INFINITY;
    for (const sendQueue of [...this.#sendQueues.values()]) {
      if (sendQueue.isBusy) continue;
      const partitionBatch = sendQueue.head(this.#of.isClosed);
      if (partitionBatch === undefined) {
        this.#sendQueues.delete(sendQueue.name);
      } else if (now >= partitionBatch.call.until || this.#of.isClosed) {
        this.#giveUp(sendQueue, partitionBatch);
      } else {
        if (sendQueue.retryAt <= now) this.#choose(sendQueue, partitionBatch, together);
        if (sendQueue.current !== partitionBatch) next = now;
        else if (!sendQueue.isBusy)
          next = Math.min(next, partitionBatch.call.until, sendQueue.retryAt > now ? sendQueue.retryAt : next);
      }
    }
    for (const [node, sendQueues] of together) {
      this.#busy.add(node);
      void this.#ask(node, sendQueues, false).finally(() => {
        this.#busy.delete(node);
        this.#pump();
      });
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#pump(), Math.max(1, next - now));
  }

  /** Puts a queue into the request that it is to go with, or sends it in its own. */
  #choose(sendQueue: SendQueue, partitionBatch: PartitionBatch, together: Map<number, SendQueue[]>): void {
    const { topics } = this.#of.link;
    const known = topics.known(partitionBatch.topic);
    if (known !== undefined && typeof known !== 'number') {
      // It was there when the call began.
      this.#reject(sendQueue, partitionBatch, known, partitionBatch.isInDoubt ? sendQueue.trouble : undefined);
      return;
    }
    const node = topics.leaderOf(partitionBatch);
    if (node === undefined) {
      this.#trouble(
        sendQueue,
        new SinkError('RXF_KAFKA_SEND', `${partitionBatch.name} has no leader at the moment.`),
        false,
      );
    } else if (sendQueue.isSlow) {
      sendQueue.isBusy = true;
      void this.#ask(node, [sendQueue], true).finally(() => this.#pump());
    } else if (!this.#busy.has(node)) {
      sendQueue.isBusy = true;
      const own = together.get(node);
      if (own === undefined) together.set(node, [sendQueue]);
      else own.push(sendQueue);
    }
  }

  async #ask(node: number, sendQueues: readonly SendQueue[], isApart: boolean): Promise<void> {
    const { link } = this.#of;
    const sent: SendQueue[] = [];
    const outcomes = new Map<SendQueue, Outcome>();
    try {
      const sequences = await this.#sender.sequences();
      const batches = [];
      for (const sendQueue of sendQueues) {
        const partitionBatch = sendQueue.current;
        if (partitionBatch === undefined) continue;
        const failure = await this.#pack(partitionBatch, sequences);
        if (failure !== undefined) {
          outcomes.set(sendQueue, failure);
          continue;
        }
        if (partitionBatch.batch === undefined) continue;
        sent.push(sendQueue);
        partitionBatch.isInDoubt = true;
        batches.push({
          topic: partitionBatch.topic,
          partition: partitionBatch.partition,
          bytes: partitionBatch.batch.bytes,
        });
      }
      const produced =
        batches.length === 0 ? [] : await link.produce(node, sequences.transactionalId, batches, isApart);
      for (const sendQueue of sent)
        outcomes.set(
          sendQueue,
          outcomeOf(sendQueue, produced, (code) => link.errorOf(code)),
        );
    } catch (error) {
      link.forget(error);
      for (const sendQueue of sendQueues) if (!outcomes.has(sendQueue)) outcomes.set(sendQueue, { error });
    }
    for (const sendQueue of sendQueues) {
      sendQueue.isBusy = false;
      const outcome = outcomes.get(sendQueue);
      if (outcome !== undefined) this.#judge(sendQueue, outcome);
    }
  }

  /** What is in doubt stays as it was sent, in whose name it was sent. Answers why no batch could be made. */
  async #pack(partitionBatch: PartitionBatch, sequences: Sequences): Promise<Outcome | undefined> {
    if (partitionBatch.batch !== undefined) return undefined;
    const recordIndexes = this.#wanted(partitionBatch);
    if (recordIndexes.length === 0) return undefined;
    const own = recordIndexes.map((recordIndex) => partitionBatch.call.records[recordIndex] as KafkaOutgoing);
    const of = { ...sequences.next(partitionBatch.name), isTransactional: sequences.transactionalId !== null };
    try {
      const bytes = await writeBatch(own, of, this.#of.packing, timeOfDayMs());
      partitionBatch.batch = { of: sequences, records: own.length, bytes };
      return undefined;
    } catch (error) {
      partitionBatch.batch = { of: sequences, records: own.length, bytes: Buffer.alloc(0) };
      return { error, verdict: 'record' };
    }
  }

  /** The indexes of the next batch, without those that are not to be written any more. */
  #wanted(partitionBatch: PartitionBatch): readonly number[] {
    const { isWanted } = partitionBatch.call;
    while (!partitionBatch.isDone) {
      const recordIndexes = partitionBatch.fitting(this.#of.producing.maxRecordBytes);
      if (isWanted === undefined || recordIndexes.every(isWanted)) return recordIndexes;
      const indexes = new Set([...recordIndexes.keys()].filter((index) => !isWanted(recordIndexes[index] as number)));
      partitionBatch.call.giveUp(partitionBatch.takeOut(indexes), withdrawn(partitionBatch.topic));
    }
    return [];
  }

  #judge(sendQueue: SendQueue, outcome: Outcome): void {
    const partitionBatch = sendQueue.current;
    if (partitionBatch === undefined) return;
    const { error } = outcome;
    const verdict = error === undefined ? 'stored' : (outcome.verdict ?? verdictOf(error));
    const isOfMore = verdict === 'partition' || verdict === 'cluster' || sendQueue.troubles > 0;
    if (verdict === 'again' || verdict === 'lost') {
      this.#trouble(sendQueue, error, verdict === 'lost' || SLOW.has(answerOf(error)));
    } else if (verdict === 'stored') {
      const { batch } = partitionBatch;
      batch?.of.written(partitionBatch.name, batch.records);
      sendQueue.isWell();
      partitionBatch.call.written(partitionBatch.written());
    } else if (this.#sender.renew === undefined && (isOfMore || verdict === 'sequence' || verdict === 'fenced')) {
      // What is rejected after an answer was lost may be in the transaction all the same.
      this.#failAll(error, []);
    } else if (verdict === 'sequence' || verdict === 'fenced') {
      this.#bump(partitionBatch);
      partitionBatch.renew();
      this.#sender.anew?.(partitionBatch.name, error);
      this.#trouble(sendQueue, error, false);
    } else if (verdict === 'record') {
      sendQueue.isWell();
      this.#rejectSome(partitionBatch, outcome);
    } else {
      const doubt = sendQueue.troubles > 0 ? error : undefined;
      this.#reject(sendQueue, partitionBatch, rejectionFor(partitionBatch.topic, error, this.#of.setting), doubt);
    }
  }

  /** Rejects the records that the broker names; where it names none, halves find them, as Kafka's own producer does. */
  #rejectSome(partitionBatch: PartitionBatch, { error, rejected = [], reason = '' }: Outcome): void {
    const count = partitionBatch.batch?.records ?? 0;
    const { records } = partitionBatch.call;
    const named = rejected.filter(({ index }) => index >= 0 && index < count).sort((a, b) => a.index - b.index);
    if (named.length === 0 && count > 1) {
      partitionBatch.halve();
      return;
    }
    const reasons = new Map(named.map((one) => [one.index, one.reason || reason]));
    if (reasons.size === 0) reasons.set(0, reason);
    const recordIndexes = partitionBatch.takeOut(new Set(reasons.keys()));
    const why = [...reasons.values()];
    partitionBatch.call.reject(recordIndexes, (recordIndex, at) =>
      recordRejection(
        records[recordIndex] as KafkaOutgoing,
        partitionBatch.partition,
        why[at] as string,
        error,
        this.#of.setting,
      ),
    );
  }

  /** Rejects all that is left of a partition batch, for good. `doubt`: why it is not known whether its batch was written before. */
  #reject(sendQueue: SendQueue, partitionBatch: PartitionBatch, rejection: RxflumeError, doubt: unknown): void {
    if (doubt !== undefined && this.#sender.renew === undefined) {
      this.#failAll(doubt, []);
      return;
    }
    if (doubt !== undefined) this.#bump(partitionBatch);
    sendQueue.drop(partitionBatch);
    partitionBatch.call.reject(partitionBatch.left, () => rejection);
  }

  /** `isSlow`: no answer came in time; others must not be in a request with it. */
  #trouble(sendQueue: SendQueue, error: unknown, isSlow: boolean): void {
    sendQueue.retryLater(error, isSlow);
    const { link } = this.#of;
    const refreshing = Promise.all([link.topics.look([sendQueue.topic]), link.refresh()]);
    refreshing.catch((failure: unknown) => link.forget(failure));
  }

  /** From now on brokers reject what was sent before, however late it arrives. */
  #bump(partitionBatch: PartitionBatch): void {
    if (partitionBatch.batch?.of.bump(partitionBatch.name) === false) this.#sender.renew?.();
  }

  /** Also what is behind it: it must not go before what is redelivered. */
  #giveUp(sendQueue: SendQueue, partitionBatch: PartitionBatch): void {
    const trouble = sendQueue.trouble ?? new Error('earlier requests to its broker took too long');
    if (this.#sender.renew === undefined || this.#of.isClosed) {
      this.#failAll(trouble, []);
      return;
    }
    if (partitionBatch.isInDoubt) this.#bump(partitionBatch);
    this.#sendQueues.delete(sendQueue.name);
    const { setting, producing } = this.#of;
    for (const one of sendQueue.partitionBatches.splice(0)) {
      const error = unsent(one.topic, producing.sendTimeoutMs, trouble, setting, one.isInDoubt);
      one.call.giveUp(one.left, error);
    }
  }

  /** Ends a transaction: each call fails. */
  #failAll(error: unknown, calls: readonly Call[]): void {
    const all = new Set(calls);
    for (const sendQueue of this.#sendQueues.values())
      for (const partitionBatch of sendQueue.partitionBatches.splice(0)) all.add(partitionBatch.call);
    this.#sendQueues.clear();
    for (const call of all) call.fail(error);
  }
}
