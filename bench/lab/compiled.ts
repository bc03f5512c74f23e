import { fileURLToPath } from 'node:url';

/**
 * A program of the bench as `npm run bench` has compiled it, by its path under `bench/` without the ending: contestants run
 * what is published, not sources that a loader translates.
 */
export function compiled(program: string): string {
  return fileURLToPath(new URL(`../../dist/bench/${program}.js`, import.meta.url));
}
