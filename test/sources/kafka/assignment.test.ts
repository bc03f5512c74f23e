import { describe, expect, it } from '@jest/globals';
import { Assignment } from '../../../src/sources/kafka/assignment.js';
import { uncommitted } from '../../../src/sources/kafka/committer.js';
import { batchOf, partitionOf } from './setting.js';

const resumePoint = { resumeFrom: (() => []) as never, lookup: new Map(), start: 0 };

describe('an assignment', () => {
  it('knows its partitions, and puts a fresh one in the place of an old one', () => {
    const [one, other] = [partitionOf(0).own, partitionOf(0, undefined, 4).own];
    const assignment = new Assignment(7, [one, other]);
    expect([assignment.epoch, [...assignment.partitions]]).toEqual([7, [one, other]]);
    expect(assignment.get({ topic: 'chat', partition: 4 })).toBe(other);
    expect(assignment.get({ topic: 'chat', partition: 5 })).toBeUndefined();
    const fresh = partitionOf(2).own;
    assignment.replace(fresh);
    expect(assignment.get({ topic: 'chat', partition: 3 })).toBe(fresh);
    expect([...assignment.partitions].length).toBe(2);
  });

  it('is settled when all of them are, and counts what is out and what is not committed', () => {
    const [one, other] = [partitionOf(0).own, partitionOf(10, undefined, 4).own];
    const assignment = new Assignment(1, [one, other]);
    expect([assignment.isSettled, assignment.unacked, uncommitted(assignment.partitions)]).toEqual([true, 0, []]);
    one.enqueue(batchOf([0, 1, 2]));
    other.enqueue(batchOf([10]));
    for (const partition of [one, one, one, other]) partition.take();
    expect([assignment.isSettled, assignment.unacked]).toEqual([false, 4]);
    one.ack(0, 3);
    expect([assignment.isSettled, assignment.unacked]).toEqual([false, 1]);
    expect(uncommitted(assignment.partitions)).toEqual([{ topic: 'chat', partition: 3, offset: 3, of: one }]);
    one.committed = 3;
    other.ack(0, 1);
    expect([assignment.isSettled, uncommitted(assignment.partitions).map(({ of }) => of)]).toEqual([true, [other]]);
  });

  it('is awaited while a sink waits for one of them; ends all', () => {
    const [one, other] = [partitionOf(0).own, partitionOf(0, resumePoint, 4).own];
    const assignment = new Assignment(1, [one, other]);
    expect(assignment.isAwaited).toBe(false);
    const waiting = other.resumeTracker?.reached(5).subscribe();
    expect(assignment.isAwaited).toBe(true);
    waiting?.unsubscribe();
    expect(assignment.isAwaited).toBe(false);
    assignment.end();
    expect([one.isOver, other.isOver]).toEqual([true, true]);
  });
});
