import type { ZoneTime } from './zone-time.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

const two = (value: number) => String(value).padStart(2, '0');
const day = ({ local }: ZoneTime) => DAYS[local.getUTCDay()] as string;
const month = ({ local }: ZoneTime) => MONTHS[local.getUTCMonth()] as string;
const twelve = ({ local }: ZoneTime) => local.getUTCHours() % 12 || 12;
/** How many days of the year have begun. */
function dayOfYear({ local }: ZoneTime): number {
  return Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

function offset({ offsetMinutes }: ZoneTime): string {
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(Math.floor(minutes % 60))}`;
}

/**
 * What stands for a time in a path of Flume, by its letter, in English. Not `%c`: it has a `:`, which HDFS takes in no name.
 *
 * Source: Flume 1.11, `BucketPath.replaceShorthand`.
 */
export const TIME_ESCAPES: Readonly<Record<string, (time: ZoneTime) => string>> = {
  a: (time) => day(time).slice(0, 3),
  A: day,
  b: (time) => month(time).slice(0, 3),
  B: month,
  d: ({ local }) => two(local.getUTCDate()),
  e: ({ local }) => String(local.getUTCDate()),
  D: ({ local }) => `${two(local.getUTCMonth() + 1)}/${two(local.getUTCDate())}/${two(local.getUTCFullYear() % 100)}`,
  H: ({ local }) => two(local.getUTCHours()),
  I: (time) => two(twelve(time)),
  j: (time) => String(dayOfYear(time)).padStart(3, '0'),
  k: ({ local }) => String(local.getUTCHours()),
  l: (time) => String(twelve(time)),
  m: ({ local }) => two(local.getUTCMonth() + 1),
  M: ({ local }) => two(local.getUTCMinutes()),
  n: ({ local }) => String(local.getUTCMonth() + 1),
  p: ({ local }) => (local.getUTCHours() < 12 ? 'AM' : 'PM'),
  s: ({ ms }) => String(Math.floor(ms / 1_000)),
  S: ({ local }) => two(local.getUTCSeconds()),
  y: ({ local }) => two(local.getUTCFullYear() % 100),
  Y: ({ local }) => String(local.getUTCFullYear()),
  z: offset,
};
