import { type CodeOf, ERRORS, type ErrorCode, type ErrorFamily } from './error-codes.js';
import { factsWithoutSecrets, withoutKnownSecrets } from './known-secrets.js';
import { withoutSecrets } from './secrets.js';
import { withoutStop } from './sentence.js';
import { shownText } from './text.js';

export interface ErrorExtras {
  /** Machine-readable facts: the thing, the value, the limit. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The foreign error that caused this one, unchanged. */
  readonly cause?: unknown;
  /** Overrides the table for this individual error. */
  readonly retryable?: boolean;
}

/**
 * The base class of every rxflume error. `code` is stable and documented in `docs/reference/errors.md`; `retryable` says
 * whether the same call may succeed later; the message says what failed, on which thing, with which value, and what to do next.
 * It is safe to print, whatever a record contains; `cause` is as thrown.
 *
 * ```ts
 * import { RxflumeError } from 'rxflume';
 *
 * export function exitCode(error: unknown): number {
 *   return error instanceof RxflumeError && error.retryable ? 75 : 1;
 * }
 * ```
 */
export abstract class RxflumeError<F extends ErrorFamily = ErrorFamily> extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: CodeOf<F>, message: string, extras: ErrorExtras = {}) {
    super(withoutKnownSecrets(shownText(message)), extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = ERRORS[code].family;
    this.code = code;
    this.retryable = extras.retryable ?? ERRORS[code].retryable;
    this.details = factsWithoutSecrets(extras.details ?? {});
  }
}

/**
 * A wrong option or a wrong flow: thrown at the call, never later.
 *
 * ```ts
 * import { nullSink, OptionError } from 'rxflume';
 *
 * try {
 *   nullSink({ receiptIntervalMs: 0 });
 * } catch (error) {
 *   error instanceof OptionError; // → true
 * }
 * ```
 */
export class OptionError extends RxflumeError<'OptionError'> {}

/**
 * A source or sink could not be reached, or its connection was lost; `retryConnect` retries if it is retryable.
 *
 * ```ts
 * import { ConnectError } from 'rxflume';
 *
 * const lost = new ConnectError('RXF_KAFKA_LOST', 'The connection to k1:9092 was lost. It is made again.');
 * lost.retryable; // → true
 * ```
 */
export class ConnectError extends RxflumeError<'ConnectError'> {}

/**
 * A source cannot continue.
 *
 * ```ts
 * import { SourceError } from 'rxflume';
 *
 * const gone = new SourceError('RXF_KAFKA_DATA_LOST', 'Offset 7 of kafka:chat/0 was deleted.', { details: { offset: 7 } });
 * gone.retryable; // → false
 * gone.details; // → { offset: 7 }
 * ```
 */
export class SourceError extends RxflumeError<'SourceError'> {}

/**
 * The watermark could not be committed to the broker. Values acked since the last commit are redelivered at the next start.
 *
 * ```ts
 * import { CommitError } from 'rxflume';
 *
 * const late = new CommitError('RXF_KAFKA_COMMIT', 'Cannot commit offset 7 of kafka:chat/0: k1:9092 did not answer in 30 s.');
 * late.retryable; // → true
 * ```
 */
export class CommitError extends RxflumeError<'CommitError'> {}

/**
 * One value could not be decoded.
 *
 * ```ts
 * import { DecodeError, json } from 'rxflume';
 *
 * try {
 *   json()('{"id": 1');
 * } catch (error) {
 *   (error as DecodeError).code; // → 'RXF_DECODE_SYNTAX'
 *   error instanceof DecodeError; // → true
 * }
 * ```
 */
export class DecodeError extends RxflumeError<'DecodeError'> {}

/**
 * A sink could not store something.
 *
 * ```ts
 * import { SinkError } from 'rxflume';
 * import { transmit } from 'rxflume/operators';
 *
 * export const post = transmit(async (value: string) => {
 *   const { ok, status } = await fetch('http://store/events', { method: 'POST', body: value });
 *   if (!ok) throw new SinkError('RXF_SINK_WRITE', `The store answered ${status}.`, { retryable: status >= 500 });
 * });
 * ```
 */
export class SinkError extends RxflumeError<'SinkError'> {}

/**
 * Another writer owns the stream: uncommitted output is dropped, and the source resumes from the ledger.
 *
 * ```ts
 * import { FencedError } from 'rxflume';
 *
 * const overtaken = new FencedError('RXF_LEDGER_FENCED', 'Another writer owns kafka:chat/0.');
 * overtaken.retryable; // → true
 * ```
 */
export class FencedError extends RxflumeError<'FencedError'> {}

/** Whether it is an rxflume error, of this copy of the package or another, such as that of a flow file: by its code. */
export function isOwnError(error: unknown): error is RxflumeError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('RXF_');
}

/**
 * True for an rxflume error that is retryable; false for any other error.
 *
 * ```ts
 * import { isRetryable } from 'rxflume';
 * import { retry, throwError, timer } from 'rxjs';
 *
 * export const forAMinute = retry({
 *   count: 60,
 *   delay: (error) => (isRetryable(error) ? timer(1_000) : throwError(() => error)),
 * });
 * isRetryable(new Error('not of rxflume')); // → false
 * ```
 */
export function isRetryable(error: unknown): boolean {
  return error instanceof RxflumeError && error.retryable;
}

/** One line that describes any thrown value, as part of a sentence: without a full stop; safe to print. Never throws. */
export function describeError(error: unknown): string {
  try {
    // Not `instanceof` alone: an error of another realm (a vm context, Jest's) has another Error.
    const tag = Object.prototype.toString.call(error);
    if (error instanceof Error || tag === '[object Error]' || tag === '[object DOMException]') {
      const { message, name, errors } = error as Error & { readonly errors?: unknown };
      if (!message && Array.isArray(errors)) return describeError(errors[0]);
      return (
        withoutStop(withoutSecrets(firstLine(message).slice(0, 2_000)).slice(0, 500)) || firstLine(name) || 'Error'
      );
    }
  } catch {
    return 'an error that cannot be read';
  }
  return describeValue(error);
}

/** The code of an rxflume error, the name of another: how a message refers to one that was reported before. */
export function shortName(error: unknown): string {
  if (error instanceof RxflumeError) return error.code;
  try {
    const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
    return firstLine(typeof code === 'string' ? code : (name ?? 'an error')).slice(0, 80);
  } catch {
    return 'an error';
  }
}

/** A value as a message shows it: short, quoted where it is text, with its type. Never throws. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return shownText(JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value));
  if (value === null || value === undefined) return String(value);
  try {
    const isObject = typeof value === 'object' || typeof value === 'function';
    return firstLine(isObject ? Object.prototype.toString.call(value).slice(8, -1) : String(value));
  } catch {
    return typeof value;
  }
}

function firstLine(text: unknown): string {
  return shownText(String(text ?? '').split(/[\r\n]/, 1)[0] as string);
}
