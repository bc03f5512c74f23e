import { concatMap, defer, EMPTY, ignoreElements, map, type Observable, of, retry, tap, throwError, timer } from 'rxjs';
import { deadLetter } from '../../operators/dead-letter.js';
import { BACKOFF_DEFAULTS, doublingMs } from '../backpressure/backoff.js';
import { isOwnError } from '../core/errors.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import type { Delivery } from '../delivery/delivery.js';
import type { Sink } from '../delivery/receipt.js';
import type { FlowInside } from '../flow/flow.js';
import type { ResumePoint } from '../offsets/commit-horizon.js';
import { lookUpOffsets } from '../offsets/look-up-offsets.js';
import type { OffsetStore } from '../offsets/offset-store.js';
import type { DeadLetterStore } from './dead-letter-store.js';
import { type LetterRecord, letterSource } from './letter-source.js';
import type { Replay } from './replay-log.js';

/** How often a part is begun again after an error that may pass. */
const MAX_RETRIES = 10;

/** One stream of a replay: the letters that enter the flow at one step. */
export interface PartOfReplay {
  readonly replay: Replay;
  readonly step: number;
  readonly end: number;
  /** Its letters that have not failed again in it so far, as they are stored now, made for the name of its stream. */
  records(stream: string): Observable<readonly LetterRecord[]>;
}

/**
 * Sends the letters through the steps of the flow into its own sink. Where that keeps a ledger, the stream is resumed from it: what it
 * has of an interrupted replay does not come a second time. What fails again goes to the flow's own dead letters, or back to the store.
 *
 * Fails: as the sink's ledger does; `RXF_SOURCE_NACKED` where what fails is not the letter.
 */
export function replayPart(
  part: PartOfReplay,
  inside: FlowInside,
  { store, setAside }: { readonly store: DeadLetterStore; readonly setAside: (offset: number) => void },
): Observable<never> {
  const sink = inside.steps.at(-1) as Sink<never> | undefined;
  const { stream, groupId } = streamOf(part, sink);
  const ledger = sink?.ledger;
  // Only a ledger in Kafka has addresses.
  const resumeFrom = ledger?.addresses !== undefined && groupId === undefined ? undefined : ledger?.offsetStore;
  let ackedTo = 0;
  const again = store.again();
  const reader = groupId === undefined ? undefined : { groupId };
  const resumed = (): Observable<{ readonly start: number; readonly resumePoint?: ResumePoint }> => {
    if (resumeFrom === undefined) return of({ start: ackedTo });
    return lookUp(resumeFrom, stream, reader).pipe(
      map((lookup) => {
        const start = lookup.get(stream);
        return { start: start ?? 0, resumePoint: { resumeFrom, lookup, start } };
      }),
    );
  };
  // Within the flow, as its own source asks: a Kafka sink keeps its connection, and what it took there, from when the flow has begun.
  const letters$ = defer(resumed).pipe(
    concatMap(({ start, resumePoint }) => {
      if (start >= part.end) return EMPTY;
      const acked = (offset: number) => {
        ackedTo = offset;
      };
      // What became a letter again must not come a second time either, as it would where the flow was changed after a crash.
      return part
        .records(stream)
        .pipe(concatMap((records) => letterSource({ stream, records, start, end: part.end, resumePoint, acked })));
    }),
  );
  const counted: Sink<DeadLetter> = (letters) => again(letters.pipe(tap(({ origin }) => setAside(origin.offset))));
  const beside = (value: unknown, origin: unknown) => {
    const { stream: from, offset } = origin as Delivery<unknown>['origin'];
    if (from === stream && isLetter(value)) setAside(offset);
  };
  return defer(() => {
    const guarded$ = letters$.pipe(deadLetter<unknown>(counted));
    return inside.through(guarded$, { first: part.step, beside });
  }).pipe(
    ignoreElements(),
    retry({
      count: MAX_RETRIES,
      delay: (error: unknown, turn) =>
        isOwnError(error) && error.retryable && !isFenced(error)
          ? timer(doublingMs(turn, BACKOFF_DEFAULTS.firstDelayMs, BACKOFF_DEFAULTS.maxDelayMs))
          : throwError(() => error),
    }),
  );
}

function lookUp(store: OffsetStore, stream: string, reader: { groupId: string } | undefined) {
  return lookUpOffsets(
    () => store([stream], reader),
    [stream],
    'RXF_KAFKA_RESUME',
    () => undefined,
  );
}

/**
 * The stream of a part. The positions of a Kafka sink are offsets that a group has of a partition: the group is the replay's own, so that
 * the partition need only exist, and the offsets count letters.
 */
function streamOf(
  { replay, step }: PartOfReplay,
  sink: Sink<never> | undefined,
): { readonly stream: string; readonly groupId?: string } {
  const [written] = sink?.writes ?? [];
  const topic = written?.kind === 'Kafka topic' && !(written.names instanceof RegExp) ? written.names[0] : undefined;
  if (topic === undefined) return { stream: `dlq:${replay.id}/${step}` };
  return { stream: `kafka:${topic}/0`, groupId: `rxflume-dlq-${replay.id}-${step}` };
}

function isLetter(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'setAsideAt' in value && 'replayOf' in value;
}

/** Another process has gone on with the replay. */
function isFenced(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.name === 'FencedError') return true;
  return false;
}
