import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { MiB } from '../core/units.js';

/** What the heap may grow by between two times that V8 marks it. */
const GROWTH_BYTES = 64 * MiB;
/** The most of it, in percent of what is alive. */
const MAX_PERCENT = 400;
/** V8's own rule lets a large heap grow by about as much. */
const LEAST_PERCENT = 50;

/**
 * By how many percent a heap with so many bytes alive may grow before V8 marks it again; 0 leaves that to V8, as for a heap
 * that grows by more than 64 MiB anyway.
 */
export function growthPercentOf(liveBytes: number): number {
  const percent = Math.floor((GROWTH_BYTES / liveBytes) * 100);
  return percent < LEAST_PERCENT ? 0 : Math.min(percent, MAX_PERCENT);
}

/** Whether who started Node has decided how its heap grows: `given` are Node's own arguments and options. */
export function isHeapSet(given: readonly string[]): boolean {
  return given.some((option) =>
    /^--(initial[-_](old[-_]space|heap)[-_]size|heap[-_]growing[-_]percent|optimize[-_]for[-_]size)\b/.test(option),
  );
}

/**
 * Lets a small heap grow by 64 MiB between two markings. V8 marks one of 17 MiB, as most flows have, for each 8 MiB that grow
 * old, and so marks the same objects again and again. It reads the flag whenever it has marked the heap.
 *
 * Bounds: 64 MiB more than V8's own rule, and never beyond half of the way to `--max-old-space-size`.
 * Source: V8 11.3 to 13.6, `MemoryController::GrowingFactor`, `BoundAllocationLimit`.
 */
export function letHeapGrow(): () => void {
  if (isHeapSet([...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)])) return () => undefined;
  let set = -1;
  const look = () => {
    const percent = growthPercentOf(oldBytes());
    if (percent === set) return;
    set = percent;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  look();
  const marked = new PerformanceObserver((list) => {
    // Node's types do not know the detail of such an entry.
    const entries = list.getEntries() as unknown as readonly { readonly detail?: { readonly kind?: number } }[];
    if (entries.some(({ detail }) => detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR)) look();
  });
  marked.observe({ entryTypes: ['gc'] });
  return () => {
    marked.disconnect();
    setFlagsFromString('--heap-growing-percent=0');
  };
}

/** What has grown old: just after a marking, what is alive. */
function oldBytes(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => !name.startsWith('new_'));
  return spaces.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}
