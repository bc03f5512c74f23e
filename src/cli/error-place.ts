import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this package's code: `dist/`, or the repository where it is run from its sources. */
const OWN = fileURLToPath(new URL('../..', import.meta.url));
const IS_OWN = ['src/', 'operators/'].map((folder) => OWN + folder);

/** A frame of a stack, or the head that Node and the compilers put before it. */
const FRAME =
  /^(?:\s*at .*?\(|\s*at (?:async )?)?(file:\/\/\/\S+?|\/[^()]+?|[A-Za-z]:[\\/][^()]+?):(\d+)(?::(\d+))?(?:\)|: .*)?$/;

/**
 * Where in the user's own files an error arose, as `file:line:column`, from `cwd`: the first frame that is neither Node's, nor
 * of an installed package, nor ours; of its cause where it has none. Undefined where no frame is.
 */
export function errorPlace(error: unknown, cwd: string): string | undefined {
  for (let one = error, depth = 0; one instanceof Error && depth < 10; one = one.cause, depth += 1) {
    for (const line of (one.stack ?? '').split('\n')) {
      const [, address, row, column] = FRAME.exec(line) ?? [];
      const file = address === undefined ? undefined : pathOf(address);
      if (file === undefined || file.includes('node_modules') || IS_OWN.some((own) => file.startsWith(own))) continue;
      const shown = relative(cwd, file);
      return [shown.startsWith('..') ? file : shown, row, ...(column === undefined ? [] : [column])].join(':');
    }
  }
  return undefined;
}

function pathOf(address: string): string | undefined {
  try {
    return address.startsWith('file:') ? fileURLToPath(address.replace(/[?#].*$/, '')) : address;
  } catch {
    return undefined;
  }
}
