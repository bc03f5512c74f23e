import { type Observable, Subject } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { ERRORS } from '../core/error-codes.js';
import { describeError, describeValue, RxflumeError } from '../core/errors.js';
import { flowLabels, flowScope } from '../core/flow-scope.js';
import { jsonText } from '../core/json-text.js';
import { defaultMonitor } from '../core/monitor.js';
import { Delivery, type Origin } from './delivery.js';
import { derivedOrigin } from './derived-origin.js';

/** A value set aside, in a form that any format can store: what came, from where, and why it could not be used. */
export interface DeadLetter {
  /** The code of the error, or its name where it has none. */
  readonly code: string;
  readonly message: string;
  readonly stream: string;
  readonly offset: number;
  /** The source's time of the value, ISO 8601, or null. */
  readonly timestamp: string | null;
  readonly key: string | null;
  /** The value as it came: text as it is, bytes that are not UTF-8 as base64, null for none. */
  readonly value: string | null;
  readonly encoding: 'utf8' | 'base64' | 'json' | 'none';
  /** How often it has been nacked, this time included, as far as the operator that sets it aside has seen. */
  readonly attempt: number;
  /** When it was set aside, ISO 8601. */
  readonly setAsideAt: string;
}

/** `at`: how often it has been nacked, and the time now. */
export function deadLetterOf(
  value: unknown,
  origin: Origin,
  cause: unknown,
  at: { readonly attempt: number; readonly now: number },
): DeadLetter {
  const { text, encoding } = readable(value);
  // A producer's timestamp may be anything, and toISOString throws for what is no date (nanoseconds, say).
  const time = new Date(origin.timestamp ?? Number.NaN);
  return {
    code: cause instanceof RxflumeError ? cause.code : cause instanceof Error ? cause.name : 'Error',
    message: describeError(cause),
    stream: origin.stream,
    offset: origin.offset,
    timestamp: Number.isNaN(time.getTime()) ? null : time.toISOString(),
    key: origin.key == null ? null : Buffer.from(origin.key).toString(),
    value: text,
    encoding,
    attempt: at.attempt,
    setAsideAt: new Date(at.now).toISOString(),
  };
}

/** The dead letters of one subscription of an operator, on their way to a sink; counted by their reason. */
export class DeadLetters {
  readonly #labels;
  readonly #letters$ = new Subject<Delivery<DeadLetter>>();
  readonly letters$: Observable<Delivery<DeadLetter>> = this.#letters$.asObservable();

  /** To be made when the operator is subscribed to. */
  constructor(operator: string) {
    this.#labels = { ...flowLabels(), operator: flowScope()?.operator ?? operator };
  }

  /** False once their sink accepts no more: it has completed, perhaps before the source. */
  get areTaken(): boolean {
    return this.#letters$.observed;
  }

  /**
   * Sends a letter instead of the value, with the same acker, and the time of setting aside. The producer's time may be why the
   * value was nacked, and would get the letter nacked too; the letter holds it.
   */
  send({ value, origin, acker, seq }: Delivery<unknown>, cause: unknown, attempt: number): undefined {
    const now = timeOfDayMs();
    const letter = deadLetterOf(value, origin, cause, { attempt, now });
    // The name of a foreign error may be anything.
    const reason = Object.hasOwn(ERRORS, letter.code) ? letter.code : 'error';
    defaultMonitor.metric('rxflume_dead_letters_total', { ...this.#labels, reason }).add(1);
    this.#letters$.next(new Delivery(letter, derivedOrigin(origin, { timestamp: now }), acker, seq));
  }

  complete(): void {
    this.#letters$.complete();
  }
}

function readable(value: unknown): { text: string | null; encoding: DeadLetter['encoding'] } {
  if (value === null || value === undefined) return { text: null, encoding: 'none' };
  if (typeof value === 'string') return { text: value, encoding: 'utf8' };
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const text = bytes.toString('utf8');
    // Bytes that are not UTF-8 come back as replacement characters; only a round trip tells.
    if (Buffer.byteLength(text) === bytes.length && Buffer.from(text).equals(bytes)) return { text, encoding: 'utf8' };
    return { text: bytes.toString('base64'), encoding: 'base64' };
  }
  const text = jsonOf(value);
  return text === undefined ? { text: describeValue(value), encoding: 'utf8' } : { text, encoding: 'json' };
}

/** What can be had of a value that JSON does not hold, such as one with NaN, is more to its reader than its type. */
function jsonOf(value: unknown): string | undefined {
  for (const write of [jsonText, JSON.stringify]) {
    try {
      return write(value);
    } catch {}
  }
  return undefined;
}
