/**
 * How long a server asks to wait, in milliseconds: `Retry-After` in seconds or as a date. Undefined where it says nothing
 * that can be read.
 *
 * Source: RFC 9110, section 10.2.3.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1_000;
  // Only dates with a day's name: `Date.parse` takes almost anything.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
