import type { Observable } from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import { type Estimate, meanOf } from '../../planner/index.js';

/** Records that make one measurement: some fetches, so that what is fetched ahead is as much at its end as at its begin. */
const RECORDS_A_PART = 25_000;
/** Left out: connections, and code that is not compiled yet. */
const WARM_UP_PARTS = 2;
const LEAST_PARTS = 3;

/**
 * The CPU that a source takes for a record, while it reads as fast as it can, and each record is released and acked at once.
 *
 * Bounds: `ms`, and `parts` measurements.
 * Fails: never; a source that fails or has too little to read is not measured.
 */
export function measureSource(source: Observable<Delivery<unknown>>, ms: number, parts = 40): Promise<Estimate> {
  return new Promise((resolve) => {
    const since = monotonicMs();
    const measured: number[] = [];
    let records = 0;
    let begin = process.cpuUsage();
    const end = (why: string) => {
      clearTimeout(deadline);
      setImmediate(() => running.unsubscribe());
      const own = measured.slice(WARM_UP_PARTS);
      resolve(own.length < LEAST_PARTS ? { notMeasured: why } : meanOf(own));
    };
    const deadline = setTimeout(() => {
      const seconds = ((monotonicMs() - since) / 1_000).toFixed(0);
      const least = (WARM_UP_PARTS + LEAST_PARTS) * RECORDS_A_PART;
      end(
        `only ${records} records were read in ${seconds} s, and it takes ${least}; fill the topic, or raise --within`,
      );
    }, ms);
    const running = source.subscribe({
      next: (delivery) => {
        delivery.ack();
        records += 1;
        if (records % RECORDS_A_PART !== 0) return;
        const { user, system } = process.cpuUsage(begin);
        measured.push((user + system) / 1e6 / RECORDS_A_PART);
        begin = process.cpuUsage();
        if (measured.length === WARM_UP_PARTS + parts) end('');
      },
      error: (error: unknown) => end(`it failed: ${describeError(error)}`),
      complete: () => end(`it completed after ${records} records`),
    });
  });
}
