import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** How often files are looked at, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** The most files that are looked at; of larger projects only so many. */
const MAX_FILES = 2_000;
const CODE = /\.([cm]?[jt]s|json)$/;
const LEFT_OUT = /^(node_modules|dist|coverage|\..*)$/;

/**
 * Calls `changed` when a file of code or JSON in the folders of `files`, or below, has changed and then been still for a second: an editor
 * writes several times. Looks at times and sizes, so it also works where a mount has no events, such as a ConfigMap's.
 *
 * Bounds: 2,000 files. `node_modules`, `dist`, `coverage` and hidden folders are left out.
 */
export function watchFiles(files: readonly string[], changed: () => void): () => void {
  const folders = [...new Set(files.map((file) => dirname(resolve(file))))];
  let known = stampOf(folders);
  let isPending = false;
  const looking = setInterval(() => {
    const now = stampOf(folders);
    if (now !== known) {
      known = now;
      isPending = true;
    } else if (isPending) {
      isPending = false;
      changed();
    }
  }, LOOK_EVERY_MS);
  looking.unref();
  return () => clearInterval(looking);
}

function stampOf(folders: readonly string[]): string {
  const stamps: string[] = [];
  const queue = [...folders];
  for (let folder = queue.shift(); folder !== undefined && stamps.length < MAX_FILES; folder = queue.shift()) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      // Follows links: a ConfigMap is one.
      const facts = statSync(path, { throwIfNoEntry: false });
      if (facts?.isDirectory()) queue.push(path);
      else if (facts !== undefined && CODE.test(name)) stamps.push(`${path} ${facts.mtimeMs} ${facts.size}`);
    }
  }
  return stamps.join('\n');
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !LEFT_OUT.test(name));
  } catch {
    return [];
  }
}
