import { dirname } from 'node:path';
import { SinkError } from '../../core/errors.js';
import type { DiskStats, DiskSystem } from '../../ports/disk-system.js';
import { systemCode } from './disk-error.js';
import { type Durability, statsOrNull } from './durability.js';
import { type Steps, wait } from './steps.js';
import type { Unmoved } from './unmoved.js';

const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'];
/** What rename(2) says where a folder is at the target. */
const FOLDER_THERE = ['EISDIR', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'];

export type Moved = 'renamed' | 'exists' | 'missing';

/** What moves share: the system, what is durable, which files are our own. */
export interface Ground {
  readonly system: DiskSystem;
  readonly durability: Durability;
  readonly unmoved: Unmoved;
}

/**
 * Takes a name that others may want: a hard link, which fails where the name is taken, then the removal of the old name. The
 * link decides. Between the two the file has both names; a process that comes after, or is at it too, removes the old one.
 * Fails: `RXF_FILES_DENIED` on a file system without hard links.
 * Source: rename(2) replaces a target; renameat2(RENAME_NOREPLACE) is not in Node.
 */
export function* take(ground: Ground, from: string, to: string): Steps<Moved> {
  const { system, durability } = ground;
  const before = yield* settled(ground, from, to);
  if (before !== null) return before;
  for (let tries = 1; ; tries += 1) {
    yield* durability.makeFolder(dirname(to));
    try {
      yield* wait(system.link(from, to));
      break;
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (NO_LINKS.includes(code)) throw noLinks(error, from, to);
      const after = yield* settled(ground, from, to);
      if (after !== null) return after;
      // Somebody tidied the target's folder away, or moved the target on, in between.
      if (!['ENOENT', 'ENOTDIR', 'EEXIST'].includes(code) || tries === 2) throw error;
    }
  }
  return yield* secondNameOnly(ground, from, to);
}

/**
 * Moves a file to a name that is its own alone, in one step: a reader that sees it there does not find it at the old name, also
 * after a crash, so that a reader that takes it away and then dies, or we do, never makes it appear again.
 *
 * Bounds: that the name is free is looked for just before; a file that another process puts there in between is replaced.
 * Source: rename(2) is one change of the file system, and one transaction of its journal: ext4, xfs, btrfs, zfs, apfs.
 */
export function* publish(ground: Ground, from: string, to: string): Steps<Moved> {
  const { system, durability } = ground;
  for (let tries = 1; ; tries += 1) {
    const before = yield* settled(ground, from, to);
    if (before !== null) return before;
    yield* durability.makeFolder(dirname(to));
    try {
      yield* wait(system.rename(from, to));
      break;
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (code === 'EXDEV') throw elsewhere(error, from, to);
      const isGone = (yield* statsOrNull(system.lstat(from))) === null;
      if (code === 'ENOENT' && isGone) return 'missing';
      if (FOLDER_THERE.includes(code)) return 'exists';
      // Somebody tidied the target's folder away in between.
      if (code !== 'ENOENT' || tries === 2) throw error;
    }
  }
  ground.unmoved.forget(from);
  yield* durability.folder(dirname(to));
  return 'renamed';
}

/** What is decided already, by what exists; null where the file is to be moved. */
function* settled(ground: Ground, from: string, to: string): Steps<Moved | null> {
  const { system, unmoved } = ground;
  const target = yield* statsOrNull(system.lstat(to));
  const source = yield* statsOrNull(system.lstat(from));
  if (source === null) return 'missing';
  if (target !== null) return isSameFile(source, target, from, to) ? yield* secondNameOnly(ground, from, to) : 'exists';
  // It has been under its new name, and somebody has taken it from there: to link it again would show it twice.
  return source.nlink >= 2n && !source.isDirectory() && !unmoved.has(from) ? 'missing' : null;
}

/** The file has both names: the old one goes. Another who is at it too may be faster. */
function* secondNameOnly({ system, durability, unmoved }: Ground, from: string, to: string): Steps<Moved> {
  // Both names before the old one goes: a power cut may leave two, never none.
  yield* durability.folder(dirname(to));
  try {
    yield* wait(system.unlink(from));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  unmoved.forget(from);
  return 'renamed';
}

/** Whether two names are one file with, at least, two names. One name spelt twice is not: removing it would remove the file. */
function isSameFile(one: DiskStats, other: DiskStats, from: string, to: string): boolean {
  return from !== to && one.dev === other.dev && one.ino === other.ino && one.nlink >= 2n;
}

function noLinks(error: unknown, from: string, to: string): SinkError {
  const message = `Could not rename ${from} to ${to}: no hard link can be made there (${systemCode(error)}), which a rename that never replaces a file needs. Keep \`root\` on one file system that has them, such as ext4, xfs, btrfs, zfs or apfs, and own the files.`;
  return new SinkError('RXF_FILES_DENIED', message, { details: { from, to }, cause: error });
}

function elsewhere(error: unknown, from: string, to: string): SinkError {
  const message = `Could not move ${from} to ${to}: they are on two file systems (EXDEV), and a file moves within one only. Keep all of \`root\` on one, without mounts or links to others below it.`;
  return new SinkError('RXF_FILES_DENIED', message, { details: { from, to }, cause: error });
}
