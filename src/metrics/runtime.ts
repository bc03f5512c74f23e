import { createRequire } from 'node:module';
import { monotonicMs } from '../core/clock.js';
import type { Monitor } from '../core/monitor.js';

const TICK_MS = 100;

/** Monitors of which the process is measured, each with how many readers it has. */
const measured = new WeakMap<Monitor, { readers: number; end: () => void }>();

/** Measures the process for the monitor, once however many ask, until all have called what this returns. */
export function collectProcess(monitor: Monitor): () => void {
  const entry = measured.get(monitor) ?? { readers: 0, end: measure(monitor) };
  measured.set(monitor, entry);
  entry.readers += 1;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    entry.readers -= 1;
    if (entry.readers > 0) return;
    measured.delete(monitor);
    entry.end();
  };
}

function measure(monitor: Monitor): () => void {
  const delay = monitor.histogram('rxflume_event_loop_delay_seconds');
  let due = monotonicMs() + TICK_MS;
  const ticking = setInterval(() => {
    const now = monotonicMs();
    delay.observe(Math.max(0, now - due) / 1_000);
    due = now + TICK_MS;
  }, TICK_MS);
  ticking.unref();
  const labels = { version: versionOf(), node: process.version };
  const uncollect = monitor.collect(() => {
    const { heapUsed, rss } = process.memoryUsage();
    return [
      { name: 'rxflume_build_info', labels, value: 1 },
      { name: 'rxflume_process_heap_used_bytes', labels: {}, value: heapUsed },
      { name: 'rxflume_process_resident_memory_bytes', labels: {}, value: rss },
    ];
  });
  return () => {
    clearInterval(ticking);
    uncollect();
  };
}

/** The version of this package. */
export function versionOf(): string {
  return (createRequire(import.meta.url)('rxflume/package.json') as { version: string }).version;
}
