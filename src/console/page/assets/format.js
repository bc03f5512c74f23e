// Numbers, sizes and times as text. What is unknown is a dash, never a zero.

/** @typedef {number | null | undefined} Maybe */

export const UNKNOWN = '–';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

/** @param {Maybe} value */
export function count(value) {
  return isKnown(value) ? whole.format(value) : UNKNOWN;
}

/** With three digits at most, such as `12.3k`. @param {Maybe} value */
export function compact(value) {
  if (!isKnown(value)) return UNKNOWN;
  return scaled(value, 1_000, ['', 'k', 'M', 'G', 'T']);
}

/** @param {Maybe} perSecond */
export function rate(perSecond) {
  return isKnown(perSecond) ? `${compact(perSecond)}/s` : UNKNOWN;
}

/** @param {Maybe} value */
export function bytes(value) {
  return isKnown(value) ? scaled(value, 1_024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']) : UNKNOWN;
}

/** In its two largest units, such as `3 min 20 s`. @param {Maybe} seconds */
export function duration(seconds) {
  if (!isKnown(seconds)) return UNKNOWN;
  if (seconds < 0.0005) return '0 s';
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 10) return `${(Math.round(seconds * 10) / 10).toString()} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3_600) return pair(rounded, 60, 'min', 1, 's');
  if (rounded < 86_400) return pair(rounded, 3_600, 'h', 60, 'min');
  return pair(rounded, 86_400, 'd', 3_600, 'h');
}

/** @param {Maybe} value */
export function milliseconds(value) {
  return isKnown(value) ? duration(value / 1_000) : UNKNOWN;
}

/** The time of day. @param {number} atMs */
export function clockTime(atMs) {
  return time.format(atMs);
}

/** `1 file`, `2 files`. @param {number} n @param {string} one @param {string} [many] */
export function plural(n, one, many = `${one}s`) {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}

/** @param {Maybe} value @returns {value is number} */
function isKnown(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

/** @param {number} value @param {number} factor @param {readonly string[]} units */
function scaled(value, factor, units) {
  let rest = Math.abs(value);
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (rest >= factor * 0.9995 && unit < units.length - 1) {
    rest /= factor;
    unit += 1;
  }
  const digits = unit === 0 && Number.isInteger(value) ? 0 : rest >= 100 ? 0 : rest >= 10 ? 1 : 2;
  const text = Number(rest.toFixed(digits)).toString();
  return `${value < 0 ? '-' : ''}${text}${units[unit]}`;
}

/** @param {number} seconds @param {number} large @param {string} largeName @param {number} small @param {string} smallName */
function pair(seconds, large, largeName, small, smallName) {
  const first = Math.floor(seconds / large);
  const second = Math.floor((seconds % large) / small);
  return second === 0 ? `${first} ${largeName}` : `${first} ${largeName} ${second} ${smallName}`;
}
