import { MiB } from '../../../core/units.js';
import type { FactOf } from '../../../delivery/probe.js';
import { byteText } from '../../progress.js';
import { countText, durationText } from '../duration-text.js';
import { bad, type Finding, ok } from '../finding.js';

/** Below this share of the whole it is time to look. */
const LITTLE = 0.05;
/** A file system of a NameNode knows each file by heart: more files than this a day are many. */
const MANY_FILES_A_DAY = 10_000;
const SMALL_ROLL_BYTES = 16 * MiB;
const DAY_MS = 86_400_000;

/** Whether there is room. */
export function checkSpace({ of, unit, free, total, fix }: FactOf<'space'>): Finding {
  const amount = (value: number) => (unit === 'bytes' ? byteText(value) : countText(value, 'name'));
  const share = total === 0 ? 0 : free / total;
  const text = `${of.slice(0, 1).toUpperCase()}${of.slice(1)}: ${amount(free)} of ${amount(total)} left`;
  if (free <= 0) return bad('problem', 'space', text, fix);
  if (share < LITTLE) return bad('warning', 'space', text, fix);
  return ok('space', text);
}

/** Whether the settings make small files, whatever the rate: each partition has files of its own. */
export function checkRoll({ bytes, intervalMs }: FactOf<'roll'>, streams: number): Finding {
  const aDay = Math.round((Math.max(1, streams) * DAY_MS) / intervalMs);
  const every = `a file of each partition every ${durationText(intervalMs)}`;
  if (bytes < SMALL_ROLL_BYTES) {
    const fix = 'Raise `roll.bytes` to the block size of the file system, such as 128 MiB.';
    return bad('warning', 'small-files', `Files end at ${byteText(bytes)} (\`roll.bytes\`), far below a block`, fix);
  }
  if (aDay > MANY_FILES_A_DAY) {
    const fix = 'Raise `roll.intervalMs`, as far as readers can wait, or read fewer partitions.';
    const text = `Up to ${countText(aDay, 'file')} a day: ${every} (\`roll.intervalMs\`), and ${countText(Math.max(1, streams), 'partition')}`;
    return bad('warning', 'small-files', text, fix);
  }
  return ok(
    'small-files',
    `Files end at ${byteText(bytes)} or after ${durationText(intervalMs)}: at most ${countText(aDay, 'file')} a day where little comes`,
  );
}
