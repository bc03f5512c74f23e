import { OptionError } from '../core/errors.js';

/** A moment as the clocks of a time zone show it. */
export interface ZoneTime {
  readonly ms: number;
  /** The same moment as if the zone's clocks were UTC: its UTC fields are the zone's. */
  readonly local: Date;
  readonly offsetMinutes: number;
}

const QUARTER_MS = 900_000;
/** Quarters of an hour whose offset is kept: a hundred days of one path. */
const MAX_KEPT = 10_000;

/**
 * Tells the time in a zone of the IANA database, such as `Europe/Berlin`. Its offset is looked up once for each quarter of an hour: no zone has
 * changed its clocks in between since 1972.
 *
 * Bounds: 10,000 quarters are kept.
 * Fails: `OptionError` for a zone that this Node does not know.
 */
export function zoneClock(timeZone: string): (ms: number) => ZoneTime {
  if (timeZone === 'UTC') return (ms) => ({ ms, local: new Date(ms), offsetMinutes: 0 });
  const format = formatOf(timeZone);
  const offsets = new Map<number, number>();
  return (ms) => {
    const quarter = Math.floor(ms / QUARTER_MS);
    let offset = offsets.get(quarter);
    if (offset === undefined) {
      if (offsets.size >= MAX_KEPT) offsets.clear();
      offset = offsetAt(format, quarter * QUARTER_MS);
      offsets.set(quarter, offset);
    }
    return { ms, local: new Date(ms + offset), offsetMinutes: offset / 60_000 };
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', era: 'short', second: '2-digit', ...parts });
  } catch (cause) {
    const message = `Expected \`timeZone\` to be a zone such as Europe/Berlin or UTC, got \`${timeZone}\`, which Node does not know.`;
    throw new OptionError('RXF_OPTION_INVALID', message, { cause, details: { timeZone } });
  }
}

function offsetAt(format: Intl.DateTimeFormat, ms: number): number {
  const shown = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const field = (name: string) => Number(shown[name]);
  const local = Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
  );
  return local - ms;
}
