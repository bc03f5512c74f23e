import { describe, expect, it } from '@jest/globals';
import { Subscriber } from 'rxjs';
import type { Delivery } from '../../../src/core/delivery.js';
import { Figure } from '../../../src/core/monitor.js';
import { InFlightWindow } from '../../../src/core/window.js';
import { Assignment } from '../../../src/sources/kafka/assignment.js';
import { Emission } from '../../../src/sources/kafka/emission.js';
import { Partition } from '../../../src/sources/kafka/partition.js';
import { batchOf } from './setting.js';

function emitting({ count = 100, maxUnacked = 100, partitions = 2 } = {}) {
  const window = new InFlightWindow({ count, bytes: 1_000 });
  const deaf = { acked: () => {}, nacked: () => {}, released: () => {}, awaited: () => {} };
  const all = Array.from(
    { length: partitions },
    (_, partition) => new Partition({ topic: 'chat', partition }, 0, undefined, window, deaf),
  );
  const calls: string[] = [];
  const shown = (verb: string) => (of: readonly { partition: number }[]) =>
    void calls.push(`${verb} ${of.map(({ partition }) => partition).join(' ')}`);
  const session = {
    consumer: { pause: shown('pause'), resume: shown('resume') } as never,
    assignment: new Assignment(1, all),
    isTaking: true,
  };
  const out: Delivery<Buffer | null>[] = [];
  const on = { next: (_: Delivery<Buffer | null>) => {} };
  const subscriber = new Subscriber<Delivery<Buffer | null>>({
    next: (delivery: Delivery<Buffer | null>) => {
      out.push(delivery);
      on.next(delivery);
    },
  } as never);
  const heldBack = new Figure();
  const emission = new Emission(session, subscriber, { window, maxUnacked }, heldBack);
  const names = () => out.map(({ origin, duty }) => `${(duty as Partition).partition}/${origin.offset}`);
  return { all: all as [Partition, Partition], calls, session, out, on, emission, names, heldBack };
}

describe('what waits is emitted', () => {
  it('one partition after the other, while the window has room, and goes on when it is freed', () => {
    const { all, emission, names, out } = emitting({ count: 3 });
    all[0].enqueue(batchOf([0, 1]));
    all[1].enqueue(batchOf([0, 1]));
    expect(emission.run()).toBe(true);
    expect(names()).toEqual(['0/0', '0/1', '1/0']);
    expect(emission.run()).toBe(true);
    expect(names().length).toBe(3);
    out[0]?.release();
    emission.run();
    expect(names()).toEqual(['0/0', '0/1', '1/0', '1/1']);
  });

  it('not while nothing is taken, and not from within', () => {
    const { all, emission, names, session, on } = emitting();
    session.isTaking = false;
    all[0].enqueue(batchOf([0]));
    emission.run();
    expect(names()).toEqual([]);
    session.isTaking = true;
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
      session.isTaking = false;
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
  it('are told once: of what waits, of what waits no more, not of what is over; and counted', () => {
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
    const { all, emission, session, calls } = emitting();
    session.consumer = undefined as never;
    all[0].enqueue(batchOf([0]));
    emission.setPauses();
    emission.run();
    emission.setPauses();
    expect(calls).toEqual([]);
  });
});
