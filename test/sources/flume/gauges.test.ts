import { describe, expect, it } from '@jest/globals';
import { catchError, EMPTY } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { FlumeConnection } from '../../../src/ports/flume-rpc.js';
import { flumeSource } from '../../../src/sources/flume/flume-source.js';
import { MemoryFlume } from '../../../src/testing/memory/memory-flume.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

function start(window = { count: 100 }) {
  const flume = new MemoryFlume();
  const monitor = new Monitor();
  const run = new SourceRun(flumeSource(flume.server(), { name: 'test', monitor, window }));
  let connection: FlumeConnection | undefined;
  flume
    .connect(0)
    .pipe(catchError(() => EMPTY))
    .subscribe((made) => {
      connection = made;
    });
  const send = (values: readonly string[], headers: Record<string, string> = {}) =>
    connection
      ?.append(values.map((value) => ({ headers, body: Buffer.from(value) })))
      .pipe(catchError(() => EMPTY))
      .subscribe();
  const read = (name: string) =>
    monitor
      .samples()
      .filter((sample) => sample.name === `rxflume_source_${name}`)
      .map(({ value }) => value);
  return Object.assign(run, { monitor, send, read });
}

describe('the gauges of a Flume source', () => {
  it('show what is out, what waits, and how old the oldest is, by the header `timestamp`', () =>
    inVirtualTime((at) => {
      let flume: ReturnType<typeof start>;
      at(70_000, () => {
        flume = start({ count: 2 });
      });
      at(70_100, () => flume.send(['a', 'b', 'c'], { timestamp: '10000' }));
      at(70_200, () => flume.send(['d'], { timestamp: 'yesterday' }));
      at(70_300, () => {
        expect([flume.read('in_flight_records'), flume.read('emitted_records_total')]).toEqual([[2], [2]]);
        expect(flume.read('backlog_records')[0]).toBeGreaterThanOrEqual(1);
        expect(flume.read('oldest_unsettled_timestamp_seconds')).toEqual([10]);
        expect(flume.read('no_progress_seconds')[0]).toBeLessThan(1);
      });
      at(80_000, () => {
        expect(flume.read('no_progress_seconds')[0]).toBeGreaterThan(9);
        expect(flume.read('window_closed_seconds_total')[0]).toBeGreaterThan(9);
        for (const one of flume.seen) one.ack();
        expect(flume.read('no_progress_seconds')).toEqual([0]);
      });
      at(80_100, () => {
        for (const one of flume.seen) one.ack();
        const ages = flume.monitor.samples().filter(({ histogram }) => histogram !== undefined);
        expect(ages.map(({ name, value }) => [name, value])).toEqual([
          ['rxflume_source_age_seconds', 4],
          ['rxflume_source_settle_duration_seconds', 4],
        ]);
        expect(flume.read('oldest_unsettled_timestamp_seconds')).toEqual([]);
        flume.leave();
        expect([flume.read('joined'), flume.read('in_flight_records'), flume.read('clients')]).toEqual([[], [], []]);
      });
    }));

  it('take a batch that is nacked and sent again for no progress', () =>
    inVirtualTime((at) => {
      const flume = start();
      // A storage that takes the first bytes of what is sent again, and no more.
      const away = (delivery: (typeof flume.seen)[number]) => {
        delivery.release();
        delivery.nack(new SinkError('RXF_SINK_WRITE', 'away', { retryable: true }));
      };
      at(1_000, () => flume.send(['waits']));
      at(1_500, () => {
        flume.onNext = away;
      });
      for (let second = 2; second <= 20; second += 1) {
        at(second * 1_000, () => flume.send(['a']));
        at(second * 1_000 + 100, () => flume.read('no_progress_seconds'));
      }
      at(20_500, () => {
        expect(flume.read('no_progress_seconds')[0]).toBeGreaterThan(14);
        flume.leave();
      });
    }));
});
