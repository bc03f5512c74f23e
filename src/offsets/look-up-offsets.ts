import { defer, finalize, map, type Observable, take, throwIfEmpty, timer } from 'rxjs';
import { ConnectError, describeValue } from '../core/errors.js';
import { guarded } from '../lifecycle/time-limit.js';
import type { OffsetStore } from './offset-store.js';

/** Errors that say where a source could not resume. */
export type ResumeCode = 'RXF_KAFKA_RESUME' | 'RXF_AMQP_RESUME' | 'RXF_SOURCE_RESUME' | 'RXF_TAIL_RESUME';

/** Longer than a storage takes to start anew, with time for many unfinished commits. */
const ANSWER_WITHIN_MS = 600_000;
/** How often it is said that an answer is still waited for. */
const TELL_EVERY_MS = 30_000;

/**
 * Asks a ledger where to resume these streams, once. What is no answer is an error, since nothing may replace a ledger
 * that could not be read.
 *
 * Bounds: an answer within 10 minutes; `tell` hears every 30 seconds that it is waited for.
 * Fails: as `ask` does; with `code` where it answers late, nothing, or something else than offsets.
 */
export function lookUpOffsets(
  ask: () => ReturnType<OffsetStore>,
  streams: readonly string[],
  code: ResumeCode,
  tell: (message: string) => void,
): Observable<ReadonlyMap<string, number>> {
  return defer(() => {
    const waiting = timer(TELL_EVERY_MS, TELL_EVERY_MS).subscribe((turn) => {
      const seconds = ((turn + 1) * TELL_EVERY_MS) / 1_000;
      tell(
        `\`resumeFrom\` has not answered for ${seconds} s where to resume ${streams.join(', ')}. Nothing is read until then.`,
      );
    });
    const late = () => noAnswer(code, `no answer within ${ANSWER_WITHIN_MS / 1_000} s.`, true);
    return guarded(ask, ANSWER_WITHIN_MS, late).pipe(
      take(1),
      throwIfEmpty(() => noAnswer(code, '`resumeFrom` ended without an answer.', false)),
      map((answer) => checked(answer, streams, code)),
      finalize(() => waiting.unsubscribe()),
    );
  });
}

function checked(
  answer: ReadonlyMap<string, number>,
  streams: readonly string[],
  code: ResumeCode,
): ReadonlyMap<string, number> {
  if (typeof answer?.get !== 'function')
    throw noAnswer(code, `\`resumeFrom\` answered ${describeValue(answer)}, not a Map.`, false);
  for (const stream of streams) {
    const offset: unknown = answer.get(stream);
    if (offset === undefined || (Number.isSafeInteger(offset) && (offset as number) >= 0)) continue;
    throw noAnswer(code, `\`resumeFrom\` answered ${describeValue(offset)} for ${stream}, not an offset.`, false);
  }
  return answer;
}

function noAnswer(code: ResumeCode, what: string, retryable: boolean): ConnectError {
  return new ConnectError(code, what, { retryable });
}
