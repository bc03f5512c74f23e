const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 };
const MOST_SECONDS = 1e9;

/** The seconds of an option such as `90s`, `15m`, `6h` or `7d`. Throws an `Error` that says what is wrong with it. */
export function secondsOf(option: string, given: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(given) ?? [];
  const value = Number(digits) * (SECONDS[unit] ?? Number.NaN);
  if (value <= MOST_SECONDS) return value;
  throw new Error(`expected \`--${option}\` to be a duration such as 90s, 15m, 6h or 7d, got \`${given}\``);
}

/** The milliseconds of `--within`, from a second to an hour. */
export function withinMsOf(given: string | undefined, otherwise: string): number {
  const ms = secondsOf('within', given ?? otherwise) * 1_000;
  if (ms >= 1_000 && ms <= 3_600_000) return ms;
  throw new Error(`expected \`--within\` to be from 1s to 1h, got \`${given}\``);
}
