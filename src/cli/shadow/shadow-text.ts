import { shownText } from '../../core/text.js';
import type { BucketDifference, BucketSide } from './compare.js';

/** What a comparison found. */
export interface ShadowReport {
  readonly flow: string;
  readonly against: string;
  readonly result: 'equal' | 'different';
  readonly ranges: readonly { readonly stream: string; readonly from: number; readonly to: number }[];
  readonly buckets: readonly BucketDifference[];
  /** Where the new files are; null where they were removed. */
  readonly kept: string | null;
}

const MAX_LINES = 40;

export function shadowJson(report: ShadowReport): string {
  return `${JSON.stringify(report)}\n`;
}

/** A line for each bucket, those that differ first. */
export function shadowText({ flow, against, result, ranges, buckets, kept }: ShadowReport): string {
  const offsets = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const ordered = [...buckets.filter(({ isEqual }) => !isEqual), ...buckets.filter(({ isEqual }) => isEqual)];
  const rows = [
    ['stream', 'bucket', 'rows old', 'new', 'bytes old', 'new', 'files old', 'new', 'content', ''],
    ...ordered
      .slice(0, MAX_LINES)
      .map(({ stream, bucket, old, new: fresh, content, isEqual }) => [
        ...[shownText(stream), shownText(bucket || '/')],
        ...[old.rows, fresh.rows, old.bytes, fresh.bytes, old.files, fresh.files].map(String),
        ...[content, isEqual ? '' : 'different'],
      ]),
  ];
  const widths = (rows[0] as string[]).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const table = rows.map((row) =>
    row
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const more = buckets.length - MAX_LINES;
  const sum = (side: (one: BucketDifference) => BucketSide) =>
    buckets.reduce((total, one) => total + side(one).rows, 0);
  return [
    `${flow} against ${against}: ${offsets} offsets of ${ranges.length} streams, ${sum(({ old }) => old)} rows before, ${sum((one) => one.new)} now.`,
    ...table,
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(kept === null ? [] : [`The new files are in ${kept}.`]),
    result === 'equal'
      ? 'Equal.'
      : `Different in ${buckets.filter(({ isEqual }) => !isEqual).length} of ${buckets.length} buckets.`,
    '',
  ].join('\n');
}
