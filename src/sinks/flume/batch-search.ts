import type { RxflumeError } from '../../core/errors.js';
import type { DeliveryBatch } from '../../delivery/delivery-batch.js';
import type { FlumeEvent } from '../../formats/flume-event.js';

/** Events of one stream that go to an agent together. */
export type EventBatch = DeliveryBatch<FlumeEvent>;

/** After this many events in a row that an agent rejected one by one, the agent is taken to be at fault. */
const MAX_REJECTED_IN_A_ROW = 3;

/**
 * How an agent rejected: `status` is `FAILED` or `UNKNOWN`; `error` an error of the call. To a batch Flume's AvroSource
 * answers `FAILED` for any reason; to one event only for a channel that does not take it, and an error for an interceptor.
 */
export interface AgentRejection {
  readonly agent: string;
  readonly how: 'status' | 'error';
  readonly cause: RxflumeError;
}

/** An event that was rejected alone. */
export interface Suspect {
  readonly part: EventBatch;
  readonly rejection: AgentRejection;
  /** The agent that rejected it took another event of its batch after that. */
  isCleared: boolean;
}

/**
 * Finds the events at fault in a batch that an agent rejected, one part after the other so that their order stays. Pure.
 *
 * The first event is sent alone. While nothing is taken, the next ones follow one by one. Once an event is taken, parts are
 * halved down to what is rejected alone. Where one event alone is answered with a status, or three in a row with an error,
 * the agent is in trouble, and the rest is left unsent.
 *
 * Bounds: one to three requests where the agent takes nothing; else one, and for each event at fault at most 2 × log2 of the batch.
 */
export class BatchSearch {
  /** The parts that are not sent, in order. */
  #parts: EventBatch[];
  #suspects: Suspect[] = [];
  #inARow = 0;
  #trouble: AgentRejection | undefined;
  readonly #hasTaken = new Set<string>();

  /** `batch` has two events or more. */
  constructor(batch: EventBatch) {
    this.#parts = [batch.part(0, 1), batch.part(1, batch.size)];
  }

  /** The part to send next; undefined where the search is over. */
  next(): EventBatch | undefined {
    return this.#trouble === undefined ? this.#parts.shift() : undefined;
  }

  taken(agent: string): void {
    // That the rest has an event at fault is known, unless one was found already: it is not sent whole once more.
    const isFirst = this.#hasTaken.size === 0 && this.#suspects.length === 0;
    const [rest] = this.#parts;
    if (isFirst && rest !== undefined && rest.size > 1) this.#replaceFirst(rest.halves());
    this.#hasTaken.add(agent);
    this.#inARow = 0;
    for (const suspect of this.#suspects) suspect.isCleared ||= suspect.rejection.agent === agent;
  }

  rejected(part: EventBatch, rejection: AgentRejection): void {
    if (part.size > 1) {
      this.#parts.unshift(...part.halves());
      return;
    }
    this.#suspects.push({ part, rejection, isCleared: false });
    // Behind an event that waits for a full channel nothing is sent: it would be sent again with that event.
    this.#inARow = rejection.how === 'status' ? 1 : this.#inARow + 1;
    if (rejection.how === 'status' || this.#inARow >= MAX_REJECTED_IN_A_ROW) this.#trouble = rejection;
    const [rest] = this.#parts;
    const takesNothing = this.#hasTaken.size === 0;
    if (takesNothing && rest !== undefined && rest.size > 1) {
      this.#replaceFirst([rest.part(0, 1), rest.part(1, rest.size)]);
    }
  }

  /** Whether that agent has taken any of the batch: what it rejects then, it rejects for its content. */
  hasTaken(agent: string): boolean {
    return this.#hasTaken.has(agent);
  }

  /** The events at fault, as far as one can tell, in order. Empty where the agent took nothing. */
  get atFault(): readonly Suspect[] {
    const all = this.#hasTaken.size === 0 ? [] : this.#suspects;
    return all.slice(0, all.length - this.#doubtful);
  }

  /** What was rejected because of the agent, or was not sent, in order. */
  get left(): readonly EventBatch[] {
    const suspects = this.#suspects.slice(this.atFault.length).map(({ part }) => part);
    return [...suspects, ...this.#parts];
  }

  /** All that was not sent, or was rejected alone; without the part under way. */
  get unsettled(): readonly EventBatch[] {
    return [...this.#suspects.map(({ part }) => part), ...this.#parts];
  }

  /** Why, if an agent's rejection ended the search. */
  get trouble(): AgentRejection | undefined {
    return this.#hasTaken.size === 0 ? this.#suspects.at(-1)?.rejection : this.#trouble;
  }

  /** How many of the last suspects were rejected because the agent is in trouble. */
  get #doubtful(): number {
    return this.#trouble === undefined ? 0 : this.#inARow;
  }

  #replaceFirst(parts: readonly EventBatch[]): void {
    this.#parts = [...parts, ...this.#parts.slice(1)];
  }
}
