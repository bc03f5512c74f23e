/**
 * How much counters have increased within the last `windowMs`, each by its key. A counter that falls has begun anew from 0, as
 * after a restart. One that appears later than others began at 0.
 *
 * Bounds: at most 60 readings and the one before the window for each counter; counters that were not read within the window are forgotten.
 */
export class RateWindow {
  readonly #windowMs: number;
  readonly #series = new Map<
    string,
    { last: number; increase: number; readings: { at: number; increase: number }[] }
  >();

  #before: number | undefined;
  #now: number | undefined;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Undefined where the window has less than two readings: it is unknown. */
  increase(key: string, value: number, now: number): number | undefined {
    const series = this.#series.get(key) ?? this.#begun(value);
    this.#series.set(key, series);
    series.increase += value >= series.last ? value - series.last : value;
    series.last = value;
    const { readings } = series;
    const previous = readings.at(-1);
    if (previous === undefined || now - previous.at >= this.#windowMs / 60) {
      readings.push({ at: now, increase: series.increase });
    }
    while (readings.length > 1 && (readings[1] as { at: number }).at <= now - this.#windowMs) readings.shift();
    const first = readings[0] as { at: number; increase: number };
    return now > first.at ? series.increase - first.increase : undefined;
  }

  /** To be called before each round of readings. */
  begin(now: number): void {
    this.#before = this.#now;
    this.#now = now;
    for (const [key, { readings }] of this.#series) {
      if (now - (readings.at(-1)?.at ?? 0) > this.#windowMs) this.#series.delete(key);
    }
  }

  #begun(value: number) {
    const at = this.#before;
    return at === undefined
      ? { last: value, increase: 0, readings: [] }
      : { last: 0, increase: 0, readings: [{ at, increase: 0 }] };
  }
}
