import { link, lstat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SinkError } from '../../core/errors.js';
import { systemCode } from './disk-error.js';
import { makeFolder, syncFolder } from './sync.js';

const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'];

/**
 * Moves a file to a name that is free: a hard link, which fails where the name is taken, then the removal of the old name. A
 * process that died in between left one file with two names; the same move again removes the old one.
 * Fails: `RXF_FILES_DENIED` on a file system without hard links.
 * Source: rename(2) replaces a target; renameat2(RENAME_NOREPLACE) is not in Node.
 */
export async function move(from: string, to: string, sync: boolean): Promise<'renamed' | 'exists' | 'missing'> {
  await makeFolder(dirname(to), sync);
  try {
    await link(from, to);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      if ((await lstatOrNull(from)) === null) return 'missing';
      throw error;
    }
    if (code !== 'EEXIST') throw code !== undefined && NO_LINKS.includes(code) ? noLinks(error, from, to) : error;
    if (!(await sameFile(from, to))) return (await lstatOrNull(from)) === null ? 'missing' : 'exists';
  }
  // Both names before the old one goes: a power cut may leave two, never none.
  if (sync) await syncFolder(dirname(to));
  await unlink(from);
  return 'renamed';
}

/** Whether two names are one file with, at least, two names. One name spelt twice is not: removing it would remove the file. */
async function sameFile(from: string, to: string): Promise<boolean> {
  const [one, other] = await Promise.all([lstatOrNull(from), lstatOrNull(to)]);
  if (from === to || !one || !other) return false;
  return one.dev === other.dev && one.ino === other.ino && one.nlink >= 2n;
}

async function lstatOrNull(path: string) {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

function noLinks(error: unknown, from: string, to: string): SinkError {
  const message = `Could not rename ${from} to ${to}: no hard link can be made there (${systemCode(error)}), which a rename that never replaces a file needs. Keep \`root\` on one file system that has them, such as ext4, xfs, btrfs, zfs or apfs, and own the files`;
  return new SinkError('RXF_FILES_DENIED', message, { details: { from, to }, cause: error });
}
