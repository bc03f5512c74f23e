import { timeOfDayMs } from '../../core/clock.js';
import { type RxflumeError, SinkError } from '../../core/errors.js';
import type { KafkaOutgoing, KafkaProducing, KafkaSent } from '../../ports/kafka-producer.js';
import { type Packing, writeBatch } from './batch-writer.js';
import type { Setting } from './errors.js';
import { type Lot, lotsOf, type Partitions } from './lots.js';
import { answerOf, refusalFor, unsent, verdictOf } from './producer-answers.js';
import type { ProducerLink } from './producer-link.js';
import type { Produced } from './producer-requests.js';
import type { Sequences } from './sequences.js';
import type { Signal } from './signal.js';

const FIRST_WAIT_MS = 20;
const MOST_WAIT_MS = 1_000;
/** A topic made a moment ago may not be known to every broker yet. */
const LOOKS = 3;
const LOOK_AGAIN_AFTER_MS = 250;
const MISSING = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION']);

/** In whose name records are sent. */
export interface Sender {
  /** The producer id to send with now. */
  sequences(): Promise<Sequences>;
  /** These partitions are about to be written to. */
  joining?(lots: readonly Lot[]): Promise<void>;
  /** Drops the producer id, whose sequence the broker does not accept; absent where that is the end of a transaction. */
  renew?(): void;
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
 * Sends records until each is written or refused: one batch a partition and request, requests to all brokers side by
 * side, and the same batch again where an answer was lost, which the broker then knows by its sequence.
 *
 * Bounds: the encoded batches of one round; `sendTimeoutMs` for all of a call.
 */
export class Producing {
  readonly #of: ProducingFor;
  #turn = Math.floor(Math.random() * 1_024);

  constructor(of: ProducingFor) {
    this.#of = of;
  }

  /** Fails where a transaction cannot go on; without one, what is lost is among the refused. */
  async send(records: readonly KafkaOutgoing[], sender: Sender): Promise<KafkaSent> {
    const { producing } = this.#of;
    const until = performance.now() + producing.sendTimeoutMs;
    const partitions = await this.#partitionsOf(new Set(records.map(({ topic }) => topic)), until);
    const known = (topic: string) => partitions.get(topic) as Partitions;
    const { lots, refused } = lotsOf(records, known, this.#turn++, producing.maxRecordBytes);
    let open = lots;
    for (let troubles = 0; open.length > 0; ) {
      const trouble = await this.#round(open, records, sender, refused);
      open = open.filter((lot) => !lot.isDone);
      if (trouble === undefined || open.length === 0) continue;
      troubles += 1;
      if (performance.now() > until || this.#of.isClosed) {
        if (sender.renew === undefined) throw trouble as Error;
        // Whether its last batch is there nobody knows; the next must not be taken for that one.
        sender.renew();
        for (const lot of open)
          this.#refuse(lot, refused, unsent(lot.topic, producing.sendTimeoutMs, trouble, this.#of.setting));
        break;
      }
      await this.#of.closing.wait(Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (troubles - 1)));
      await this.#of.link.refresh().catch((error: unknown) => this.#of.link.forget(error));
    }
    return { refused };
  }

  async #partitionsOf(topics: ReadonlySet<string>, until: number): Promise<ReadonlyMap<string, Partitions>> {
    const known = new Map<string, Partitions>();
    for (const topic of topics) known.set(topic, await this.#countOf(topic, until));
    return known;
  }

  async #countOf(topic: string, until: number): Promise<Partitions> {
    const { link, setting, closing, producing } = this.#of;
    for (let looks = 1; ; ) {
      try {
        const { length } = await link.partitionsOf(topic);
        if (length > 0) return length;
        return refusalFor(topic, 'missing', new Error('it has no partitions'), setting);
      } catch (error) {
        link.forget(error);
        const isMissing = MISSING.has(answerOf(error));
        const verdict = isMissing ? 'missing' : verdictOf(error);
        if (isMissing ? looks >= LOOKS : verdict !== 'again' && verdict !== 'lost') {
          return refusalFor(topic, verdict, error, setting);
        }
        if (performance.now() > until || this.#of.isClosed)
          return unsent(topic, producing.sendTimeoutMs, error, setting);
        looks += isMissing ? 1 : 0;
        await closing.wait(LOOK_AGAIN_AFTER_MS);
      }
    }
  }

  /** Sends one batch of each lot; what went wrong and may pass. Fails where a transaction cannot go on. */
  async #round(
    lots: readonly Lot[],
    records: readonly KafkaOutgoing[],
    sender: Sender,
    refused: Map<number, RxflumeError>,
  ): Promise<unknown> {
    let sequences: Sequences;
    try {
      await this.#of.link.refreshIfOld();
      sequences = await sender.sequences();
      await sender.joining?.(lots);
    } catch (error) {
      this.#of.link.forget(error);
      const verdict = verdictOf(error);
      if (sender.renew === undefined) throw error;
      if (verdict === 'again' || verdict === 'lost') return error;
      for (const lot of lots) this.#refuse(lot, refused, refusalFor(lot.topic, verdict, error, this.#of.setting));
      return undefined;
    }
    let trouble: unknown;
    const byNode = new Map<number, Lot[]>();
    for (const lot of lots) {
      const node = this.#of.link.leaderOf(lot);
      if (node === undefined) trouble = new SinkError('RXF_KAFKA_SEND', `${lot.name} has no leader at the moment`);
      else byNode.set(node, [...(byNode.get(node) ?? []), lot]);
    }
    const answers = await Promise.all([...byNode].map(async ([node, own]) => this.#ask(node, own, records, sequences)));
    for (const answer of answers) {
      for (const [lot, error] of answer) trouble = this.#judge(lot, error, sequences, sender, refused) ?? trouble;
    }
    return trouble;
  }

  /** What one broker says of each lot; an error for each, undefined where it is written. */
  async #ask(
    node: number,
    lots: readonly Lot[],
    records: readonly KafkaOutgoing[],
    sequences: Sequences,
  ): Promise<(readonly [Lot, unknown])[]> {
    let produced: readonly Produced[];
    try {
      const batches = [];
      for (const lot of lots) {
        await this.#pack(lot, records, sequences);
        batches.push({ topic: lot.topic, partition: lot.partition, bytes: (lot.batch as { bytes: Buffer }).bytes });
      }
      produced = await this.#of.link.produce(node, sequences.transactionalId, batches);
    } catch (error) {
      this.#of.link.forget(error);
      return lots.map((lot) => [lot, error]);
    }
    return lots.map((lot) => {
      const one = produced.find(({ topic, partition }) => topic === lot.topic && partition === lot.partition);
      if (one?.errorCode === 0) return [lot, undefined];
      return [
        lot,
        one === undefined ? new Error('the broker did not answer for it') : this.#of.link.errorOf(one.errorCode),
      ];
    });
  }

  async #pack(lot: Lot, records: readonly KafkaOutgoing[], sequences: Sequences): Promise<void> {
    if (lot.batch?.of === sequences) return;
    const count = lot.fitting(this.#of.producing.maxRecordBytes);
    const own = lot.places.slice(lot.at, lot.at + count).map((place) => records[place] as KafkaOutgoing);
    const { id, transactionalId } = sequences;
    const of = { ...id, firstSequence: sequences.next(lot.name), isTransactional: transactionalId !== null };
    lot.batch = { of: sequences, records: count, bytes: await writeBatch(own, of, this.#of.packing, timeOfDayMs()) };
  }

  /** Answers the error where the lot is to be tried again for it. */
  #judge(lot: Lot, error: unknown, sequences: Sequences, sender: Sender, refused: Map<number, RxflumeError>): unknown {
    const count = lot.batch?.records ?? 0;
    const verdict = error === undefined ? 'stored' : verdictOf(error);
    if (verdict === 'again' || verdict === 'lost') return error;
    if (verdict === 'anew' || verdict === 'fenced') {
      if (sender.renew === undefined) throw error;
      sender.renew();
      return error;
    }
    lot.batch = undefined;
    if (verdict === 'stored') {
      sequences.written(lot.name, count);
      lot.at += count;
      lot.most = Number.POSITIVE_INFINITY;
    } else if (verdict === 'tooLarge' && count > 1) {
      // One of them is; halves find it, as Kafka's own producer does.
      lot.most = Math.ceil(count / 2);
    } else {
      const refusal = refusalFor(lot.topic, verdict, error, this.#of.setting);
      if (verdict !== 'tooLarge') this.#refuse(lot, refused, refusal);
      else refused.set(lot.places[lot.at++] as number, refusal);
    }
    return undefined;
  }

  #refuse(lot: Lot, refused: Map<number, RxflumeError>, error: RxflumeError): void {
    for (; !lot.isDone; lot.at += 1) refused.set(lot.places[lot.at] as number, error);
  }
}
