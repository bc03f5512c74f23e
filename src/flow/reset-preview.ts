import type { FlowSource } from '../core/flow-sources.js';
import { expectOption, expectWhole } from '../core/options.js';

/** What would become of one stream. */
export interface StreamReset {
  readonly stream: string;
  /** Where it would resume as it is: what is committed; undefined where that is not known. */
  readonly from?: number;
  readonly to: number;
  /** How many offsets would be read again, or never; gaps in the log are counted too. */
  readonly redelivered: number;
  readonly skipped: number;
  /** How it is done, once the flow has ended. */
  readonly how: string;
}

/** What a reset would do. It changes nothing. */
export interface ResetPreview {
  readonly perStream: readonly StreamReset[];
  readonly message: string;
}

/** Of those streams that are read now, or the named ones among them. An offset behind the end of a log becomes that end. */
export function resetPreviewOf(
  sources: readonly FlowSource[],
  { offset }: { readonly offset: number },
  streams?: readonly string[],
): ResetPreview {
  expectWhole('to.offset', offset, 0);
  expectOption('streams', streams, streams === undefined || Array.isArray(streams), 'an array of streams');
  const perStream = sources.flatMap((source) => resetsOf(source, offset, streams));
  const sum = (what: 'redelivered' | 'skipped') => perStream.reduce((all, one) => all + one[what], 0);
  const message =
    `${sum('redelivered')} offsets of ${perStream.length} streams would be redelivered, and ${sum('skipped')} skipped. Nothing was ` +
    'changed: a stream is moved while no flow reads it, so drain the flow in every process first.';
  return { perStream, message };
}

function resetsOf(source: FlowSource, offset: number, streams: readonly string[] | undefined): StreamReset[] {
  return [...source.positions()]
    .filter(({ stream }) => streams === undefined || streams.includes(stream))
    .map(({ stream, committed: from, logEnd = offset }) => {
      const to = Math.min(offset, logEnd);
      const moved = from === undefined ? 0 : to - from;
      const how = source.howToReset?.(stream, to) ?? 'What this source reads keeps no position that can be moved.';
      return {
        stream,
        ...(from !== undefined && { from }),
        to,
        redelivered: Math.max(0, -moved),
        skipped: Math.max(0, moved),
        how,
      };
    });
}
