import { catchError, defer, type Observable, type ObservableInput } from 'rxjs';
import { doublingMs } from '../../../backpressure/backoff.js';
import type { RxflumeError } from '../../../core/errors.js';
import type { PartitionOffset } from '../../../ports/kafka-consumer.js';
import type { KafkaOutgoing, KafkaSent, KafkaTransactions } from '../../../ports/kafka-producer.js';
import { byTopic } from '../consumer/offsets.js';
import type { Broker } from '../vendor/internals.js';
import { answerOf, transactionError, verdictOf } from './producer-answers.js';
import { Producing } from './producing.js';
import type { ProducingFor } from './sender.js';
import type { Sequences } from './sequences.js';

const FIRST_WAIT_MS = 10;
const MAX_WAIT_MS = 500;
const COORDINATOR_MOVED = /COORDINATOR/;

/**
 * The transactions of one transactional id in one epoch. A step is asked for again only where the broker said so: a step
 * whose answer was lost may still be carried out later, in the next transaction, unless the epoch is raised before it.
 *
 * Source: KIP-98; KIP-890 for what late requests do.
 */
export class Transactions implements KafkaTransactions {
  readonly #of: ProducingFor;
  readonly #sequences: Sequences;
  readonly #id: string;
  readonly #producing: Producing;
  /** Partitions that are in the open transaction. */
  readonly #joined = new Set<string>();
  #coordinator: Broker | undefined;
  #over: RxflumeError | undefined;

  constructor(of: ProducingFor, sequences: Sequences) {
    this.#of = of;
    this.#sequences = sequences;
    this.#id = sequences.transactionalId as string;
    this.#producing = new Producing(of, {
      sequences: async () => this.#sequences,
      joining: (partitionBatches) => this.#join(partitionBatches),
    });
  }

  send(records: readonly KafkaOutgoing[]): Observable<KafkaSent> {
    return this.#unlessOver('write', () => this.#producing.send(records));
  }

  commit(groupId: string, offsets: readonly PartitionOffset[]): ObservableInput<unknown> {
    return this.#unlessOver('commit', () => this.#commit(groupId, offsets));
  }

  /** The first failure is the end of all transactions of this epoch. */
  #unlessOver<T>(what: string, act: () => ObservableInput<T>): Observable<T> {
    return defer(() => {
      if (this.#over !== undefined) throw this.#over;
      return act();
    }).pipe(
      catchError((error: unknown) => {
        this.#of.link.forget(error);
        this.#over ??= transactionError(this.#id, what, error, this.#of.setting);
        throw this.#over;
      }),
    );
  }

  async #join(
    partitionBatches: readonly { readonly topic: string; readonly partition: number; readonly name: string }[],
  ): Promise<void> {
    const fresh = partitionBatches.filter(({ name }) => !this.#joined.has(name));
    if (fresh.length === 0) return;
    const topics = byTopic(fresh, ({ partition }) => partition);
    await this.#step((coordinator) => coordinator.addPartitionsToTxn({ ...this.#who, topics }));
    for (const { name } of fresh) this.#joined.add(name);
  }

  async #commit(groupId: string, offsets: readonly PartitionOffset[]): Promise<void> {
    await this.#step((coordinator) => coordinator.addOffsetsToTxn({ ...this.#who, groupId }));
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset), metadata: null }));
    await this.#again(async () => {
      const coordinator = await this.#of.link.groupCoordinator(groupId);
      await coordinator.txnOffsetCommit({ ...this.#who, groupId, topics });
    });
    await this.#step((coordinator) => coordinator.endTxn({ ...this.#who, transactionResult: true }));
    this.#joined.clear();
  }

  get #who() {
    const { producerId, epoch } = this.#sequences.id;
    return { transactionalId: this.#id, producerId: String(producerId), producerEpoch: epoch };
  }

  /** A step at the transaction's coordinator. */
  async #step(ask: (coordinator: Broker) => Promise<unknown>): Promise<void> {
    await this.#again(async () => {
      this.#coordinator ??= await this.#of.link.coordinatorOf(this.#id);
      await ask(this.#coordinator);
    });
  }

  async #again(ask: () => Promise<void>): Promise<void> {
    const until = performance.now() + this.#of.producing.sendTimeoutMs;
    for (let failures = 1; ; failures += 1) {
      try {
        await ask();
        return;
      } catch (error) {
        if (verdictOf(error) !== 'again' || performance.now() > until || this.#of.isClosed) throw error;
        if (COORDINATOR_MOVED.test(answerOf(error))) this.#coordinator = undefined;
        await this.#of.closing.wait(doublingMs(failures, FIRST_WAIT_MS, MAX_WAIT_MS));
      }
    }
  }
}
