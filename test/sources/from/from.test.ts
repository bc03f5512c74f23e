import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NEVER, of, Subject, throwError, timer } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { guaranteeOf } from '../../../src/flow/guarantee.js';
import type { CallbackListener } from '../../../src/sources/from/callback-connection.js';
import { fromCallback } from '../../../src/sources/from/from-callback.js';
import { fromObservable$ } from '../../../src/sources/from/from-observable.js';
import { fromReadable } from '../../../src/sources/from/from-readable.js';
import type { FromOptions } from '../../../src/sources/from/options.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** A source over a subject, with what its functions were called with. */
function start(options: Partial<FromOptions<string>> = {}, settles = true) {
  const input$ = new Subject<string>();
  const monitor = new Monitor();
  const calls: string[] = [];
  const callbacks = {
    onAck: (value: string) => calls.push(`ack ${value}`),
    onNack: (value: string, cause: unknown) => calls.push(`nack ${value} ${(cause as { code: string }).code}`),
  };
  const source = fromObservable$(input$, { name: 'test', monitor, ...(settles && callbacks), ...options });
  const run = new SourceRun(source);
  return Object.assign(run, {
    input$,
    monitor,
    calls,
    emit: (...values: string[]) => {
      for (const value of values) input$.next(value);
    },
    values: () => run.seen.map(({ value }) => value),
    of: (value: string) => run.seen.find((one) => one.value === value),
  });
}

const busy = new SinkError('RXF_SINK_WRITE', 'busy');

describe('fromObservable$', () => {
  it('hands each settling back once, in the order of settling', () => {
    const run = start();
    run.emit('a', 'b', 'c');
    run.of('b')?.nack(busy);
    run.of('b')?.ack();
    run.of('c')?.ack();
    run.of('a')?.acker.ack(0, 3);
    expect(run.calls).toEqual(['nack b RXF_SINK_WRITE', 'ack c', 'ack a']);
    expect(run.monitor.total('rxflume_source_acked_total')).toBe(2);
    expect(run.ended).toBe('');
    run.leave();
  });

  it('holds what comes while the window is full, and ends beyond what may wait, once all that waited is settled', () => {
    const run = start({ window: { count: 2 }, waiting: { count: 2 } });
    run.emit('a', 'b', 'c', 'd');
    expect(run.values()).toEqual(['a', 'b']);
    run.of('a')?.ack();
    expect(run.values()).toEqual(['a', 'b', 'c']);
    run.emit('e', 'f');
    expect(run.calls).toEqual(['ack a', 'nack f RXF_SOURCE_OVERFLOW']);
    run.of('b')?.acker.ack(0, 3);
    expect([run.values(), run.ended]).toEqual([['a', 'b', 'c', 'd', 'e'], '']);
    run.of('d')?.acker.ack(0, 9);
    expect(run.end).toBe('error RXF_SOURCE_OVERFLOW');
    expect(run.error?.message).toContain('from:test emits faster than the sinks store');
  });

  it.each([
    ['dropNewest', ['a', 'b', 'c']],
    ['dropOldest', ['a', 'd', 'e']],
  ] as const)('drops by %s, and counts it', (overflow, kept) => {
    const run = start({ window: { count: 1 }, waiting: { count: 2 }, overflow });
    run.emit('a', 'b', 'c', 'd', 'e');
    run.of('a')?.ack();
    run.seen[1]?.ack();
    run.seen[2]?.ack();
    expect(run.values()).toEqual(kept);
    expect(run.monitor.total('rxflume_source_dropped_total')).toBe(2);
    expect(run.calls.filter((call) => call.endsWith('RXF_SOURCE_OVERFLOW'))).toHaveLength(2);
    expect(run.ended).toBe('');
    run.leave();
  });

  it('bounds what waits by bytes too, but takes one value of any size', () => {
    const run = start({ window: { count: 1 }, waiting: { bytes: 10 }, overflow: 'dropNewest' });
    run.emit('a', 'a text of more than ten bytes', 'c');
    run.of('a')?.ack();
    expect(run.values()).toEqual(['a', 'a text of more than ten bytes']);
    run.leave();
  });

  it('ends at a nack that nobody takes, and names the value', () => {
    const run = start({}, false);
    run.emit('a', 'b');
    run.of('b')?.nack(busy);
    expect(run.ended).toBe('');
    run.of('a')?.ack();
    expect(run.end).toBe('error RXF_SOURCE_NACKED');
    expect(run.error?.message).toContain(`offset ${run.seen[1]?.origin.offset} was nacked (busy)`);
  });

  it('ends when `onAck` throws, or what it returns rejects', async () => {
    for (const onAck of [
      () => {
        throw new Error('gone');
      },
      () => Promise.reject(new Error('gone')),
    ]) {
      const run = start({ onAck });
      run.emit('a');
      run.of('a')?.ack();
      await Promise.resolve();
      expect(run.end).toBe('error RXF_SOURCE_CALLBACK');
    }
  });

  it('asks its holders: to release while the window is full, to settle at `maxUnacked`', () =>
    inVirtualTime((at) => {
      const run = start({ window: { count: 1 }, maxUnacked: 2 });
      run.emit('a', 'b', 'c');
      at(250, () => {
        expect(run.asked).toEqual(['release', 'release']);
        run.of('a')?.release();
        expect(run.values()).toEqual(['a', 'b']);
        run.of('b')?.release();
        expect(run.values()).toEqual(['a', 'b']);
        expect(run.asked.at(-1)).toBe('settle');
        run.of('a')?.ack();
        expect(run.values()).toEqual(['a', 'b', 'c']);
        run.leave();
      });
    }));

  it('stays subscribed during a drain that has something to hand back, and nacks what still comes', () =>
    inVirtualTime((at) => {
      const run = start();
      run.emit('a');
      run.drain();
      expect(run.input$.observed).toBe(true);
      run.emit('late');
      expect(run.calls).toEqual(['nack late RXF_SOURCE_OVERFLOW']);
      at(10, () => {
        run.of('a')?.ack();
        expect([run.ended, run.input$.observed]).toEqual(['complete', false]);
      });
    }));

  it('leaves at once when a drain begins that has nothing to hand back', () => {
    const run = start({}, false);
    run.emit('a');
    run.drain();
    expect(run.input$.observed).toBe(false);
    run.of('a')?.ack();
    expect(run.ended).toBe('complete');
  });

  it('settles what is out before it completes or fails as its input does', () => {
    for (const [input$, end] of [
      [of('a'), 'complete'],
      [throwError(() => new Error('lost')), 'error Error: lost'],
    ] as const) {
      const run = new SourceRun(fromObservable$(input$, { name: 'test', monitor: new Monitor() }));
      for (const delivery of run.seen) {
        expect(run.ended).toBe('');
        delivery.ack();
      }
      expect(run.end).toBe(end);
    }
  });

  it('gives the time, key and headers that `factsOf` tells, and counts ages by that time', () =>
    inVirtualTime((at) => {
      const facts = { timestamp: 40, key: Buffer.from('k'), headers: { h: Buffer.from('v') } };
      const run = start({ factsOf: () => facts });
      at(100, () => {
        run.emit('a');
        expect(run.of('a')?.origin).toMatchObject({ ...facts, stream: 'from:test', byteLength: 2 });
        run.of('a')?.ack();
        const [age] = run.monitor.samples().filter(({ name }) => name === 'rxflume_source_age_seconds');
        expect(age?.histogram?.sum).toBeCloseTo(0.06);
        run.leave();
      });
    }));

  it('says what waits, and since when', () => {
    const run = start({ window: { count: 1 } });
    run.emit('a', 'b', 'c');
    expect(run.monitor.total('rxflume_source_backlog_records')).toBe(2);
    expect(run.monitor.total('rxflume_source_oldest_unsettled_timestamp_seconds')).toBeGreaterThan(1e9);
    run.leave();
    expect(run.monitor.total('rxflume_source_backlog_records')).toBe(0);
  });

  it('promises at most once without `onAck` and `onNack`, and at least once with one', () => {
    const guarantee = (options: object) => {
      const source = fromObservable$(NEVER, { name: 'test', ...options }).traits;
      return guaranteeOf({ source, ledger: undefined });
    };
    expect(guarantee({})).toEqual({
      level: 'at-most-once',
      because: [expect.stringContaining('fromObservable$ has no `onAck`')],
    });
    expect(guarantee({ onAck: () => undefined }).level).toBe('at-least-once');
  });

  it('takes each value once and bounds what it holds, whatever the order of what happens', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('emit', 'ack', 'nack', 'release'), fc.nat(20)), { maxLength: 80 }),
        (steps) => {
          const run = start({ window: { count: 3 }, waiting: { count: 4 }, maxUnacked: 6, overflow: 'dropNewest' });
          let emitted = 0;
          for (const [step, at] of steps) {
            if (step === 'emit') run.emit(`${emitted++}`);
            else run.seen[at]?.[step](busy);
            const out = run.monitor.total('rxflume_source_in_flight_records');
            expect(out).toBeLessThanOrEqual(3);
            expect(run.monitor.total('rxflume_source_backlog_records')).toBeLessThanOrEqual(4);
          }
          run.drain();
          for (let n = 0; n < 20; n += 1) for (const delivery of run.seen) delivery.ack();
          expect(run.ended).toBe('complete');
          const settled = run.calls.map((call) => call.split(' ')[1] as string);
          expect(settled.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: emitted }, (_, n) => n));
        },
      ),
    ));
});

describe('fromCallback', () => {
  it('pauses and resumes what it is connected to, stops it first and closes it last', () => {
    const seen: string[] = [];
    let listener: CallbackListener<string> | undefined;
    const source = fromCallback<string>(
      (given) => {
        listener = given;
        return {
          pause: () => seen.push('pause'),
          resume: () => seen.push('resume'),
          stop: () => seen.push('stop'),
          close: () => seen.push('close'),
        };
      },
      { name: 'test', window: { count: 1 }, monitor: new Monitor() },
    );
    const run = new SourceRun(source);
    expect(listener?.next('a')).toBe(false);
    run.seen[0]?.ack();
    expect(listener?.next('b')).toBe(false);
    run.drain();
    expect(seen).toEqual(['pause', 'resume', 'pause', 'stop']);
    run.seen[1]?.ack();
    expect([seen.at(-1), run.ended]).toEqual(['close', 'complete']);
    expect(seen.filter((one) => one === 'close')).toHaveLength(1);
  });

  it('closes what completes while it connects, and what is left', () => {
    let closed = 0;
    const close = () => {
      closed += 1;
    };
    const connect = (listener: CallbackListener<string>) => {
      listener.complete();
      return close;
    };
    expect(new SourceRun(fromCallback(connect, { name: 'test' })).ended).toBe('complete');
    new SourceRun(fromCallback<string>(() => close, { name: 'test' })).leave();
    expect(closed).toBe(2);
  });

  it('fails where connecting throws', () => {
    const connect = () => {
      throw new Error('no such device');
    };
    expect(new SourceRun(fromCallback(connect, { name: 'test' })).end).toBe('error Error: no such device');
  });

  it('completes a drain that waits for a `close` that never answers', () =>
    inVirtualTime((at) => {
      const close = () => new Promise(() => undefined);
      const run = new SourceRun(fromCallback<string>(() => close, { name: 'test', drainTimeoutMs: 500 }));
      at(10, () => run.drain());
      at(600, () => expect(run.ended).toBe('complete'));
    }));
});

describe('fromReadable', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('asks for a value only while there is room', async () => {
    let asked = 0;
    function* numbers() {
      while (true) {
        asked += 1;
        yield asked;
      }
    }
    const run = new SourceRun(fromReadable(numbers, { name: 'test', window: { count: 3 } }));
    await turn();
    expect([asked, run.seen.length]).toEqual([3, 3]);
    run.seen[0]?.ack();
    await turn();
    expect([asked, run.seen.length]).toEqual([4, 4]);
    run.leave();
  });

  it('reads a stream to its end, and ends as it does', async () => {
    const stream = new PassThrough();
    const run = new SourceRun(fromReadable<Buffer>(() => stream, { name: 'test' }));
    stream.write('a');
    await turn();
    stream.end('b');
    await turn();
    await turn();
    expect(Buffer.concat(run.seen.map(({ value }) => value)).toString()).toBe('ab');
    for (const delivery of run.seen) delivery.ack();
    expect(run.ended).toBe('complete');
    const failing = new PassThrough();
    const other = new SourceRun(fromReadable<Buffer>(() => failing, { name: 'test' }));
    failing.destroy(new Error('reset'));
    await turn();
    await turn();
    expect(other.end).toBe('error Error: reset');
  });

  it('destroys a stream that it leaves, also while it waits for a chunk, and returns a generator', async () => {
    const stream = new PassThrough();
    const run = new SourceRun(fromReadable<Buffer>(() => stream, { name: 'test' }));
    await turn();
    run.leave();
    expect(stream.destroyed).toBe(true);
    let isReturned = false;
    function* numbers() {
      try {
        while (true) yield 1;
      } finally {
        isReturned = true;
      }
    }
    const left = new SourceRun(fromReadable(numbers, { name: 'test', window: { count: 1 } }));
    await turn();
    left.leave();
    expect(isReturned).toBe(true);
  });
});

it('reads a cold timer in virtual time', () =>
  inVirtualTime((at) => {
    const run = new SourceRun(fromObservable$(timer(10, 10), { name: 'test', window: { count: 2 } }));
    at(45, () => expect(run.seen.map(({ value }) => value)).toEqual([0, 1]));
    at(46, () => {
      for (const delivery of [...run.seen]) delivery.ack();
      expect(run.seen.map(({ value }) => value)).toEqual([0, 1, 2, 3]);
      run.leave();
    });
  }));
