import { type Observable, Subject } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { ERRORS } from '../core/error-codes.js';
import { describeError, describeValue, RxflumeError } from '../core/errors.js';
import { flowLabels, flowScope } from '../core/flow-scope.js';
import { toHeaderList } from '../core/headers.js';
import { jsonText } from '../core/json-text.js';
import { defaultMonitor } from '../core/monitor.js';
import { Delivery, type Origin } from './delivery.js';
import { derivedOrigin } from './derived-origin.js';

/**
 * A value set aside, in a form that any format can store: what came, from where, and why it could not be used. As a line of JSON it is
 * what `rxflume dlq` reads back.
 */
export interface DeadLetter {
  /** Of this form. A later one adds fields, and changes none without another number. */
  readonly version: typeof DEAD_LETTER_VERSION;
  /** The code of the error, or its name where it has none. */
  readonly code: string;
  readonly message: string;
  /** What is behind the error, from its own cause on; at most ten. */
  readonly causes: readonly DeadLetterCause[];
  /** Where the record was first read, also where a replay of it failed again. */
  readonly stream: string;
  readonly offset: number;
  /** Which part of the record it is, where an operator had split it; null for all of it. */
  readonly part: string | null;
  /** The source's time of the value, ISO 8601, or null. */
  readonly timestamp: string | null;
  readonly key: string | null;
  readonly keyEncoding: 'utf8' | 'base64' | 'none';
  /** In their order, repeated names included. */
  readonly headers: readonly DeadLetterHeader[];
  /** The value as it came: text as it is, bytes that are not UTF-8 as base64, null for none. */
  readonly value: string | null;
  readonly encoding: 'utf8' | 'base64' | 'json' | 'none';
  /** What the value was before it was written down; `other` where that cannot be had back. */
  readonly type: 'bytes' | 'text' | 'json' | 'none' | 'other';
  /** How often it has been nacked, this time and replays included, as far as the operator that sets it aside has seen. */
  readonly attempt: number;
  /** When it was set aside, ISO 8601. */
  readonly setAsideAt: string;
  /** The flow that set it aside, and its operator, such as `1 decode`; null outside of a flow, and in a branch of an operator. */
  readonly flow: string | null;
  readonly operator: string | null;
  /** The dead letter that was replayed and has become this one, as `rxflume dlq` names it; null for the first one of a record. */
  readonly replayOf: string | null;
}

/** The version of `DeadLetter`. */
export const DEAD_LETTER_VERSION = 1;

export interface DeadLetterCause {
  readonly code: string;
  readonly message: string;
}

export interface DeadLetterHeader {
  readonly name: string;
  readonly value: string | null;
  readonly encoding: 'utf8' | 'base64' | 'none';
}

const MAX_CAUSES = 10;

/** `at`: how often it has been nacked, the time now, and in which operator of which flow. */
export function deadLetterOf(
  value: unknown,
  origin: Origin,
  cause: unknown,
  at: { readonly attempt: number; readonly now: number; readonly flow?: string; readonly operator?: string },
): DeadLetter {
  const { text, encoding, type } = readable(value);
  const key = readableBytes(origin.key);
  const { replayOf } = origin;
  const parts = [replayOf?.part, origin.part].filter((part) => part != null);
  // A producer's timestamp may be anything, and toISOString throws for what is no date (nanoseconds, say).
  const time = new Date(origin.timestamp ?? Number.NaN);
  return {
    version: DEAD_LETTER_VERSION,
    code: codeOf(cause),
    message: describeError(cause),
    causes: causesOf(cause),
    stream: replayOf?.stream ?? origin.stream,
    offset: replayOf?.offset ?? origin.offset,
    part: parts.length === 0 ? null : parts.join('.'),
    timestamp: Number.isNaN(time.getTime()) ? null : time.toISOString(),
    key: key.text,
    keyEncoding: key.encoding,
    headers: headersOf(origin),
    value: text,
    encoding,
    type,
    attempt: at.attempt + (replayOf?.attempt ?? 0),
    setAsideAt: new Date(at.now).toISOString(),
    flow: at.flow ?? null,
    operator: at.operator ?? null,
    replayOf: replayOf?.letter ?? null,
  };
}

function codeOf(cause: unknown): string {
  return cause instanceof RxflumeError ? cause.code : cause instanceof Error ? cause.name : 'Error';
}

function causesOf(error: unknown): DeadLetterCause[] {
  const causes: DeadLetterCause[] = [];
  for (let one = error; one instanceof Error && one.cause !== undefined && causes.length < MAX_CAUSES; one = one.cause)
    causes.push({ code: codeOf(one.cause), message: describeError(one.cause) });
  return causes;
}

function headersOf({ headerList, headers }: Origin): DeadLetterHeader[] {
  const list = headerList ?? (headers === undefined ? [] : toHeaderList(headers));
  return list.map(([name, bytes]) => {
    const { text, encoding } = readableBytes(bytes);
    return { name, value: text, encoding };
  });
}

/** The dead letters of one subscription of an operator, on their way to a sink; counted by their reason. */
export class DeadLetters {
  readonly #labels;
  readonly #flow: string | undefined;
  readonly #operator: string | undefined;
  readonly #letters$ = new Subject<Delivery<DeadLetter>>();
  readonly letters$: Observable<Delivery<DeadLetter>> = this.#letters$.asObservable();

  /** To be made when the operator is subscribed to. */
  constructor(operator: string) {
    const scope = flowScope();
    this.#flow = scope?.flow;
    this.#operator = scope?.operator;
    this.#labels = { ...flowLabels(), operator: scope?.operator ?? operator };
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
    const [flow, operator] = [this.#flow, this.#operator];
    const at = { attempt, now, ...(flow !== undefined && { flow }), ...(operator !== undefined && { operator }) };
    const letter = deadLetterOf(value, origin, cause, at);
    // The name of a foreign error may be anything.
    const reason = Object.hasOwn(ERRORS, letter.code) ? letter.code : 'error';
    defaultMonitor.metric('rxflume_dead_letters_total', { ...this.#labels, reason }).add(1);
    this.#letters$.next(new Delivery(letter, derivedOrigin(origin, { timestamp: now }), acker, seq));
  }

  complete(): void {
    this.#letters$.complete();
  }
}

function readable(value: unknown): Pick<DeadLetter, 'encoding' | 'type'> & { text: string | null } {
  if (value === null || value === undefined) return { text: null, encoding: 'none', type: 'none' };
  if (typeof value === 'string') return { text: value, encoding: 'utf8', type: 'text' };
  if (value instanceof Uint8Array) return { ...readableBytes(value), type: 'bytes' };
  const text = jsonOf(value);
  if (text === undefined) return { text: describeValue(value), encoding: 'utf8', type: 'other' };
  return { text, encoding: 'json', type: 'json' };
}

function readableBytes(value: Uint8Array | null | undefined): {
  text: string | null;
  encoding: 'utf8' | 'base64' | 'none';
} {
  if (value == null) return { text: null, encoding: 'none' };
  // A fake of a test, or a driver of yours, may give text.
  const bytes =
    typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const text = bytes.toString('utf8');
  // Bytes that are not UTF-8 come back as replacement characters; only a round trip tells.
  if (Buffer.byteLength(text) === bytes.length && Buffer.from(text).equals(bytes)) return { text, encoding: 'utf8' };
  return { text: bytes.toString('base64'), encoding: 'base64' };
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
