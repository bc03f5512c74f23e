import { describe, expect, it } from '@jest/globals';
import type { HeartbeatAnswer, TopicShare } from '../../../../src/drivers/kafkajs/membership/heartbeat-frame.js';
import { type GroupTopics, Membership } from '../../../../src/drivers/kafkajs/membership/membership.js';

const NOTHING = { instanceId: null, rebalanceTimeoutMs: -1, topics: null, pattern: null, owned: null };
const ALL = { instanceId: 'pod-0', rebalanceTimeoutMs: 60_000, topics: ['chat'] };
const share = (...partitions: number[]): TopicShare[] => [{ topicId: 'id-1', partitions }];

function answerOf(epoch: number, assignment: readonly TopicShare[] | null = null): HeartbeatAnswer {
  return { errorCode: 0, errorMessage: null, memberId: 'm', epoch, intervalMs: 5_000, assignment };
}

function membershipOf(topics: GroupTopics = { topics: ['chat'] }, instanceId: string | null = 'pod-0'): Membership {
  const times = { rebalanceTimeoutMs: 60_000, maxIntervalMs: 5_000, instanceWaitMs: 1_000 };
  const setting = { groupId: 'g', memberId: 'm', instanceId, ...times };
  return new Membership(setting, topics);
}

/** In the group, at epoch 3 and time 0, owning partition 0. */
function joined(instanceId: string | null = 'pod-0'): Membership {
  const membership = membershipOf(undefined, instanceId);
  membership.next();
  membership.answered(answerOf(3, share(0)), -5_000);
  membership.own(share(0));
  membership.next();
  membership.answered(answerOf(3), 0);
  return membership;
}

describe('a member of the consumer protocol', () => {
  it('joins at epoch 0 with all of it, and owns nothing', () => {
    const membership = membershipOf();
    expect(membership.waitMs(0)).toBe(0);
    expect(membership.next()).toEqual({ groupId: 'g', memberId: 'm', epoch: 0, pattern: null, ...ALL, owned: [] });
    expect(membership.waitMs(0)).toBe(Number.POSITIVE_INFINITY);
    expect(membership.answered(answerOf(1, []), 10)).toBe('reconcile');
    expect(membership.given).toEqual([]);
    expect([membership.epoch, membership.waitMs(10), membership.waitMs(210)]).toEqual([1, 500, 300]);
  });

  it('asks often while partitions move, then as often as the broker says, and not less often than it is set to', () => {
    const membership = joined();
    const waitAfter = (ms: number, answer: HeartbeatAnswer) => {
      membership.next();
      membership.answered(answer, ms);
      return membership.waitMs(ms);
    };
    expect(waitAfter(0, answerOf(3))).toBe(5_000);
    expect(waitAfter(5_000, answerOf(4))).toBe(500);
    expect(waitAfter(9_999, answerOf(4))).toBe(500);
    expect(waitAfter(10_000, answerOf(4))).toBe(5_000);
    expect(waitAfter(10_000, { ...answerOf(4), intervalMs: 60_000 })).toBe(5_000);
    expect(waitAfter(10_000, { ...answerOf(4), intervalMs: 300 })).toBe(300);
  });

  it('then says only what has changed, at once, and nothing at the interval', () => {
    const membership = joined();
    expect(membership.waitMs(0)).toBe(5_000);
    expect(membership.next()).toMatchObject({ epoch: 3, ...NOTHING });
    expect(membership.answered(answerOf(4, share(0, 1)), 0)).toBe('reconcile');
    membership.own(share(0, 1));
    expect(membership.waitMs(0)).toBe(0);
    expect(membership.next()).toMatchObject({ epoch: 4, ...NOTHING, owned: share(0, 1) });
    membership.answered(answerOf(4), 0);
    membership.subscribe({ topics: ['chat', 'log'] });
    expect(membership.next()).toMatchObject({ ...NOTHING, topics: ['chat', 'log'] });
    membership.answered(answerOf(4), 5_000);
    membership.subscribe({ topics: ['chat', 'log'] });
    expect(membership.waitMs(5_000)).toBe(5_000);
  });

  it('what changes while a request is under way is said by the next one', () => {
    const membership = joined();
    membership.own([]);
    membership.next();
    membership.own(share(2));
    membership.answered(answerOf(4), 0);
    expect(membership.waitMs(0)).toBe(0);
    expect(membership.next()).toMatchObject({ epoch: 4, owned: share(2) });
  });

  it.each([
    ['', true, 'again'],
    ['GROUP_LOAD_IN_PROGRESS', true, 'again'],
    ['NOT_COORDINATOR_FOR_GROUP', true, 'moved'],
    ['GROUP_COORDINATOR_NOT_AVAILABLE', true, 'moved'],
    ['STALE_MEMBER_EPOCH', true, 'again'],
    ['UNRELEASED_INSTANCE_ID', true, 'again'],
    ['INVALID_REGULAR_EXPRESSION', false, 'names'],
    ['UNSUPPORTED_ASSIGNOR', false, 'fail'],
    ['FENCED_INSTANCE_ID', false, 'fail'],
    ['GROUP_AUTHORIZATION_FAILED', false, 'fail'],
    ['UNSUPPORTED_VERSION', false, 'fail'],
  ])('after %s it keeps its epoch and what it owns, and says all of it again', (error, mayPass, step) => {
    const membership = joined();
    membership.next();
    expect(membership.unanswered(error, mayPass, 1_000)).toBe(step);
    expect(membership.waitMs(1_000)).toBe(100);
    expect(membership.next()).toMatchObject({ epoch: 3, ...ALL, owned: share(0) });
    membership.answered(answerOf(3), 2_000);
    expect(membership.next()).toMatchObject(NOTHING);
  });

  it.each(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'])('after %s it owns nothing and joins at epoch 0', (error) => {
    const membership = joined();
    membership.next();
    expect(membership.unanswered(error, false, 1_000)).toBe('rejoin');
    expect([membership.given, membership.epoch, membership.waitMs(1_000)]).toEqual([undefined, 0, 0]);
    expect(membership.next()).toMatchObject({ epoch: 0, memberId: 'm', ...ALL, owned: [] });
    // A group that does not take us in is not asked without a pause.
    membership.unanswered(error, false, 1_000);
    expect(membership.waitMs(1_000)).toBe(500);
  });

  it('waits longer after each failure, up to half a second', () => {
    const membership = joined();
    const waits = [1, 2, 3, 4, 5].map(() => {
      membership.next();
      membership.unanswered('', true, 0);
      return membership.waitMs(0);
    });
    expect(waits).toEqual([100, 200, 400, 500, 500]);
  });

  it('gives up on a static id that is held for longer than a session', () => {
    const membership = membershipOf();
    const tryAt = (ms: number) => {
      membership.next();
      return membership.unanswered('UNRELEASED_INSTANCE_ID', true, ms);
    };
    expect([tryAt(0), tryAt(1_000), tryAt(1_001)]).toEqual(['again', 'again', 'fail']);
  });

  it('leaves with −1, and with −2 where it is expected back', () => {
    expect(joined(null).leaving()).toMatchObject({ epoch: -1, ...NOTHING });
    expect(joined().leaving()).toMatchObject({ epoch: -2, ...NOTHING, instanceId: 'pod-0' });
  });

  it('takes a pattern back when it names the topics', () => {
    const membership = membershipOf({ pattern: '.*' });
    expect(membership.next()).toMatchObject({ topics: [], pattern: '.*' });
    membership.unanswered('INVALID_REGULAR_EXPRESSION', false, 0);
    membership.subscribe({ topics: ['chat'] });
    expect(membership.next()).toMatchObject({ topics: ['chat'], pattern: '' });
  });

  it('goes on under the id that a broker of version 0 gives it', () => {
    const membership = membershipOf();
    membership.next();
    membership.answered({ ...answerOf(1), memberId: 'other' }, 0);
    expect([membership.memberId, membership.next().memberId]).toEqual(['other', 'other']);
  });
});
