// Where offsets are on the band of a stream.

/** @typedef {import('../../contract.js').StreamView} StreamView */
/** @typedef {import('../../../flow/committed-file.js').CommittedFile} CommittedFile */
/** @typedef {{ from: number, to: number }} Range */

/** In the order of an offset's life. */
export const STEPS = /** @type {const} */ (['committed', 'acked', 'released', 'read', 'logEnd']);
export const NAMES = ['committed', 'acked', 'released', 'in flight', 'not read'];

/**
 * The offsets that a lane shows: all of the log, or its live end, from a little before the commit.
 * @param {StreamView} stream
 * @param {boolean} isWhole
 * @returns {Range | undefined}
 */
export function rangeOf(stream, isWhole) {
  const known = STEPS.flatMap((step) => stream[step] ?? []);
  if (known.length === 0) return undefined;
  const end = Math.max(...known, 0);
  const start = Math.min(stream.logStart ?? 0, end);
  if (isWhole) return { from: start, to: Math.max(end, start + 1) };
  const live = Math.max(end - Math.min(...known), 20);
  // In steps, so that the scale does not move with each snapshot.
  const step = 2 ** Math.ceil(Math.log2(live / 8));
  return {
    from: Math.max(start, Math.floor((end - live * 1.3) / step) * step),
    to: (Math.floor(end / step) + 1) * step,
  };
}

/**
 * The parts of a band, each from where the one before ends. A step that is not known is left out.
 * @param {StreamView} stream
 * @param {Range} range
 */
export function segmentsOf(stream, { from, to }) {
  const share = (/** @type {number} */ offset) => Math.min(1, Math.max(0, (offset - from) / (to - from)));
  let begin = Math.max(from, stream.logStart ?? from);
  return STEPS.flatMap((step, index) => {
    const end = stream[step];
    if (end === undefined || end <= begin) return [];
    const segment = { name: NAMES[index] ?? '', step, from: share(begin), to: share(end), records: end - begin };
    begin = end;
    return [segment];
  });
}

/** The files of a stream on a band of 1,000. @param {readonly CommittedFile[]} files @param {Range} range */
export function filesIn(files, { from, to }) {
  const place = (/** @type {number} */ offset) => ((offset - from) / (to - from)) * 1_000;
  return files
    .filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset <= to)
    .map(({ path, firstOffset, lastOffset }) => {
      const x = Math.max(0, place(firstOffset));
      return { path, x, width: Math.max(2, place(lastOffset + 1) - x - 1.5) };
    });
}
