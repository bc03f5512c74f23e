import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Subscriber } from 'rxjs';
import { InFlightWindow } from '../../../src/backpressure/in-flight-window.js';
import { Metric } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { SourceLifecycle } from '../../../src/lifecycle/source-lifecycle.js';
import { Assignment } from '../../../src/sources/kafka/assignment.js';
import { Emitter } from '../../../src/sources/kafka/emitter.js';
import { Partition } from '../../../src/sources/kafka/partition.js';
import { SessionState } from '../../../src/sources/kafka/session-state.js';
import { batchOf } from './setting.js';

function emitting({ count = 100, bytes = 1_000, maxUnacked = 100, partitions = 2 } = {}) {
  const window = new InFlightWindow({ count, bytes });
  const deaf = { acked: () => {}, nacked: () => {}, released: () => {}, awaited: () => {} };
  const all = Array.from(
    { length: partitions },
    (_, partition) => new Partition({ topic: 'chat', partition }, 0, undefined, window, deaf),
  );
  const calls: string[] = [];
  const shown = (verb: string) => (of: readonly { partition: number }[]) =>
    void calls.push(`${verb} ${of.map(({ partition }) => partition).join(' ')}`);
  const lifecycle = { isRunning: true };
  const state = new SessionState(lifecycle as SourceLifecycle);
  state.consumer = { pause: shown('pause'), resume: shown('resume') } as never;
  state.assignment = new Assignment(1, all);
  const out: Delivery<Buffer | null>[] = [];
  const on = { next: (_: Delivery<Buffer | null>) => {} };
  const subscriber = new Subscriber<Delivery<Buffer | null>>({
    next: (delivery: Delivery<Buffer | null>) => {
      out.push(delivery);
      on.next(delivery);
    },
  } as never);
  const heldBack = new Metric();
  const emission = new Emitter(state, subscriber, { window, maxUnacked }, heldBack);
  const names = () => out.map(({ origin, acker }) => `${(acker as Partition).partition}/${origin.offset}`);
  return { all: all as [Partition, Partition], calls, lifecycle, state, out, on, emission, names, heldBack };
}

describe('what waits is emitted', () => {
  it('in turns of an even share of the window, and goes on where it stopped when there is room again', () => {
    const { all, emission, names, out } = emitting({ count: 4 });
    all[0].enqueue(batchOf([0, 1, 2, 3, 4]));
    all[1].enqueue(batchOf([0, 1, 2]));
    expect(emission.run()).toBe(true);
    expect(names()).toEqual(['0/0', '0/1', '1/0', '1/1']);
    expect(emission.run()).toBe(true);
    expect(names().length).toBe(4);
    out[0]?.release();
    emission.run();
    expect(names().slice(4)).toEqual(['0/2']);
    for (const one of out) one.release();
    emission.run();
    // The rest of the turn that had to stop, then the other, then whoever has something left.
    expect(names().slice(5)).toEqual(['0/3', '1/2', '0/4']);
  });

  it('of a large value no more than one in a turn, and of a partition that is alone all', () => {
    const { all, emission, names } = emitting({ count: 100, bytes: 10 });
    all[0].enqueue(batchOf([0, 1, 2], 3, 5));
    emission.run();
    expect(names()).toEqual(['0/0', '0/1']);
    const wide = emitting({ count: 100, bytes: 20 });
    wide.all[0].enqueue(batchOf([0, 1, 2], 3, 6));
    wide.all[1].enqueue(batchOf([0, 1, 2], 3, 6));
    wide.emission.run();
    expect(wide.names()).toEqual(['0/0', '0/1', '1/0', '1/1']);
  });

  it('goes on in an assignment that is shorter than the one before', () => {
    const { all, emission, names, state } = emitting({ count: 4 });
    for (const offset of [0, 1, 2]) all[0].enqueue(batchOf([offset]));
    emission.run();
    state.assignment = new Assignment(2, [all[1]]);
    all[1].enqueue(batchOf([0]));
    emission.run();
    expect(names().at(-1)).toBe('1/0');
  });

  it('whatever others hold: each record before more than a window of those that came later, however little room there is', () => {
    fc.assert(
      fc.property(
        fc.record({
          partitions: fc.integer({ min: 1, max: 6 }),
          count: fc.integer({ min: 1, max: 40 }),
          freed: fc.integer({ min: 1, max: 7 }),
          batch: fc.integer({ min: 1, max: 60 }),
        }),
        ({ partitions, count, freed, batch }) => {
          const { all, emission, out } = emitting({ partitions, count, bytes: 1_000_000, maxUnacked: 1_000_000 });
          const emitted = all.map(() => 0);
          for (const partition of all) {
            for (let first = 0; first < 2_200; first += batch) {
              partition.enqueue(batchOf(Array.from({ length: batch }, (_, at) => first + at)));
            }
          }
          for (let round = 0; round < 300; round += 1) {
            emission.run();
            for (const one of out.splice(0, freed)) {
              const { partition } = one.acker as Partition;
              emitted[partition] = (emitted[partition] ?? 0) + 1;
              one.ack();
            }
          }
          const share = Math.max(1, Math.floor(count / partitions));
          expect(Math.max(...emitted) - Math.min(...emitted)).toBeLessThanOrEqual(share);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('not while nothing is taken, and not from within', () => {
    const { all, emission, names, lifecycle, state, on } = emitting();
    state.isRevoking = true;
    all[0].enqueue(batchOf([0]));
    emission.run();
    expect(names()).toEqual([]);
    state.isRevoking = false;
    const within: boolean[] = [];
    on.next = ({ origin }) => {
      if (origin.offset > 0) return;
      // What comes meanwhile goes out in the same run.
      all[0].enqueue(batchOf([1]));
      within.push(emission.run());
    };
    emission.run();
    expect([within, names()]).toEqual([[false], ['0/0', '0/1']]);
    on.next = () => {
      lifecycle.isRunning = false;
    };
    all[1].enqueue(batchOf([0, 1]));
    emission.run();
    expect(names()).toEqual(['0/0', '0/1', '1/0']);
  });

  it('at most `maxUnacked` of it, whatever is released', () => {
    const { all, emission, names, out } = emitting({ maxUnacked: 3 });
    all[0].enqueue(batchOf([0, 1]));
    all[1].enqueue(batchOf([0, 1, 2]));
    expect(emission.isReplayFull).toBe(false);
    emission.run();
    expect([names(), emission.isReplayFull]).toEqual([['0/0', '0/1', '1/0'], true]);
    for (const one of out) one.release();
    emission.run();
    expect(names().length).toBe(3);
    out[1]?.ack();
    expect(emission.isReplayFull).toBe(true);
    out[0]?.ack();
    emission.run();
    expect(names()).toEqual(['0/0', '0/1', '1/0', '1/1', '1/2']);
  });
});

describe('pauses', () => {
  it('are reported once: what waits, what waits no more, not what is over; and counted', () => {
    const { all, emission, calls, heldBack } = emitting({ partitions: 3 });
    emission.setPauses();
    expect([calls, heldBack.value]).toEqual([[], 0]);
    all[0].enqueue(batchOf([0]));
    all[1].enqueue(batchOf([0]));
    emission.setPauses();
    emission.setPauses();
    expect([calls, heldBack.value, all[0].isPaused]).toEqual([['pause 0 1'], 2, true]);
    all[1].end();
    emission.run();
    emission.setPauses();
    expect([calls, heldBack.value, all[0].isPaused]).toEqual([['pause 0 1', 'resume 0'], 1, false]);
  });

  it('are nothing where no consumer is there yet', () => {
    const { all, emission, state, calls } = emitting();
    state.consumer = undefined as never;
    all[0].enqueue(batchOf([0]));
    emission.setPauses();
    emission.run();
    emission.setPauses();
    expect(calls).toEqual([]);
  });
});
