import { describe, expect, it } from '@jest/globals';
import { from, lastValueFrom, toArray } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { Acker } from '../../../src/delivery/acker.js';
import { Delivery } from '../../../src/delivery/delivery.js';
import { nullSink } from '../../../src/sinks/null/null-sink.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** Counts what is called, whatever it is for. */
function countingAcker(): Acker & { readonly runs: [number, number][] } {
  const runs: [number, number][] = [];
  const { flush$ } = new RecordingAcker();
  const ack = (first: number, next: number) => {
    runs.push([first, next]);
  };
  return { runs, flush$, ack, nack: ack, release: () => undefined, hold: () => undefined };
}

describe('nullSink', () => {
  it('acks in runs of sequence numbers, and reports many values at once', async () => {
    const acker = countingAcker();
    const origin = { stream: 's', epoch: 1, byteLength: 10 };
    const values = Array.from({ length: 5_000 }, (_, n) => new Delivery(n, { ...origin, offset: n * 2 }, acker, n));
    const receipts = await lastValueFrom(from(values).pipe(nullSink().write(), toArray()));
    expect(acker.runs).toEqual([
      [0, 1_024],
      [1_024, 2_048],
      [2_048, 3_072],
      [3_072, 4_096],
      [4_096, 5_000],
    ]);
    const range = { stream: 's', firstOffset: 0, lastOffset: 9_998 };
    expect(receipts).toEqual([{ sink: 'null', target: 'null', values: 5_000, bytes: 50_000, ...range }]);
  });

  it('acks at once, without another value or a flush, also where sequence numbers have gaps', () =>
    inVirtualTime((at) => {
      const run = new SinkRun(nullSink().write());
      const [a, b, c] = ['a', 'b', 'c'].map((name) => run.acker.deliver(name));
      at(5, () => {
        run.give(c as Delivery<string>);
        run.give(a as Delivery<string>);
      });
      at(6, () => {
        expect(run.acker.acks).toEqual(['c', 'a']);
        run.give(b as Delivery<string>);
      });
      at(7, () => expect(run.acker.unsettled).toEqual([]));
      at(8, () => run.leave());
    }));

  it('loses nothing that comes while it acks', () =>
    inVirtualTime((at) => {
      const run = new SinkRun(nullSink().write());
      const other = new RecordingAcker('test:1', () => {
        if (run.acker.acks.length < 3) run.put(`n${run.acker.acks.length}`);
      });
      run.put('x', {}, other);
      run.put('a');
      run.put('y', {}, other);
      at(1, () => {
        expect([...run.acker.unsettled, ...other.unsettled]).toEqual([]);
        run.leave();
      });
    }));

  it('acks values that come one by one at once, and in runs again once they come together', () =>
    inVirtualTime((at) => {
      const acker = countingAcker();
      const run = new SinkRun<number>(nullSink().write());
      const origin = { stream: 's', epoch: 1, byteLength: 1 };
      let seq = 0;
      const give = () => {
        run.give(new Delivery(seq, { ...origin, offset: seq }, acker, seq));
        seq += 1;
      };
      for (let turn = 1; turn <= 8; turn += 1) {
        at(turn, () => {
          give();
          expect(acker.runs).toHaveLength(turn - 1);
        });
      }
      at(9, () => {
        give();
        expect(acker.runs.at(-1)).toEqual([8, 9]);
      });
      at(10, () => {
        for (let n = 0; n < 1_000; n += 1) give();
      });
      at(11, () => {
        const counts = acker.runs.map(([first, next]) => next - first);
        expect([counts.length, counts.at(-1), counts.reduce((sum, count) => sum + count)]).toEqual([74, 936, 1_009]);
        run.leave();
      });
    }));

  it('nests no calls where each ack brings the next value', () =>
    inVirtualTime((at) => {
      const run = new SinkRun<string>(nullSink().write());
      let count = 0;
      const more = new RecordingAcker('test:1', () => {
        count += 1;
        if (count < 20_000) run.put('n', {}, more);
      });
      for (let turn = 1; turn <= 9; turn += 1) at(turn, () => run.put('a'));
      at(10, () => run.put('n', {}, more));
      at(11, () => {
        expect([count, more.unsettled]).toEqual([20_000, []]);
        run.leave();
      });
    }));

  it('gives a receipt for each stream, at the latest after the time', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const run = new SinkRun<string>(nullSink({ receiptIntervalMs: 100, monitor }).write());
      run.put('aa');
      at(50, () => run.put('b', {}, new RecordingAcker('test:1')));
      at(99, () => expect(run.receipts).toEqual([]));
      at(101, () => {
        expect(run.receipts.map(({ stream, values, bytes }) => [stream, values, bytes])).toEqual([
          ['test:0', 1, 2],
          ['test:1', 1, 1],
        ]);
        expect(monitor.total('rxflume_sink_values_total')).toBe(2);
        run.leave();
      });
    }));

  it('rejects wrong options', () => {
    expect(() => nullSink({ receiptIntervalMs: 0 })).toThrow('Expected `receiptIntervalMs`');
    expect(() => nullSink({ every: 1 } as never)).toThrow('got `every`');
  });
});
