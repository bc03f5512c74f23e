import { describeError, RxflumeError, SinkError } from '../core/errors.js';
import type { Delivery } from './delivery.js';

/** What was done for a delivery when it failed, as `Cannot <what> kafka:chat/3 offset 7`. */
export interface Failing {
  readonly code: 'RXF_SINK_WRITE' | 'RXF_OPERATOR_FAILED';
  readonly what: string;
}

/** With what a delivery is nacked after a call made for it has failed with any cause. An error of ours stays as it is. */
export function nackErrorOf(cause: unknown, { code, what }: Failing, { origin }: Delivery<unknown>): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  const message = `Cannot ${what} ${origin.stream} offset ${origin.offset}: ${describeError(cause)}.`;
  return new SinkError(code, message, { cause, retryable: mayPass(cause) });
}

/**
 * With what a delivery is nacked for which a function of an operator or a sink threw, or a getter of its value: for good, unless
 * the error says itself that it may pass. `what` names it, such as `key of dedupeBy`. An error of ours stays as it is.
 */
export function nackErrorOfThrown(
  what: string,
  cause: unknown,
  { origin }: Pick<Delivery<unknown>, 'origin'>,
  code: 'RXF_OPERATOR_FAILED' | 'RXF_SINK_FORMAT' | 'RXF_SINK_BUCKET' = 'RXF_OPERATOR_FAILED',
): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  const { stream, offset } = origin;
  return new SinkError(
    code,
    `The ${what} threw for ${stream} offset ${offset}: ${describeError(cause)}. Correct it, or set such values aside with ` +
      '`deadLetter`.',
    { cause, retryable: saysItMayPass(cause), details: { stream, offset } },
  );
}

/** Instead of a result: the call threw, and its delivery is nacked. */
export const NACKED = Symbol('nacked');

/** What a function of an operator returns for a delivery. Where it throws, nacks the delivery, counts that in `nacked`, and returns `NACKED`. */
export function resultFor<T, R>(
  what: string,
  delivery: Delivery<T>,
  call: (value: T, delivery: Delivery<T>) => R,
  nacked: { value: number } = { value: 0 },
): R | typeof NACKED {
  try {
    return call(delivery.value, delivery);
  } catch (cause) {
    nacked.value += 1;
    delivery.nack(nackErrorOfThrown(what, cause, delivery));
    return NACKED;
  }
}

function saysItMayPass(cause: unknown): boolean {
  try {
    return (cause as { retryable?: unknown } | null | undefined)?.retryable === true;
  } catch {
    return false;
  }
}

/** With what a delivery is nacked after a call made for it took too long. */
export function lateNackError(what: string, limitMs: number, { origin }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_OPERATOR_TIMEOUT',
    `Timed out: to ${what} ${origin.stream} offset ${origin.offset} took longer than ${limitMs} ms. It may or may not have been ` +
      'carried out. The value is redelivered.',
    { details: { stream: origin.stream, offset: origin.offset, limitMs } },
  );
}

/** With what a delivery is nacked that a flow has not finished with when it stops; `before`: what was still to come. */
export function stoppedError(before: string, fate = 'the value is redelivered'): SinkError {
  return new SinkError('RXF_SINK_STOPPED', `The flow stopped before ${before}; ${fate}.`);
}

/** With what a delivery is nacked whose epoch is over. */
export function staleError(stream: string): SinkError {
  return new SinkError('RXF_SINK_STOPPED', `${stream} is read again; the value is redelivered.`);
}

/** Whether a delivery was nacked only because the flow, or its epoch, ended: it is redelivered in any case. */
export function isStopped(cause: unknown): boolean {
  return cause instanceof RxflumeError && cause.code === 'RXF_SINK_STOPPED';
}

const BUGS = ['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError'];

/**
 * Whether the same call may succeed later: as the cause says by `retryable`, else yes unless it looks like a bug.
 *
 * Source: the Fetch standard rejects with a `TypeError` for every network error; in Node the reason is its `cause`.
 */
export function mayPass(cause: unknown): boolean {
  try {
    const {
      retryable,
      name,
      cause: reason,
    } = (cause ?? {}) as { retryable?: unknown; name?: unknown; cause?: unknown };
    if (typeof retryable === 'boolean') return retryable;
    return !BUGS.includes(String(name)) || (reason instanceof Error && !BUGS.includes(reason.name));
  } catch {
    // What cannot even be read was made by a bug.
    return false;
  }
}
