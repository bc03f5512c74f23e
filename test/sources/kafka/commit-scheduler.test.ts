import { describe, expect, it } from '@jest/globals';
import { CommitScheduler } from '../../../src/sources/kafka/commit-scheduler.js';

describe('when a commit is due', () => {
  it('after so many acks, together, or an interval after the first', () => {
    const schedule = new CommitScheduler(3);
    expect([schedule.acked(0), schedule.acked(1), schedule.acked(1), schedule.acked(1)]).toEqual([
      'nothing',
      'startInterval',
      'nothing',
      'commit',
    ]);
    const slow = new CommitScheduler(3);
    slow.acked(2);
    expect(slow.intervalEnded()).toBe('commit');
    expect(new CommitScheduler(3).intervalEnded()).toBe('nothing');
  });

  it('not while one is under way; what was acked meanwhile is due next', () => {
    const schedule = new CommitScheduler(3);
    schedule.acked(3);
    schedule.started();
    expect([schedule.acked(5), schedule.intervalEnded()]).toEqual(['nothing', 'nothing']);
    expect(schedule.ended('done')).toBe('commit');
    schedule.started();
    expect(schedule.ended('done')).toBe('nothing');
    schedule.acked(3);
    schedule.started();
    schedule.acked(1);
    expect(schedule.ended('done')).toBe('startInterval');
    expect(schedule.acked(1)).toBe('nothing');
    expect(schedule.intervalEnded()).toBe('commit');
    schedule.started();
    schedule.ended('done');
    // The interval is over: the next ack begins another.
    expect(schedule.acked(1)).toBe('startInterval');
  });

  it('an interval after there is something to commit that was not acked', () => {
    const schedule = new CommitScheduler(3);
    expect([schedule.due(), schedule.due()]).toEqual(['startInterval', 'nothing']);
    expect(schedule.intervalEnded()).toBe('commit');
    schedule.started();
    expect(schedule.ended('done')).toBe('nothing');
    expect(schedule.intervalEnded()).toBe('nothing');
  });

  it('again an interval after one that failed, though nothing was acked meanwhile', () => {
    const schedule = new CommitScheduler(3);
    schedule.acked(3);
    schedule.started();
    expect(schedule.ended('retry')).toBe('startInterval');
    expect(schedule.intervalEnded()).toBe('commit');
    schedule.started();
    schedule.acked(2);
    expect(schedule.ended('retry')).toBe('startInterval');
    // What was acked during the one that failed counts on.
    expect(schedule.acked(1)).toBe('commit');
    schedule.started();
    expect(schedule.ended('retry')).toBe('nothing');
  });
});
