import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * How many bytes of the heap what is made keeps, once all else is collected: the middle of three measurements, since what the
 * test runner frees meanwhile can fall into one of them.
 */
export function keptBy(make: () => object): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const measured = [1, 2, 3].map(() => keptOnce(make, collect)).sort((a, b) => a - b);
  return measured[1] as number;
}

function keptOnce(make: () => object, collect: () => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const made = new Set([make()]);
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  made.clear();
  return kept;
}
