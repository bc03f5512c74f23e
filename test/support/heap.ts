import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How many bytes of the heap what is made keeps, once all else is collected. */
export function keptBy(make: () => object): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const made = new Set([make()]);
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  made.clear();
  return kept;
}
