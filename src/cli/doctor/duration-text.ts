const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A duration by its two largest units, such as `3 h 20 min`; below a second in milliseconds. */
export function durationText(ms: number): string {
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const first = UNITS[at];
  if (first === undefined) return `${Math.max(0, Math.round(ms))} ms`;
  const [name, size] = first;
  const count = Math.floor(ms / size);
  const second = UNITS[at + 1];
  const rest = second === undefined ? 0 : Math.floor((ms % size) / second[1]);
  return rest === 0 || second === undefined ? `${count} ${name}` : `${count} ${name} ${rest} ${second[0]}`;
}

/** A rate such as `1 file`, `2,000 files`. */
export function countText(count: number, of: string): string {
  return `${count.toLocaleString('en-US')} ${of}${count === 1 ? '' : 's'}`;
}
