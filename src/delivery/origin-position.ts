import type { Origin } from './delivery.js';

/**
 * Names the position of a value in its stream: `120`, `120.1` for a part of it, `120-219` for what was joined, with a digest
 * where that is not every one of these offsets. An offset that the source counted has its run behind it, `120@k3x09a1b`.
 * Different values of a stream have different positions, in every reader.
 */
export function positionOf(origin: Origin): string {
  return `${offsetInRun(origin)}${positionBehindOffset(origin)}`;
}

/** The offset, with its run where it has one. */
export function offsetInRun({ offset, run }: Origin): string {
  return run === undefined ? String(offset) : `${offset}@${run}`;
}

/** What tells parts of one value, and what was joined from it on, apart: empty for all of it. */
export function positionBehindOffset({ offset, part, lastOffset, digest }: Origin): string {
  const which = part === undefined ? '' : `.${part}`;
  const last = lastOffset === undefined || lastOffset === offset ? '' : `-${lastOffset}`;
  return `${which}${last}${digest === undefined ? '' : `~${digest}`}`;
}

/** Whether it is of one whole value: neither a part nor joined. */
export function isWhole({ part, lastOffset }: Origin): boolean {
  return part === undefined && lastOffset === undefined;
}

/** Whether the record at the offset of the stream is in it. */
export function isOfRecord({ stream, offset, lastOffset = offset }: Origin, of: string, at: number): boolean {
  return stream === of && offset <= at && at <= lastOffset;
}
