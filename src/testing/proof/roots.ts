/** Where a sink keeps its own files, below its root: no reader looks there. */
const OWN_FOLDER = '_rxflume';

/** The folders that sinks write to, as a reader of the files sees them. */
export class Roots {
  readonly #exact: readonly string[];
  readonly #repeating: readonly string[];

  /** `repeating`: where a value may be stored more than once. */
  constructor(exact: readonly string[], repeating: readonly string[]) {
    this.#exact = exact.map(bare);
    this.#repeating = repeating.map(bare);
  }

  /** Whether a reader sees what is at the path, or it is a sink's own, or of no sink that was named. */
  placeOf(path: string): 'visible' | 'own' | 'outside' {
    const root = [...this.#exact, ...this.#repeating].find((one) => isWithin(path, one));
    if (root === undefined) return 'outside';
    return isWithin(path, `${root}/${OWN_FOLDER}`) ? 'own' : 'visible';
  }

  mayRepeat(path: string): boolean {
    return this.#repeating.some((root) => isWithin(path, root));
  }
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function bare(root: string): string {
  return root.replace(/\/+$/, '');
}
