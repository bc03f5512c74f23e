import type { Subscriber } from 'rxjs';
import type { RxflumeError } from '../../../core/errors.js';
import type { KafkaOutgoing, KafkaSent } from '../../../ports/kafka-producer.js';

const NONE: ReadonlyMap<number, RxflumeError> = new Map();
/** What is written is answered together where it comes within so long: a run of records is settled at once, and not one by one. */
const TOGETHER_MS = 20;

/**
 * One call to send: answers for each of its records once, soon after it becomes known, and completes with the last. What is
 * rejected for good is answered last: a rejection may end the epoch of what is written beside it.
 */
export class Call {
  readonly records: readonly KafkaOutgoing[];
  /** Whose turn it is among the partitions, for records without key. */
  readonly turn: number;
  /** When it is to be over, by `performance.now`. */
  readonly until: number;
  /** Whether a record, by its index, is still to be written. */
  readonly isWanted: ((recordIndex: number) => boolean) | undefined;
  readonly #out: Subscriber<KafkaSent>;
  readonly #rejected = new Map<number, RxflumeError>();
  #written: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Records that are neither answered nor in `written` or `rejected`. */
  #left: number;
  isOver = false;

  constructor(
    records: readonly KafkaOutgoing[],
    of: Pick<Call, 'turn' | 'until' | 'isWanted'>,
    out: Subscriber<KafkaSent>,
  ) {
    const { turn, until, isWanted } = of;
    this.records = records;
    this.turn = turn;
    this.until = until;
    this.isWanted = isWanted;
    this.#out = out;
    this.#left = records.length;
    this.#finishIfDone();
  }

  written(recordIndexes: readonly number[]): void {
    if (this.isOver) return;
    for (const recordIndex of recordIndexes) this.#written.push(recordIndex);
    this.#left -= recordIndexes.length;
    this.#finishIfDone();
    if (!this.isOver) this.#timer ??= setTimeout(() => this.#answerWritten(), TOGETHER_MS);
  }

  /** Rejects these for good. `errorOf` gets the index in the call, and the one in `recordIndexes`. */
  reject(recordIndexes: readonly number[], errorOf: (recordIndex: number, at: number) => RxflumeError): void {
    if (this.isOver) return;
    for (const [at, recordIndex] of recordIndexes.entries()) this.#rejected.set(recordIndex, errorOf(recordIndex, at));
    this.#left -= recordIndexes.length;
    this.#finishIfDone();
  }

  /** What was not acknowledged in time: answered at once, so that nothing of the same partition goes before it. */
  giveUp(recordIndexes: readonly number[], error: RxflumeError): void {
    if (this.isOver || recordIndexes.length === 0) return;
    this.#answerWritten();
    this.#left -= recordIndexes.length;
    this.#out.next({ written: [], rejected: new Map(recordIndexes.map((recordIndex) => [recordIndex, error])) });
    this.#finishIfDone();
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    this.#answerWritten();
    this.close();
    this.#out.error(error);
  }

  /** Nobody listens any more. */
  close(): void {
    this.isOver = true;
    clearTimeout(this.#timer);
  }

  #answerWritten(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#written.length === 0) return;
    const written = this.#written.sort((a, b) => a - b);
    this.#written = [];
    this.#out.next({ written, rejected: NONE });
  }

  #finishIfDone(): void {
    if (this.isOver || this.#left > 0) return;
    this.#answerWritten();
    this.close();
    if (this.#rejected.size > 0) this.#out.next({ written: [], rejected: this.#rejected });
    this.#out.complete();
  }
}
