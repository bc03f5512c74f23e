import type { LogPlace } from '../delivery/rehearsal.js';

/** A date without its zone would mean another time on another machine. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** The offset or the time of an option such as `--from`; undefined where it is neither. */
function placeOf(text: string): Extract<LogPlace, { offset: number } | { timeMs: number }> | undefined {
  const offset = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) return { offset };
  const timeMs = Date.parse(text);
  return DATE.test(text) && timeMs >= 0 ? { timeMs } : undefined;
}

/** The offset or the time that an option gives. Throws an `Error` that says what is wrong with the option. */
export function givenPlace(command: string, option: string, text: string | undefined) {
  if (text === undefined) throw new Error(`\`${command}\` needs \`--${option} <offset or time>\``);
  const place = placeOf(text);
  if (place !== undefined) return place;
  throw new Error(
    `expected \`--${option}\` to be an offset such as 120000, or a time such as 2026-11-27T08:00:00Z, got \`${text}\``,
  );
}
