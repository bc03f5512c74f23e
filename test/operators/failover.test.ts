import { describe, expect, it } from '@jest/globals';
import { EMPTY, ignoreElements, map, NEVER, type Observable, of, Subject } from 'rxjs';
import { failover } from '../../operators/failover.js';
import { OptionError, SinkError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { drawn, taken } from './marbles.js';
import { brokenSink, sinkAfter, through } from './sinks.js';

const BUSY = new SinkError('RXF_SINK_WRITE', 'busy');

function fed(count: number, options = {}) {
  const given: Delivery<string>[][] = Array.from({ length: count }, () => []);
  const retained = (own: Delivery<string>[]) => (deliveries: Observable<Delivery<string>>) =>
    deliveries.pipe(
      map((delivery) => own.push(delivery)),
      ignoreElements(),
    );
  const source$ = new Subject<Delivery<string>>();
  const acker = new RecordingAcker();
  const monitor = new Monitor();
  const reported: string[] = [];
  monitor.logEvents$.subscribe(({ what }) => reported.push(what));
  const out = taken(source$.pipe(failover(given.map(retained), { monitor, ...options })));
  const feed = (names: string) => {
    for (const name of names) source$.next(acker.deliver(name));
  };
  return {
    given,
    source$,
    acker,
    out,
    feed,
    reported,
    shown: () => given.map((own) => own.map((d) => d.value).join('')),
  };
}

describe('failover', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a----b----c--|';
      const result = '  ---a---b----c-|';
      const acks = '    ---a---b----c--';
      let isDown = true;
      const main = sinkAfter<string>(1, () => {
        const cause = isDown ? BUSY : undefined;
        isDown = false;
        return cause;
      });
      expectObservable(deliveries(values).pipe(failover([main, sinkAfter<string>(1)], { openMs: 8 }))).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(failover([through, through]));

  it('hands what one nacks to the next that works, each once, and nacks with the last cause', () => {
    const { given, acker, feed, shown } = fed(3, { failures: 9 });
    feed('ab');
    given[0]?.[0]?.nack(BUSY);
    given[1]?.[0]?.nack(BUSY);
    expect(shown()).toEqual(['ab', 'a', 'a']);
    const last = new SinkError('RXF_SINK_WRITE', 'busy too');
    given[2]?.[0]?.nack(last);
    expect(acker.causes).toEqual({ a: last });
    given[0]?.[0]?.ack();
    given[1]?.[0]?.ack();
    given[0]?.[1]?.nack(BUSY);
    given[1]?.[1]?.ack();
    given[0]?.[1]?.ack();
    expect(acker.log.filter((line) => !line.startsWith('release'))).toEqual(['nack a', 'ack b']);
  });

  it('leaves a nack that is the fault of the value to the source', () => {
    const { given, acker, feed, shown, reported } = fed(2);
    feed('a');
    given[0]?.[0]?.nack(new SinkError('RXF_SINK_FORMAT', 'no object'));
    expect([shown(), acker.nacks, reported]).toEqual([['a', ''], ['a'], []]);
  });

  it('asks `when` where it is given', () => {
    const { given, feed, shown } = fed(2, { when: (cause: unknown) => cause === 'mine' });
    feed('ab');
    given[0]?.[0]?.nack(BUSY);
    given[0]?.[1]?.nack('mine');
    expect(shown()).toEqual(['ab', 'b']);
  });

  it('passes over a sink that fails, tries it with one value when its time is over, and comes back', () =>
    inVirtualTime((at) => {
      const { given, feed, shown, reported, acker } = fed(2, { openMs: 10, failures: 2 });
      feed('a');
      given[0]?.[0]?.nack(BUSY);
      feed('b');
      given[0]?.[1]?.nack(BUSY);
      feed('c');
      expect([shown(), reported]).toEqual([['ab', 'abc'], ['failover.left']]);
      at(10, () => {
        feed('de');
        expect(shown()).toEqual(['abd', 'abce']);
        given[0]?.[2]?.nack(BUSY);
        feed('f');
        expect(shown()).toEqual(['abd', 'abcedf']);
      });
      at(20, () => {
        feed('g');
        given[0]?.[3]?.release();
        feed('h');
        expect([shown(), reported]).toEqual([
          ['abdgh', 'abcedf'],
          ['failover.left', 'failover.back'],
        ]);
        expect(acker.log).toEqual(['release g']);
      });
    }));

  it('leaves to the source what was released before it was nacked, and uses the next when it is redelivered', () => {
    const { given, acker, feed, shown } = fed(2);
    feed('a');
    given[0]?.[0]?.release();
    given[0]?.[0]?.nack(BUSY);
    feed('a');
    expect([acker.log, shown()]).toEqual([
      ['release a', 'nack a'],
      ['a', 'a'],
    ]);
  });

  it('goes on without a sink that has failed, and fails with the error of the last', () => {
    const acker = new RecordingAcker();
    const monitor = new Monitor();
    const reported: string[] = [];
    monitor.logEvents$.subscribe(({ what }) => reported.push(what));
    const source$ = new Subject<Delivery<string>>();
    const error = new Error('no host');
    const sinks = [brokenSink<string>(new Error('first')), brokenSink<string>(error)];
    const out = taken(source$.pipe(failover(sinks, { monitor })));
    source$.next(acker.deliver('a'));
    source$.next(acker.deliver('b'));
    expect(reported).toEqual(['failover.lost']);
    expect(out).toMatchObject({ ended: 'error', error });
  });

  it('nacks when no sink takes anything', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    // Neither takes: one has completed, the other never listens.
    taken(source$.pipe(failover<string, never>([() => EMPTY, () => NEVER])));
    source$.next(acker.deliver('a'));
    expect(acker.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED' });
    const out = taken(NEVER.pipe(failover<string, never>([() => EMPTY])));
    expect(out.ended).toBe('complete');
  });

  it('finds the next sink also for what is nacked after the source has completed, and then completes', () => {
    const acker = new RecordingAcker();
    const held: Delivery<string>[] = [];
    const main = (deliveries: Observable<Delivery<string>>) =>
      deliveries.pipe(
        map((one) => held.push(one)),
        ignoreElements(),
      );
    const out = taken(of(acker.deliver('a')).pipe(failover<string, unknown>([main, through])));
    expect(out.ended).toBe('');
    held[0]?.nack(BUSY);
    expect(out.values.length).toBe(1);
    (out.values[0] as Delivery<string>).ack();
    expect([out.ended, acker.log]).toEqual(['complete', ['ack a']]);
  });

  it('hides the ledger: a value may be in two sinks', () => {
    const acker = Object.assign(new RecordingAcker(), { resumeTracker: {} as never });
    const held: string[] = [];
    acker.hold = () => held.push('held');
    const out = taken(of(acker.deliver('a')).pipe(failover([through])));
    expect(out.values[0]?.acker.resumeTracker).toBeUndefined();
    out.values[0]?.acker.hold(0, 1);
    expect(held).toEqual([]);
  });

  it('hands nothing on to another sink because the flow stops', () => {
    const { out, given, shown, acker, feed } = fed(2);
    feed('a');
    out.unsubscribe();
    given[0]?.[0]?.nack(new SinkError('RXF_SINK_STOPPED', 'stopped'));
    expect([shown(), acker.nacks]).toEqual([['a', ''], ['a']]);
  });

  it('says which sink fails, works again, and is lost', () =>
    inVirtualTime((at) => {
      const monitor = new Monitor();
      const reported: unknown[] = [];
      monitor.logEvents$.subscribe(({ level, message }) => reported.push([level, message]));
      const { given, feed } = fed(2, { openMs: 10, failures: 1, monitor });
      feed('a');
      given[0]?.[0]?.nack(BUSY);
      at(10, () => {
        feed('b');
        given[0]?.[1]?.ack();
        expect(reported).toEqual([
          ['warn', 'Sink 1 fails; the next is used.'],
          ['info', 'Sink 1 works again.'],
        ]);
      });
      at(11, () => {
        reported.length = 0;
        const acker = new RecordingAcker();
        const sinks = [through, brokenSink<string>(new Error('no host'))];
        const source$ = new Subject<Delivery<string>>();
        taken(source$.pipe(failover<string, unknown>([brokenSink(new Error('gone')), ...sinks], { monitor })));
        source$.next(acker.deliver('a'));
        expect(reported[0]).toEqual(['warn', 'Sink 1 has failed and is not used again: gone.']);
      });
    }));

  it('counts failures in a row: what is taken between two starts the count anew', () => {
    const { given, feed, reported } = fed(2, { failures: 2 });
    feed('abcd');
    given[0]?.[0]?.nack(BUSY);
    given[0]?.[1]?.ack();
    given[0]?.[2]?.nack(BUSY);
    expect(reported).toEqual([]);
    given[0]?.[3]?.nack(BUSY);
    expect(reported).toEqual(['failover.left']);
  });

  it('says why it nacks where none is left', () => {
    const acker = new RecordingAcker();
    taken(of(acker.deliver('a')).pipe(failover<string, never>([() => EMPTY])));
    expect((acker.causes.a as Error).message).toBe('All sinks have failed or completed; the value is redelivered.');
  });

  itSettlesOnce(() => failover([through, through]));

  it.each([
    [[], {}, 'Expected `sinks` to be an array of sinks'],
    [[1], {}, 'Expected `sinks[0]` to be a function'],
    [[through], { failures: 0 }, 'Expected `failover.failures` to be a whole number >= 1'],
    [[through], { openMs: 0 }, 'Expected `failover.openMs` to be'],
    [[through], { when: 1 }, 'Expected `when` to be a function'],
    [[through], { monitor: 1 }, 'Expected `monitor` to be a Monitor'],
    [[through], { monitor: null }, 'Expected `monitor` to be a Monitor'],
    [[through], { by: 1 }, 'Expected `failover options` to have only known options ('],
  ])('rejects %p with %p', (sinks, options, message) => {
    const call = () => failover(sinks as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
