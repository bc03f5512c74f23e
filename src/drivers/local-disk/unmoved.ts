/** Further ones are forgotten, the oldest first. */
const MAX_REMEMBERED = 10_000;

/**
 * The files that this driver has written and not moved yet. Bounds: 10,000 paths.
 *
 * A file with a second name that is not among them was made visible under it already, by a program that died before it
 * could remove the first. One that is among them was not: a copy by hard links has given it the name.
 */
export class Unmoved {
  readonly #paths = new Set<string>();

  add(path: string): void {
    this.#paths.add(path);
    if (this.#paths.size > MAX_REMEMBERED) this.#paths.delete(this.#paths.values().next().value as string);
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Forgets a path and those below it. */
  forget(path: string): void {
    if (this.#paths.delete(path)) return;
    for (const one of this.#paths) if (one.startsWith(`${path}/`)) this.#paths.delete(one);
  }
}
