import type { Labels } from '../core/monitor.js';
import { expectOption } from '../core/options.js';

/** Alerts that are reported to no receiver. */
export interface Silence {
  /** Labels that an alert must have: a text, or an expression that its whole value matches. All of them must match. */
  readonly matchers: Readonly<Record<string, string | RegExp>>;
  /** Until when; a date, or milliseconds since 1970. */
  readonly until: Date | number;
  /** Why, for those who read it. */
  readonly comment?: string;
}

/** Throws `OptionError`. */
export function expectSilences(name: string, silences: unknown): void {
  const isFit =
    Array.isArray(silences) &&
    (silences as readonly Partial<Silence>[]).every(({ matchers, until }) => {
      const values = Object.values(matchers ?? {});
      const areFit = values.every((value) => typeof value === 'string' || value instanceof RegExp);
      return values.length > 0 && areFit && Number.isFinite(Number(until));
    });
  expectOption(name, silences, isFit, 'a list of silences, each with `matchers` (one at least) and `until`');
}

export function isSilenced(labels: Labels, silences: readonly Silence[], date: number): boolean {
  return silences.some(
    ({ matchers, until }) =>
      date < Number(until) && Object.entries(matchers).every(([name, wanted]) => matches(labels[name] ?? '', wanted)),
  );
}

function matches(value: string, wanted: string | RegExp): boolean {
  if (typeof wanted === 'string') return value === wanted;
  return new RegExp(`^(?:${wanted.source})$`, wanted.flags.replace(/[gy]/g, '')).test(value);
}
