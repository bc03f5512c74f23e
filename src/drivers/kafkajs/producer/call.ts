import type { Subscriber } from 'rxjs';
import type { RxflumeError } from '../../../core/errors.js';
import type { KafkaOutgoing, KafkaSent } from '../../../ports/kafka-producer.js';

const NONE: ReadonlyMap<number, RxflumeError> = new Map();
/** What is written is answered together where it comes within so long: a run of records is settled at once, and not one by one. */
const TOGETHER_MS = 20;

/**
 * One call to send: answers for each of its records once, soon after it becomes known, and completes with the last. What is
 * refused for good is answered last: a refusal may be the end of the epoch of what is written beside it.
 */
export class Call {
  readonly records: readonly KafkaOutgoing[];
  /** Whose turn it is among the partitions, for records without key. */
  readonly turn: number;
  /** When it is to be over, by `performance.now`. */
  readonly until: number;
  /** Whether a record, by its place, is still to be written. */
  readonly isWanted: ((place: number) => boolean) | undefined;
  readonly #out: Subscriber<KafkaSent>;
  readonly #refused = new Map<number, RxflumeError>();
  #written: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Records that are neither answered nor in `written` or `refused`. */
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

  written(places: readonly number[]): void {
    if (this.isOver) return;
    for (const place of places) this.#written.push(place);
    this.#left -= places.length;
    this.#finishIfDone();
    if (!this.isOver) this.#timer ??= setTimeout(() => this.#answerWritten(), TOGETHER_MS);
  }

  /** For good. `errorOf`: by the place, and by where it stands among these. */
  refuse(places: readonly number[], errorOf: (place: number, at: number) => RxflumeError): void {
    if (this.isOver) return;
    for (const [at, place] of places.entries()) this.#refused.set(place, errorOf(place, at));
    this.#left -= places.length;
    this.#finishIfDone();
  }

  /** What was not acknowledged in time: answered at once, so that nothing of the same partition goes before it. */
  giveUp(places: readonly number[], error: RxflumeError): void {
    if (this.isOver || places.length === 0) return;
    this.#answerWritten();
    this.#left -= places.length;
    this.#out.next({ written: [], refused: new Map(places.map((place) => [place, error])) });
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
    this.#out.next({ written, refused: NONE });
  }

  #finishIfDone(): void {
    if (this.isOver || this.#left > 0) return;
    this.#answerWritten();
    this.close();
    if (this.#refused.size > 0) this.#out.next({ written: [], refused: this.#refused });
    this.#out.complete();
  }
}
