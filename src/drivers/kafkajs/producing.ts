import { Observable } from 'rxjs';
import { timeOfDayMs } from '../../core/clock.js';
import { type RxflumeError, SinkError } from '../../core/errors.js';
import type { KafkaOutgoing, KafkaProducing, KafkaSent } from '../../ports/kafka-producer.js';
import { type Packing, writeBatch } from './batch-writer.js';
import { Call } from './call.js';
import type { Setting } from './errors.js';
import { Lane } from './lane.js';
import { type Lot, lotsOf, type Partitions } from './lots.js';
import { type Outcome, outcomeOf } from './outcome.js';
import { answerOf, recordRefusal, refusalFor, unsent, verdictOf, withdrawn } from './producer-answers.js';
import type { ProducerLink } from './producer-link.js';
import type { Sequences } from './sequences.js';
import type { Signal } from './signal.js';
import { TopicQueue } from './topic-queue.js';

/** Answers that come after the broker has waited for replicas; the other batches of the request waited with it. */
const SLOW = new Set(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']);

/** In whose name records are sent. */
export interface Sender {
  /** The producer id to send with now. */
  sequences(): Promise<Sequences>;
  /** These partitions are about to be written to. */
  joining?(lots: readonly Lot[]): Promise<void>;
  /** Drops the producer id, which has no higher epoch; absent where a sequence that is refused is the end of a transaction. */
  renew?(): void;
  /** The broker does not have the sequence that a partition goes on from; it begins anew. */
  anew?(partition: string, error: unknown): void;
}

/** What sending needs of the producer it sends for. */
export interface ProducingFor {
  readonly link: ProducerLink;
  readonly setting: Setting;
  readonly producing: KafkaProducing;
  readonly packing: Packing;
  /** Fires when the producer is closed. */
  readonly closing: Signal;
  readonly isClosed: boolean;
}

/**
 * Sends records until each is written or refused, in order within each partition, and no partition waits for another: one
 * batch of each partition under way, one request to each broker, and what had trouble in a request of its own. Where an
 * answer was lost, the same batch again, which the broker then knows by its sequence.
 *
 * Bounds: one encoded batch for each partition. A call takes `sendTimeoutMs`, and the `requestTimeoutMs` of a request that
 * is under way then.
 */
export class Producing {
  readonly #of: ProducingFor;
  readonly #sender: Sender;
  readonly #lanes = new Map<string, Lane>();
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

  /** Answers as it becomes known. Fails where a transaction cannot go on; without one, what is lost is among the refused. */
  send(records: readonly KafkaOutgoing[], isWanted?: (place: number) => boolean): Observable<KafkaSent> {
    return new Observable((subscriber) => {
      const until = performance.now() + this.#of.producing.sendTimeoutMs;
      const call = new Call(records, { turn: this.#turn++, until, isWanted }, subscriber);
      this.#topics.add(call);
      return () => call.close();
    });
  }

  #share(call: Call, partitionsOf: (topic: string) => Partitions): void {
    const { lots, refused } = lotsOf(call, partitionsOf, this.#of.producing.maxRecordBytes);
    call.refuse([...refused.keys()], (place) => refused.get(place) as RxflumeError);
    if (lots.length === 0) return;
    if (this.#sender.joining === undefined) {
      this.#queue(lots);
      return;
    }
    this.#sender.joining(lots).then(
      () => this.#queue(lots),
      (error: unknown) => {
        this.#of.link.forget(error);
        this.#failAll(error, [call]);
      },
    );
  }

  #queue(lots: readonly Lot[]): void {
    for (const lot of lots) {
      let lane = this.#lanes.get(lot.name);
      if (lane === undefined) {
        lane = new Lane(lot);
        this.#lanes.set(lot.name, lane);
      }
      lane.lots.push(lot);
    }
    this.#pump();
  }

  /** Sends whatever can be sent now, and sees to it that the rest is looked at in time. */
  #pump(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const together = new Map<number, Lane[]>();
    let next = Number.POSITIVE_INFINITY;
    for (const lane of [...this.#lanes.values()]) {
      if (lane.isBusy) continue;
      const lot = lane.head(this.#of.isClosed);
      if (lot === undefined) {
        this.#lanes.delete(lane.name);
      } else if (now >= lot.call.until || this.#of.isClosed) {
        this.#giveUp(lane, lot);
      } else {
        if (lane.retryAt <= now) this.#choose(lane, lot, together);
        if (lane.current !== lot) next = now;
        else if (!lane.isBusy) next = Math.min(next, lot.call.until, lane.retryAt > now ? lane.retryAt : next);
      }
    }
    for (const [node, lanes] of together) {
      this.#busy.add(node);
      void this.#ask(node, lanes, false).finally(() => {
        this.#busy.delete(node);
        this.#pump();
      });
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#pump(), Math.max(1, next - now));
  }

  /** Puts a lane into the request that it is to go with, or sends it in its own. */
  #choose(lane: Lane, lot: Lot, together: Map<number, Lane[]>): void {
    const { topics } = this.#of.link;
    const known = topics.known(lot.topic);
    if (known !== undefined && typeof known !== 'number') {
      // It was there when the call began.
      this.#refuse(lane, lot, known, lot.isInDoubt ? lane.trouble : undefined);
      return;
    }
    const node = topics.leaderOf(lot);
    if (node === undefined) {
      this.#trouble(lane, new SinkError('RXF_KAFKA_SEND', `${lot.name} has no leader at the moment`), false);
    } else if (lane.isSlow) {
      lane.isBusy = true;
      void this.#ask(node, [lane], true).finally(() => this.#pump());
    } else if (!this.#busy.has(node)) {
      lane.isBusy = true;
      const own = together.get(node);
      if (own === undefined) together.set(node, [lane]);
      else own.push(lane);
    }
  }

  async #ask(node: number, lanes: readonly Lane[], isApart: boolean): Promise<void> {
    const { link } = this.#of;
    const sent: Lane[] = [];
    const outcomes = new Map<Lane, Outcome>();
    try {
      const sequences = await this.#sender.sequences();
      const batches = [];
      for (const lane of lanes) {
        const lot = lane.current;
        if (lot === undefined) continue;
        const failure = await this.#pack(lot, sequences);
        if (failure !== undefined) {
          outcomes.set(lane, failure);
          continue;
        }
        if (lot.batch === undefined) continue;
        sent.push(lane);
        lot.isInDoubt = true;
        batches.push({ topic: lot.topic, partition: lot.partition, bytes: lot.batch.bytes });
      }
      const produced =
        batches.length === 0 ? [] : await link.produce(node, sequences.transactionalId, batches, isApart);
      for (const lane of sent)
        outcomes.set(
          lane,
          outcomeOf(lane, produced, (code) => link.errorOf(code)),
        );
    } catch (error) {
      link.forget(error);
      for (const lane of lanes) if (!outcomes.has(lane)) outcomes.set(lane, { error });
    }
    for (const lane of lanes) {
      lane.isBusy = false;
      const outcome = outcomes.get(lane);
      if (outcome !== undefined) this.#judge(lane, outcome);
    }
  }

  /** What is in doubt stays as it was sent, in whose name it was sent. Answers why no batch could be made. */
  async #pack(lot: Lot, sequences: Sequences): Promise<Outcome | undefined> {
    if (lot.batch !== undefined) return undefined;
    const places = this.#wanted(lot);
    if (places.length === 0) return undefined;
    const own = places.map((place) => lot.call.records[place] as KafkaOutgoing);
    const of = { ...sequences.next(lot.name), isTransactional: sequences.transactionalId !== null };
    try {
      const bytes = await writeBatch(own, of, this.#of.packing, timeOfDayMs());
      lot.batch = { of: sequences, records: own.length, bytes };
      return undefined;
    } catch (error) {
      lot.batch = { of: sequences, records: own.length, bytes: Buffer.alloc(0) };
      return { error, verdict: 'record' };
    }
  }

  /** The places of the next batch, without those that are not to be written any more. */
  #wanted(lot: Lot): readonly number[] {
    const { isWanted } = lot.call;
    while (!lot.isDone) {
      const places = lot.fitting(this.#of.producing.maxRecordBytes);
      if (isWanted === undefined || places.every(isWanted)) return places;
      const indexes = new Set([...places.keys()].filter((index) => !isWanted(places[index] as number)));
      lot.call.giveUp(lot.takeOut(indexes), withdrawn(lot.topic));
    }
    return [];
  }

  #judge(lane: Lane, outcome: Outcome): void {
    const lot = lane.current;
    if (lot === undefined) return;
    const { error } = outcome;
    const verdict = error === undefined ? 'stored' : (outcome.verdict ?? verdictOf(error));
    const isOfMore = verdict === 'partition' || verdict === 'cluster' || lane.troubles > 0;
    if (verdict === 'again' || verdict === 'lost') {
      this.#trouble(lane, error, verdict === 'lost' || SLOW.has(answerOf(error)));
    } else if (verdict === 'stored') {
      const { batch } = lot;
      batch?.of.written(lot.name, batch.records);
      lane.isWell();
      lot.call.written(lot.written());
    } else if (this.#sender.renew === undefined && (isOfMore || verdict === 'sequence' || verdict === 'fenced')) {
      // What is refused after an answer was lost may be in the transaction all the same.
      this.#failAll(error, []);
    } else if (verdict === 'sequence' || verdict === 'fenced') {
      this.#bump(lot);
      lot.renew();
      this.#sender.anew?.(lot.name, error);
      this.#trouble(lane, error, false);
    } else if (verdict === 'record') {
      lane.isWell();
      this.#refuseSome(lot, outcome);
    } else {
      const doubt = lane.troubles > 0 ? error : undefined;
      this.#refuse(lane, lot, refusalFor(lot.topic, error, this.#of.setting), doubt);
    }
  }

  /** Refuses the records that the broker names; where it names none, halves find them, as Kafka's own producer does. */
  #refuseSome(lot: Lot, { error, refused = [], reason = '' }: Outcome): void {
    const count = lot.batch?.records ?? 0;
    const { records } = lot.call;
    const named = refused.filter(({ index }) => index >= 0 && index < count).sort((a, b) => a.index - b.index);
    if (named.length === 0 && count > 1) {
      lot.halve();
      return;
    }
    const reasons = new Map(named.map((one) => [one.index, one.reason || reason]));
    if (reasons.size === 0) reasons.set(0, reason);
    const places = lot.takeOut(new Set(reasons.keys()));
    const why = [...reasons.values()];
    lot.call.refuse(places, (place, at) =>
      recordRefusal(records[place] as KafkaOutgoing, lot.partition, why[at] as string, error, this.#of.setting),
    );
  }

  /** Refuses all that is left of a lot, for good. `doubt`: why it is not known whether its batch was written before. */
  #refuse(lane: Lane, lot: Lot, refusal: RxflumeError, doubt: unknown): void {
    if (doubt !== undefined && this.#sender.renew === undefined) {
      this.#failAll(doubt, []);
      return;
    }
    if (doubt !== undefined) this.#bump(lot);
    lane.drop(lot);
    lot.call.refuse(lot.left, () => refusal);
  }

  /** `isSlow`: no answer came in time; others must not be in a request with it. */
  #trouble(lane: Lane, error: unknown, isSlow: boolean): void {
    lane.retryLater(error, isSlow);
    const { link } = this.#of;
    const refreshing = Promise.all([link.topics.look([lane.topic]), link.refresh()]);
    refreshing.catch((failure: unknown) => link.forget(failure));
  }

  /** What was sent is refused from now on, however late it arrives. */
  #bump(lot: Lot): void {
    if (lot.batch?.of.bump(lot.name) === false) this.#sender.renew?.();
  }

  /** Also what stands behind it: it must not go before what is redelivered. */
  #giveUp(lane: Lane, lot: Lot): void {
    const trouble = lane.trouble ?? new Error('other requests to its broker took too long');
    if (this.#sender.renew === undefined || this.#of.isClosed) {
      this.#failAll(trouble, []);
      return;
    }
    if (lot.isInDoubt) this.#bump(lot);
    this.#lanes.delete(lane.name);
    const { setting, producing } = this.#of;
    for (const one of lane.lots.splice(0)) {
      const error = unsent(one.topic, producing.sendTimeoutMs, trouble, setting, one.isInDoubt);
      one.call.giveUp(one.left, error);
    }
  }

  /** Ends a transaction: each call fails. */
  #failAll(error: unknown, calls: readonly Call[]): void {
    const all = new Set(calls);
    for (const lane of this.#lanes.values()) for (const lot of lane.lots.splice(0)) all.add(lot.call);
    this.#lanes.clear();
    for (const call of all) call.fail(error);
  }
}
