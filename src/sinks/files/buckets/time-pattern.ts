import { OptionError } from '../../../core/errors.js';

const HOUR_MS = 3_600_000;
const PARTS: Readonly<Record<string, { readonly spanMs: number; readonly of: (iso: string) => string }>> = {
  yyyy: { spanMs: 24 * HOUR_MS, of: (iso) => iso.slice(0, 4) },
  MM: { spanMs: 24 * HOUR_MS, of: (iso) => iso.slice(5, 7) },
  dd: { spanMs: 24 * HOUR_MS, of: (iso) => iso.slice(8, 10) },
  HH: { spanMs: HOUR_MS, of: (iso) => iso.slice(11, 13) },
  mm: { spanMs: 60_000, of: (iso) => iso.slice(14, 16) },
};

/**
 * Compiles a bucket pattern of time, such as `dt={yyyy}-{MM}-{dd}/hour={HH}`: parts are yyyy, MM, dd, HH and mm, in UTC.
 * The last result is kept, since neighbours mostly fall into the same hour or day.
 *
 * Fails: `OptionError` for an unknown part.
 */
export function timePattern(pattern: string): (atMs: number) => string {
  const pieces = pattern.split(/\{([^{}]*)\}/);
  const names = pieces.filter((_, at) => at % 2 === 1);
  const unknown = names.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`path\` to have only the parts ${Object.keys(PARTS)
        .map((name) => `{${name}}`)
        .join(' ')}, got \`{${unknown}}\`.`,
    );
  }
  if (names.length === 0) return () => pattern;
  const spanMs = Math.min(...names.map((name) => (PARTS[name] as { spanMs: number }).spanMs));
  let lastSpan = Number.NaN;
  let lastBucket = '';
  return (atMs) => {
    const span = Math.floor(atMs / spanMs);
    if (span !== lastSpan) {
      const iso = new Date(span * spanMs).toISOString();
      lastBucket = pieces.map((piece, at) => (at % 2 === 1 ? PARTS[piece]?.of(iso) : piece)).join('');
      lastSpan = span;
    }
    return lastBucket;
  };
}
