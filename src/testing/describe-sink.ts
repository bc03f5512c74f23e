import { Subject } from 'rxjs';
import { expectFunction, expectKnown, expectMs, expectOption } from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import type { Receipt, Sink } from '../delivery/receipt.js';
import { expectThat, type It, inVirtualTime, itOf } from './contracts/contract-run.js';
import { RecordingAcker } from './recording-acker.js';

export interface SinkSetting<T> {
  /** A sink over stores in memory, new for each check. All its time must be RxJS's. */
  readonly sink: () => Sink<T>;
  /** The nth value to store, all of them different. */
  readonly value: (n: number) => T;
  /** The longest it may take to settle what the source asks for, in virtual milliseconds. Default 10,000. */
  readonly withinMs?: number;
  /** The runner's `it`. Default: the global one. */
  readonly it?: It;
}

interface Running<T> {
  readonly acker: RecordingAcker;
  readonly receipts: { readonly receipt: Receipt; readonly acked: number }[];
  readonly ended: () => string;
  feed(count: number, acker?: RecordingAcker): Delivery<T>[];
  complete(): void;
  fail(): void;
  leave(): void;
}

/**
 * The contract of a sink as tests, for a sink of your own: one for each thing that a source and the operators before it
 * rely on.
 *
 * ```ts
 * import { it } from '@jest/globals';
 * import { fileSink, jsonLines } from 'rxflume';
 * import { describeSink, memoryFileSystem } from 'rxflume/testing';
 *
 * export function testMySink(): void {
 *   describeSink('my sink', {
 *     sink: () => fileSink<string>(memoryFileSystem(), { root: '/lake', format: jsonLines() }).write(),
 *     value: (n) => `value ${n}`,
 *     it,
 *   });
 * }
 * ```
 */
export function describeSink<T>(name: string, setting: SinkSetting<T>): void {
  expectKnown('describeSink setting', setting, ['sink', 'value', 'withinMs', 'it']);
  expectFunction('sink', setting.sink);
  expectFunction('value', setting.value);
  const { withinMs = 10_000 } = setting;
  expectMs('withinMs', withinMs, 1);
  expectOption('name', name, typeof name === 'string', 'a text');
  const it = itOf(setting.it);
  const check = (what: string, run: (running: Running<T>, at: (ms: number, action: () => void) => void) => void) =>
    it(`${name} ${what}`, () => inVirtualTime((at) => run(start(setting), at)));

  check('acks each value it stores, and completes after its source', ({ feed, complete, acker, ended }, at) => {
    feed(5);
    complete();
    at(withinMs, () => {
      expectThat(acker.acks.length === 5, 'all 5 values to be acked', acker.log);
      expectThat(ended() === 'complete', 'it to complete', ended());
    });
  });

  check('completes at once, and stores nothing, where nothing came', ({ complete, acker, ended, receipts }, at) => {
    complete();
    at(withinMs, () => {
      expectThat(ended() === 'complete' && acker.log.length + receipts.length === 0, 'nothing but completion', ended());
    });
  });

  check('gives receipts for what is acked, after it is', ({ feed, complete, receipts }, at) => {
    feed(5);
    complete();
    at(withinMs, () => {
      let reported = 0;
      for (const { receipt, acked } of receipts) {
        reported += receipt.values;
        expectThat(acked >= reported, `at least ${reported} acks before the receipt of ${receipt.target}`, acked);
      }
      expectThat(reported === 5, 'receipts for 5 values', reported);
    });
  });

  check('settles what it holds when the source wants that, and goes on', ({ feed, acker, complete, ended }, at) => {
    feed(3);
    at(1, () => acker.flush$.next('settle'));
    at(withinMs, () => {
      expectThat(acker.unsettled.length === 0, 'nothing to be unsettled', acker.unsettled);
      expectThat(ended() === '', 'it to go on', ended());
      feed(2);
      complete();
    });
    at(2 * withinMs, () => expectThat(acker.acks.length === 5, 'all 5 values to be acked', acker.log));
  });

  check('releases what it holds when the source wants that', ({ feed, acker, leave }, at) => {
    feed(3);
    at(1, () => acker.flush$.next('release'));
    at(withinMs, () => {
      const done = acker.releases.length + acker.acks.length;
      expectThat(done >= 3, 'all 3 values to be released or acked', acker.log);
      leave();
    });
  });

  check('settles everything when it is left, and acks nothing after that', ({ feed, acker, leave }, at) => {
    feed(3);
    let acked = 0;
    at(1, () => {
      leave();
      acked = acker.acks.length;
      expectThat(acker.unsettled.length === 0, 'nothing to be unsettled', acker.unsettled);
    });
    at(withinMs, () => expectThat(acker.acks.length === acked, 'no more acks', acker.log));
  });

  check('settles everything when its source fails, and fails with it', ({ feed, acker, fail, ended }, at) => {
    feed(3);
    at(1, () => fail());
    at(withinMs, () => {
      expectThat(acker.unsettled.length === 0, 'nothing to be unsettled', acker.unsettled);
      expectThat(ended() === 'error', 'it to fail', ended());
    });
  });

  check('takes a stream that is read anew, after its epoch was over', ({ feed, acker, complete }, at) => {
    feed(2);
    const next = new RecordingAcker(acker.stream);
    at(1, () => {
      acker.flush$.complete();
      feed(3, next);
      complete();
    });
    at(withinMs, () => expectThat(next.acks.length === 3, 'all 3 values of the next epoch to be acked', next.log));
  });

  it(`${name} begins anew with each subscription`, () =>
    inVirtualTime((at) => {
      const sink = setting.sink();
      const [first, second] = [start(setting, sink), start(setting, sink)];
      first.feed(2);
      first.leave();
      second.feed(2);
      second.complete();
      at(withinMs, () => expectThat(second.acker.acks.length === 2, 'the second to ack its own 2', second.acker.log));
    }));
}

function start<T>(setting: SinkSetting<T>, sink = setting.sink()): Running<T> {
  const acker = new RecordingAcker('test:contract');
  const deliveries$ = new Subject<Delivery<T>>();
  const receipts: { receipt: Receipt; acked: number }[] = [];
  let ended = '';
  let count = 0;
  const running = sink(deliveries$).subscribe({
    next: (receipt) => {
      receipts.push({ receipt, acked: acker.acks.length });
    },
    error: () => {
      ended = 'error';
    },
    complete: () => {
      ended = 'complete';
    },
  });
  return {
    acker,
    receipts,
    ended: () => ended,
    feed: (values, from = acker) =>
      Array.from({ length: values }, () => {
        const delivery = from.deliver(setting.value(count), { offset: count }, `value ${count}`);
        count += 1;
        deliveries$.next(delivery);
        return delivery;
      }),
    complete: () => deliveries$.complete(),
    fail: () => deliveries$.error(new Error('the source failed')),
    leave: () => running.unsubscribe(),
  };
}
