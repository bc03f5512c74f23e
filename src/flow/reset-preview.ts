import type { FlowSource, StreamPositions } from '../core/flow-sources.js';
import { expectOption, expectWhole } from '../core/options.js';

/** Where streams are to be read on: all at one offset, or each at its own; those without one stay. */
export type ResetTarget = { readonly offset: number } | { readonly offsets: ReadonlyMap<string, number> };

/** What would become of one stream. */
export interface StreamReset {
  readonly stream: string;
  /** Where it would resume as it is: what is committed; undefined where that is not known. */
  readonly from?: number;
  readonly to: number;
  /** How many offsets would be read again, or never; gaps in the log are counted too. */
  readonly redelivered: number;
  readonly skipped: number;
  /** How it is done by hand, once the flow has ended. */
  readonly how: string;
}

/** What a reset would do. It changes nothing. */
export interface ResetPreview {
  readonly perStream: readonly StreamReset[];
  readonly message: string;
}

/** What would become of one stream of one source: two sources may read the same one. */
export interface SourceReset {
  readonly source: FlowSource;
  readonly reset: StreamReset;
}

/** Of those streams that are read now, or the named ones among them. An offset outside of a log becomes its nearest end. */
export function resetsOf(
  sources: readonly FlowSource[],
  target: ResetTarget,
  streams?: readonly string[],
): readonly SourceReset[] {
  if ('offset' in target) expectWhole('to.offset', target.offset, 0);
  const offsetOf = (stream: string) => ('offset' in target ? target.offset : target.offsets.get(stream));
  expectOption('streams', streams, streams === undefined || Array.isArray(streams), 'an array of streams');
  return sources.flatMap((source) =>
    [...source.positions()]
      .filter(({ stream }) => streams === undefined || streams.includes(stream))
      .flatMap((position) => {
        const offset = offsetOf(position.stream);
        return offset === undefined ? [] : [{ source, reset: streamReset(source, position, offset) }];
      }),
  );
}

export function resetPreviewOf(resets: readonly SourceReset[]): ResetPreview {
  const perStream = resets.map(({ reset }) => reset);
  const sum = (what: 'redelivered' | 'skipped') => perStream.reduce((all, one) => all + one[what], 0);
  const message =
    `${sum('redelivered')} offsets of ${perStream.length} streams would be redelivered, and ${sum('skipped')} skipped. Nothing was ` +
    'changed: pause the flow in every process to move them.';
  return { perStream, message };
}

function streamReset(source: FlowSource, position: StreamPositions, offset: number): StreamReset {
  const { stream, committed: from, logStart = 0, logEnd } = position;
  const to = Math.max(logStart, Math.min(offset, logEnd ?? offset));
  const moved = from === undefined ? 0 : to - from;
  return {
    stream,
    ...(from !== undefined && { from }),
    to,
    redelivered: Math.max(0, -moved),
    skipped: Math.max(0, moved),
    how: source.howToReset?.(stream, to) ?? 'What this source reads keeps no position that can be moved.',
  };
}
