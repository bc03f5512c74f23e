import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Observable } from 'rxjs';
import { type Fact, probing } from '../../delivery/probe.js';
import { systemCode } from './disk-error.js';

/** Looks at what the disk below a folder has left: bytes, and names of files. Changes nothing. */
export function diskProbe(path: string): Observable<Fact> {
  return probing(async (tell) => {
    try {
      const { bavail, blocks, bsize, files, ffree } = await nearest(path);
      const of = `the disk of ${path}`;
      const fix = `Remove files from this disk, or move \`root\` to a larger one; see df ${path}.`;
      tell({ kind: 'space', of, unit: 'bytes', free: bavail * bsize, total: blocks * bsize, fix });
      // Some file systems have no table of names that could fill.
      if (files > 0) tell({ kind: 'space', of, unit: 'names', free: ffree, total: files, fix });
    } catch (error) {
      tell({ kind: 'unknown', what: `the disk of ${path}`, error, fix: `See df ${path}.` });
    }
  });
}

/** Of the folder, or of the one above it that is there. */
async function nearest(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    const above = dirname(path);
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '') || above === path) throw error;
    return nearest(above);
  }
}
