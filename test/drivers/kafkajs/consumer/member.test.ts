import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { NEVER } from 'rxjs';
import { Member } from '../../../../src/drivers/kafkajs/consumer/member.js';
import { withRecoveryHint } from '../../../../src/sources/kafka/resume.js';
import { sleep, until } from '../../../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../../../src/testing/contracts/kafka-trace.js';
import { brokerError, FakeLink } from '../fake-link.js';
import { homeOf } from '../home.js';

const lives: { member: Member; done: Promise<unknown> }[] = [];

function live(
  link = new FakeLink(),
  trace = new KafkaTrace(),
  given: { sessionTimeoutMs?: number; revokeTimeoutMs?: number } = {},
) {
  const failures: unknown[] = [];
  const member = new Member(
    link.as(),
    homeOf(trace, { subscription: kafkaSubscription('t', given), failed: (error) => failures.push(error) }),
  );
  const crash: { error?: unknown } = {};
  const done = member.run().catch((error: unknown) => {
    crash.error = error;
  });
  lives.push({ member, done });
  return { link, trace, member, failures, crash, done };
}

afterEach(async () => {
  for (const { member, done } of lives.splice(0)) {
    member.close();
    await done;
  }
});

describe('a member of the group', () => {
  it('trap 3: a partition that is not fetched any more does not hold up the others of its broker', async () => {
    const { link, trace, member } = live();
    await until(() => link.fetches.length === 1, 'the first fetch');
    const owned = member.assignment?.partitions[0];
    if (owned !== undefined) owned.isPaused = true;
    link.fetches[0]?.answer(1, [0, 1]);
    await until(() => link.fetches.length === 2, 'the second fetch');
    expect(link.fetches[1]?.positions).toEqual([{ topic: 't', partition: 1, offset: 2 }]);
    expect(trace.offsets(1)).toEqual([0, 1]);
  });

  it('hands over a position that moved without records, once, and asks behind it', async () => {
    const { link, trace } = live();
    await until(() => link.fetches.length === 1, 'the first fetch');
    link.fetches[0]?.answer(0, [], 0, 4);
    await until(() => link.fetches.length === 2, 'the second fetch');
    expect(link.fetches[1]?.positions).toContainEqual({ topic: 't', partition: 0, offset: 4 });
    link.fetches[1]?.answer(0, []);
    await until(() => link.fetches.length === 3, 'the third fetch');
    expect(trace.batches.map(({ partition, records, nextOffset }) => [partition, records.length, nextOffset])).toEqual([
      [0, 0, 4],
    ]);
  });

  it('asks first for what has waited longest: the broker may give the last of a full fetch nothing', async () => {
    const { link } = live();
    await until(() => link.fetches.length === 1, 'the first fetch');
    const order = (fetch: number) => link.fetches[fetch]?.positions.map(({ partition }) => partition);
    expect(order(0)).toEqual([0, 1]);
    link.fetches[0]?.answer(0, [0, 1]);
    await until(() => link.fetches.length === 2, 'the second fetch');
    expect(order(1)).toEqual([1, 0]);
    link.fetches[1]?.answer(1, [0]);
    await until(() => link.fetches.length === 3, 'the third fetch');
    expect(order(2)).toEqual([0, 1]);
  });

  it('trap 4: with everything paused nothing is asked; a resume asks at once', async () => {
    const { link, member } = live();
    await until(() => link.fetches.length === 1, 'the first fetch');
    for (const owned of member.assignment?.partitions ?? []) owned.isPaused = true;
    link.fetches[0]?.answer(0, []);
    await sleep(30);
    expect(link.fetches).toHaveLength(1);
    for (const owned of member.assignment?.partitions ?? []) owned.isPaused = false;
    member.wake();
    await until(() => link.fetches.length === 2, 'the second fetch', undefined, 100);
  });

  it('trap 5: ends when closed while a fetch, an assignment or a revoking is pending', async () => {
    const fetching = live();
    await until(() => fetching.link.fetches.length === 1, 'the fetch');
    const placing = live(new FakeLink(), Object.assign(new KafkaTrace(), { answer: () => NEVER }));
    await until(() => placing.trace.calls.length === 1, 'assigned');
    const revoking = live(new FakeLink(), Object.assign(new KafkaTrace(), { settle: () => NEVER }));
    await until(() => revoking.link.fetches.length === 1, 'the fetch');
    revoking.link.heartbeatErrors.push(brokerError('REBALANCE_IN_PROGRESS'));
    await until(() => revoking.trace.calls.includes('revoking'), 'revoking');
    for (const { member, done, trace } of [fetching, placing, revoking]) {
      member.close();
      await done;
      expect(trace.calls).not.toContain('lost');
    }
  });

  it('says nothing when it is closed while it learns what its topics are', async () => {
    const link = new FakeLink();
    let learnt: (ids: undefined) => void = () => undefined;
    link.topicIds = () =>
      new Promise((resolve) => {
        learnt = resolve;
      });
    const { member, trace, done } = live(link);
    await until(() => link.calls.includes('join'), 'joining');
    await sleep(0);
    member.close();
    learnt(undefined);
    await done;
    expect(trace.calls).toEqual([]);
  });

  it('trap 6: `revoking` is awaited before joining again, its generation still valid, its heartbeats going on', async () => {
    const trace = new KafkaTrace();
    let settle: (value: unknown) => void = () => undefined;
    trace.settle = () =>
      new Promise((resolve) => {
        settle = resolve;
      });
    const { link, member } = live(new FakeLink(), trace);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.heartbeatErrors.push(brokerError('REBALANCE_IN_PROGRESS'));
    await until(() => trace.calls.includes('revoking'), 'revoking');
    const { heartbeats } = link;
    await until(() => link.heartbeats > heartbeats + 1, 'more heartbeats');
    expect(link.calls.filter((call) => call === 'join')).toHaveLength(1);
    expect(member.assignment?.membership.generationId).toBe(1);
    settle(undefined);
    await until(() => trace.epoch === 2, 'the next epoch');
    expect(trace.calls).toEqual(['assigned 1', 'revoking', 'lost', 'assigned 2']);
  });

  it('trap 6: the generation gone while `revoking` is awaited, it is lost at once', async () => {
    const { link, trace } = live(new FakeLink(), Object.assign(new KafkaTrace(), { settle: () => NEVER }));
    await until(() => link.fetches.length === 1, 'the fetch');
    link.heartbeatErrors.push(brokerError('REBALANCE_IN_PROGRESS'), brokerError('UNKNOWN_MEMBER_ID', false));
    await until(() => trace.epoch === 2, 'the next epoch');
    expect(trace.calls).toEqual(['assigned 1', 'revoking', 'lost', 'assigned 2']);
  });

  it('trap 6: a member the group no longer knows is lost without being asked to settle, and joins as a new one', async () => {
    const { link, trace } = live();
    await until(() => link.fetches.length === 1, 'the fetch');
    link.heartbeatErrors.push(brokerError('UNKNOWN_MEMBER_ID', false));
    await until(() => trace.epoch === 2, 'the next epoch');
    expect(trace.calls).toEqual(['assigned 1', 'lost', 'assigned 2']);
    expect(link.memberId).toBeNull();
  });

  it('trap 8: out of range is looked into: a passing state is asked again, a gap fails and skips nothing', async () => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    const { trace, failures } = live(link);
    await until(() => link.fetches.length === 1, 'the first fetch');
    link.fetches[0]?.answer(0, [], 1);
    await until(() => link.fetches.length === 2, 'another try');
    expect(failures).toEqual([]);
    link.log = { first: 40, next: 100 };
    link.fetches[1]?.answer(0, [], 1);
    await until(() => failures.length === 1, 'the failure');
    expect(failures[0]).toMatchObject({
      code: 'RXF_KAFKA_DATA_LOST',
      details: { topic: 't', partition: 0, expected: 0, available: { first: 40, next: 100 } },
    });
    expect(link.commits).toEqual([]);
    expect(trace.batches).toEqual([]);
  });

  it.each([
    ['behind what retention deleted', { first: 40, next: 100 }, 3, /37 offsets were deleted/],
    ['in a topic made anew, at its beginning', { first: 0, next: 7 }, 90, /recreated, or a broker lost its end/],
  ])('trap 8: the way out skips nothing that is there: %s', async (_, log, offset, why) => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    link.offsets = [{ topic: 't', partition: 0, offset }];
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.log = log;
    link.fetches[0]?.answer(0, [], 1);
    await until(() => failures.length === 1, 'the failure');
    const { message } = withRecoveryHint(failures[0], { resumeFrom: undefined, groupId: 'g' }) as Error;
    expect(message).toMatch(why);
    expect(message).toContain('--topic t:0 --reset-offsets --to-earliest --execute');
    expect(message).not.toContain('--to-latest');
  });

  it('asks again though the time of a partition comes between two looks at the clock', async () => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    live(link);
    await until(() => link.fetches.length === 1, 'the first fetch');
    // Each look finds it 60 ms later, and the partition waits for 100.
    const real = performance.now.bind(performance);
    let skewMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => {
      skewMs += 60;
      return real() + skewMs;
    });
    try {
      link.fetches[0]?.answer(0, [], 1);
      await sleep(400);
    } finally {
      clock.mockRestore();
    }
    expect(link.fetches.length).toBeGreaterThan(1);
  });

  it('trap 9: a fetch that fails is tried again, in the same epoch, from the same offset', async () => {
    const { link, trace } = live();
    await until(() => link.fetches.length === 1, 'the first fetch');
    link.fetches[0]?.fail(
      Object.assign(new Error('read ECONNRESET'), { name: 'KafkaJSConnectionError', retriable: true }),
    );
    await until(() => link.fetches.length === 2, 'the second fetch');
    expect(link.fetches[1]?.positions).toEqual(link.fetches[0]?.positions);
    expect(trace.epoch).toBe(1);
  });

  it('trap 9: no heartbeat answered for a session is a crash, and what was owned is lost', async () => {
    const link = new FakeLink();
    const { trace, crash, done } = live(link, new KafkaTrace(), { sessionTimeoutMs: 60 });
    await until(() => link.fetches.length === 1, 'the fetch');
    const rejected = Object.assign(new Error('connect ECONNREFUSED'), {
      name: 'KafkaJSConnectionError',
      retriable: true,
    });
    link.heartbeat = async () => {
      throw rejected;
    };
    await done;
    expect(crash.error).toBe(rejected);
    expect(trace.calls).toEqual(['assigned 1', 'lost']);
  });

  it('trap 9: a coordinator that has moved is found again without losing anything', async () => {
    const { link, trace } = live();
    await until(() => link.fetches.length === 1, 'the fetch');
    link.heartbeatErrors.push(brokerError('NOT_COORDINATOR_FOR_GROUP'));
    await until(() => link.calls.includes('findCoordinator'), 'the new coordinator');
    expect(trace.calls).toEqual(['assigned 1']);
  });

  it('trap 9: a heartbeat without an answer is a failed one', async () => {
    const link = new FakeLink();
    const { done } = live(link, new KafkaTrace(), { sessionTimeoutMs: 60 });
    await until(() => link.fetches.length === 1, 'the fetch');
    link.heartbeat = () => new Promise(() => undefined);
    await done;
    expect(link.calls).toContain('forgetCoordinator');
  });

  it('trap 10: heartbeats go on while nothing is fetched or handed over', async () => {
    const { link, member } = live();
    await until(() => link.fetches.length === 1, 'the fetch');
    for (const owned of member.assignment?.partitions ?? []) owned.isPaused = true;
    link.fetches[0]?.answer(0, []);
    const { heartbeats } = link;
    await until(() => link.heartbeats > heartbeats + 3, 'more heartbeats');
  });

  it('trap 11: a new epoch begins with nothing paused', async () => {
    const { link, trace, member } = live();
    await until(() => link.fetches.length === 1, 'the fetch');
    for (const owned of member.assignment?.partitions ?? []) owned.isPaused = true;
    link.heartbeatErrors.push(brokerError('REBALANCE_IN_PROGRESS'));
    await until(() => trace.epoch === 2 && link.fetches.length === 2, 'the next epoch');
    expect(link.fetches[1]?.positions).toHaveLength(2);
  });

  it('trap 12: what was fetched before a seek, or in an earlier epoch, is dropped', async () => {
    const { link, trace, member } = live();
    await until(() => link.fetches.length === 1, 'the first fetch');
    member.assignment?.seek({ topic: 't', partition: 0, offset: 50 });
    link.fetches[0]?.answer(0, [0, 1, 2]);
    await until(() => link.fetches.length === 2, 'the second fetch');
    expect(link.fetches[1]?.positions[0]).toEqual({ topic: 't', partition: 0, offset: 50 });
    link.heartbeatErrors.push(brokerError('REBALANCE_IN_PROGRESS'));
    await until(() => trace.epoch === 2, 'the next epoch');
    link.fetches[1]?.answer(0, [50, 51]);
    await sleep(20);
    expect(trace.batches).toEqual([]);
  });

  it('each broker has a fetch of its own, and a partition that moves is fetched from its new leader', async () => {
    const link = new FakeLink();
    link.leaders = { 0: 1, 1: 2 };
    live(link);
    await until(() => link.fetches.length === 2, 'two fetches');
    expect(link.fetches.map(({ node, positions }) => [node, positions.map((one) => one.partition)])).toEqual([
      [1, [0]],
      [2, [1]],
    ]);
    link.leaders = { 0: 2, 1: 2 };
    link.fetches[0]?.answer(0, [], 6);
    await until(() => link.calls.includes('refresh'), 'new metadata');
    link.fetches[1]?.answer(1, []);
    await sleep(120);
    link.fetches[2]?.answer(1, []);
    await until(
      () => link.fetches.some(({ node, positions }) => node === 2 && positions.length === 2),
      'both of broker 2',
    );
  });

  it('a partition whose leader moved is fetched there also where another request learnt of it, and no fetch fails', async () => {
    const link = new FakeLink();
    live(link);
    await until(() => link.fetches.length === 1, 'the fetch of both');
    link.leaders = { 0: 1, 1: 2 };
    link.fetches[0]?.answer(0, [0]);
    await until(() => link.fetches.length === 3, 'a fetch of each broker');
    const asked = link.fetches.slice(1).map(({ node, positions }) => [node, positions.map((one) => one.partition)]);
    expect(asked.sort()).toEqual([
      [1, [0]],
      [2, [1]],
    ]);
  });

  it('a partition is fetched from its new leader while the old one hangs, and what that one answers later is dropped', async () => {
    const link = new FakeLink();
    const { trace, member } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch of both');
    link.leaders = { 0: 2, 1: 1 };
    member.wake();
    await until(() => link.fetches.length === 2, 'the fetch of the new leader');
    link.fetches[1]?.answer(0, [0, 1]);
    await until(() => trace.offsets(0).length === 2, 'its records');
    link.fetches[0]?.answer(0, [0, 1, 2]);
    await until(() => link.fetches.length === 4, 'the next fetches');
    expect(trace.offsets(0)).toEqual([0, 1]);
    expect(link.fetches[2]?.positions).toEqual([{ topic: 't', partition: 0, offset: 2 }]);
  });

  it('a topic that stays unknown fails with its name', async () => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    const { failures, member } = live(link);
    await until(() => link.fetches.length === 1, 'the first fetch');
    link.fetches[0]?.answer(0, [], 3);
    await until(() => link.fetches.length === 2, 'another try');
    expect(failures).toEqual([]);
    const [owned] = member.assignment?.partitions ?? [];
    if (owned !== undefined) owned.troubles = 5;
    link.fetches[1]?.answer(0, [], 3);
    await until(() => failures.length === 1, 'the failure');
    expect(failures[0]).toMatchObject({ code: 'RXF_KAFKA_TOPIC_MISSING' });
  });

  it('joins again while the group is in motion, and fails where it never will', async () => {
    const link = new FakeLink();
    link.joinErrors.push(brokerError('UNKNOWN_MEMBER_ID', false), brokerError('REBALANCE_IN_PROGRESS'));
    const { trace } = live(link);
    await until(() => trace.epoch === 1, 'the first epoch');
    const other = new FakeLink();
    other.joinErrors.push(brokerError('INCONSISTENT_GROUP_PROTOCOL', false));
    const { crash, done } = live(other);
    await done;
    expect(crash.error).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL', retryable: false });
  });
});
