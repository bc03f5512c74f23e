const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** The three forms of a date in HTTP. All are in GMT, also the last, which does not say so. */
const FORMS = [
  String.raw`${DAY}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${TIME} GMT`,
  String.raw`${DAY}[a-z]{3,6}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) ${TIME} GMT`,
  String.raw`${DAY} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/**
 * How long a server asks to wait, in milliseconds: `Retry-After` in seconds or as a date. Undefined where it says nothing
 * that can be read.
 *
 * Source: RFC 9110, sections 5.6.7 and 10.2.3.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1_000;
  const at = dateOf(text, now);
  return at === undefined ? undefined : Math.max(0, at - now);
}

/** Not by `Date.parse`, which takes almost anything, and takes what has no zone for local time. */
function dateOf(text: string, now: number): number | undefined {
  for (const form of FORMS) {
    const found = form.exec(text)?.groups as Record<string, string> | undefined;
    if (found === undefined) continue;
    const month = MONTHS.indexOf(found.month as string);
    const [day, hour, minute, second] = [found.day, found.hour, found.minute, found.second].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const isTime = month >= 0 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second <= 60;
    return isTime ? Date.UTC(yearOf(Number(found.year), now), month, day, hour, minute, second) : undefined;
  }
  return undefined;
}

/** A year of two digits that seems to be more than 50 years ahead is the last one with these digits. */
function yearOf(year: number, now: number): number {
  if (year >= 100) return year;
  const thisYear = new Date(now).getUTCFullYear();
  const near = thisYear - (thisYear % 100) + year;
  return near > thisYear + 50 ? near - 100 : near;
}
