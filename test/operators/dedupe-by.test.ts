import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { of, Subject } from 'rxjs';
import { type DedupeByOptions, dedupeBy } from '../../operators/dedupe-by.js';
import { mapValue } from '../../operators/index.js';
import { OptionError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { MemoryKafka, memoryFileSystem } from '../../src/testing/index.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itPassesOnTheAcker, itSettlesOnce } from '../support/operator-laws.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { ackedAfter, drawn, taken } from './marbles.js';

function fed(options: Partial<DedupeByOptions> = {}) {
  const source$ = new Subject<Delivery<string>>();
  const acker = new RecordingAcker();
  const out = taken(source$.pipe(dedupeBy((value) => value[0], { windowMs: 1_000, ...options })));
  const feed = (value: string, from = acker) => {
    source$.next(from.deliver(value));
    return out.values.at(-1) as Delivery<string>;
  };
  return { source$, acker, out, feed, passed: () => out.values.map(({ value }) => value) };
}

describe('dedupeBy', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-a-a-|';
      const result = '  -a-b---a-|';
      const acks = '    --a-ba--a-';
      expectObservable(
        deliveries(values).pipe(
          dedupeBy((x) => x, { windowMs: 6 }),
          ackedAfter(1),
        ),
      ).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(dedupeBy((value) => value, { windowMs: 1 }));

  it('a duplicate is released at once and acked with the first', () => {
    const { feed, acker, passed } = fed();
    const first = feed('a1');
    feed('a2');
    expect([passed(), acker.log]).toEqual([['a1'], ['release a2']]);
    first.release();
    first.ack();
    feed('a3');
    expect(acker.log).toEqual(['release a2', 'release a1', 'ack a1', 'ack a2', 'ack a3']);
  });

  it('a duplicate is nacked with the first, and what is redelivered is let through', () => {
    const { feed, acker, passed } = fed();
    const first = feed('a1');
    feed('a2');
    first.nack('no room');
    expect(acker.causes).toEqual({ a1: 'no room', a2: 'no room' });
    feed('a1').ack();
    feed('a2');
    expect([passed(), acker.log.slice(-2)]).toEqual([
      ['a1', 'a1'],
      ['ack a1', 'ack a2'],
    ]);
  });

  it('forgets the first whose epoch is over, and nacks its duplicates of other streams', () => {
    const { feed, acker, passed } = fed();
    const other = new RecordingAcker('other');
    feed('a1');
    feed('b1').ack();
    feed('a2', other);
    acker.flush$.complete();
    expect(other.causes.a2).toMatchObject({ code: 'RXF_SINK_STOPPED' });
    feed('a1', other);
    feed('b2', other);
    expect(passed()).toEqual(['a1', 'b1', 'a1']);
  });

  it('holds the duplicates where the first is held, also those that come later', () => {
    const { feed, acker } = fed();
    const held: [number, number][] = [];
    Object.assign(acker, { hold: (first: number, next: number) => held.push([first, next]) });
    const first = feed('a1');
    feed('a2');
    first.acker.hold(0, 1);
    feed('a3');
    expect(held).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('remembers for a time, and so many keys', () =>
    inVirtualTime((at) => {
      const { feed, passed } = fed({ windowMs: 10, count: 2 });
      feed('a1');
      feed('b1');
      feed('a2');
      feed('c1');
      feed('b2');
      feed('a3');
      expect(passed()).toEqual(['a1', 'b1', 'c1', 'a3']);
      at(9, () => feed('a4'));
      at(10, () => {
        feed('a5');
        expect(passed()).toEqual(['a1', 'b1', 'c1', 'a3', 'a5']);
      });
    }));

  it('lets through what has no key, and nacks what the key throws for', () => {
    const acker = new RecordingAcker();
    const key = (value: string) => {
      if (value === 'bad') throw new Error('no key');
      return value === 'none' ? null : undefined;
    };
    const all = ['none', 'none', 'x', 'x', 'bad'].map((value) => acker.deliver(value));
    const out = taken(of(...all).pipe(dedupeBy(key, { windowMs: 9 })));
    expect([out.values.length, acker.nacks]).toEqual([4, ['bad']]);
  });

  itPassesOnTheAcker(dedupeBy((value) => value, { windowMs: 5 }));

  it('settles runs of sequence numbers, short and long, each with its own duplicates', () => {
    const { feed, out, acker } = fed();
    for (const name of ['a1', 'b1', 'c1', 'd1', 'a2', 'b2', 'c2', 'd2']) feed(name);
    const own = out.values[0]?.acker as NonNullable<(typeof out.values)[0]>['acker'];
    own.ack(0, 1);
    own.ack(2, 3);
    expect(acker.acks).toEqual(['a1', 'a2', 'c1', 'c2']);
    // Runs that are longer than all that is open: what is outside of them stays.
    own.ack(0, 3);
    expect(acker.acks).toEqual(['a1', 'a2', 'c1', 'c2', 'b1', 'b2']);
    expect(acker.unsettled).toEqual(['d1', 'd2']);
    feed('e1');
    feed('e2');
    own.nack(8, 9, 'no');
    expect(acker.nacks).toEqual(['e1', 'e2']);
    own.ack(1, 4);
    expect(acker.unsettled).toEqual([]);
  });

  it('at the end of an epoch nacks its duplicates, says why, and leaves those of others', () => {
    const [one, other] = [new RecordingAcker('s:1'), new RecordingAcker('s:2')];
    const source$ = new Subject<Delivery<string>>();
    const out = taken(source$.pipe(dedupeBy((value) => value, { windowMs: 1_000 })));
    source$.next(one.deliver('a'));
    source$.next(other.deliver('b'));
    source$.next(other.deliver('a', {}, 'duplicate of a'));
    source$.next(one.deliver('b', {}, 'duplicate of b'));
    one.flush$.complete();
    expect(other.causes['duplicate of a']).toMatchObject({
      code: 'RXF_SINK_STOPPED',
      message: 'The stream of the first value of its key is read again; both are redelivered.',
    });
    expect([one.nacks, other.nacks]).toEqual([[], ['duplicate of a']]);
    out.values[1]?.ack();
    expect([one.acks, other.acks]).toEqual([['duplicate of b'], ['b']]);
    // The key of what is stale is free, that of what is stored is not.
    source$.next(other.deliver('a', {}, 'a again'));
    source$.next(other.deliver('b', {}, 'b again'));
    expect(out.values.length).toBe(3);
    out.unsubscribe();
    expect(other.flush$.observed).toBe(false);
  });

  itSettlesOnce(() => dedupeBy((value) => value, { windowMs: 5 }));

  it('never acks a duplicate before its first, and loses none, however they are settled', () => {
    const step = fc.record({
      key: fc.nat({ max: 2 }),
      settle: fc.option(fc.record({ at: fc.nat({ max: 20 }), isAck: fc.boolean() })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { feed, out, acker } = fed();
        for (const [n, { key, settle }] of steps.entries()) {
          feed(`${'abc'[key]}${n}`);
          if (settle === null || out.values.length === 0) continue;
          const one = out.values[settle.at % out.values.length] as Delivery<string>;
          if (settle.isAck) one.ack();
          else one.nack('no');
        }
        for (const key of 'abc') {
          const isStored = acker.acks.some(
            (name) => name.startsWith(key) && out.values.some(({ value }) => value === name),
          );
          if (acker.acks.some((name) => name.startsWith(key))) expect(isStored).toBe(true);
        }
        for (const one of out.values) one.ack();
        expect(acker.unsettled).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not keep a commit to the ledger waiting for duplicates', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat');
      const fs = memoryFileSystem();
      const monitor = new Monitor();
      const roll = { intervalMs: 60 };
      const lake = fileSink<string>(fs, {
        root: '/lake',
        format: jsonLines(),
        roll,
        chunk: { maxWaitMs: 10 },
        monitor,
      });
      const options = { topics: ['chat'], groupId: 'lake', resumeFrom: lake.offsetStore, monitor };
      const running = taken(
        kafkaSource(kafka, options).pipe(
          mapValue((value) => String(value)),
          dedupeBy((value) => value, { windowMs: 10_000 }),
          lake.write(),
        ),
      );
      at(10, () => kafka.produce('chat', 0, ['a', 'a', 'b', 'a']));
      at(3_000, () => {
        expect(running.values).toMatchObject([{ values: 2 }]);
        expect(kafka.committed('lake', 'chat', 0)).toBe(4);
        running.unsubscribe();
      });
    }));

  it.each([
    [1, { windowMs: 1 }, 'Expected `key` to be a function'],
    [of, {}, 'Expected `windowMs` to be'],
    [of, { windowMs: 1, count: 0 }, 'Expected `count` to be a whole number >= 1'],
    [
      of,
      { windowMs: 1, size: 0 },
      'Expected `dedupeBy options` to have only known options (windowMs, count), got `size`.',
    ],
  ])('rejects %p, %p', (key, options, message) => {
    const call = () => dedupeBy(key as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
