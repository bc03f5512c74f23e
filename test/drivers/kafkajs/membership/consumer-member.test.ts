import { afterEach, describe, expect, it } from '@jest/globals';
import { NEVER, of } from 'rxjs';
import type { ConsumerLink } from '../../../../src/drivers/kafkajs/membership/consumer-link.js';
import { ConsumerMember } from '../../../../src/drivers/kafkajs/membership/consumer-member.js';
import { ClassicInstead } from '../../../../src/drivers/kafkajs/membership/group-errors.js';
import type { Heartbeat, HeartbeatAnswer } from '../../../../src/drivers/kafkajs/membership/heartbeat-frame.js';
import type { Membership } from '../../../../src/drivers/kafkajs/vendor/link.js';
import type {
  CommittedOffset,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../../../../src/ports/kafka-consumer.js';
import { sleep, until } from '../../../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../../../src/testing/contracts/kafka-trace.js';
import { brokerError, FakeLink } from '../fake-link.js';
import { homeOf } from '../home.js';

/** A coordinator that answers what the test gives next, and the same as before after that. */
class FakeConsumerLink extends FakeLink {
  readonly beats: Heartbeat[] = [];
  readonly answers: (Partial<HeartbeatAnswer> | Error)[] = [];
  readonly epochs: number[] = [];
  asking: unknown;
  epoch = 0;
  intervalMs = 10;
  topics: readonly string[] = ['t'];
  canMatch = true;
  reason: string | undefined;
  others = 0;
  layouts: (() => void)[] = [];

  asConsumer(): ConsumerLink {
    return this as unknown as ConsumerLink;
  }

  /** What the group gives from the next heartbeat on, in a newer epoch. */
  give(...partitions: number[]): void {
    this.answers.push({ assignment: [{ topicId: 'id-1', partitions }] });
  }

  async beat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    this.beats.push(beat);
    const next = this.answers.shift() ?? {};
    if (next instanceof Error) throw next;
    if (beat.epoch === 0 || next.assignment !== undefined) this.epoch += 1;
    const { epoch, intervalMs } = this;
    return { errorCode: 0, errorMessage: null, memberId: null, epoch, intervalMs, assignment: null, ...next };
  }

  override async commit(membership: Membership, offsets: readonly PartitionOffset[]) {
    this.epochs.push(membership.generationId);
    return super.commit(membership, offsets);
  }

  override async layout(): Promise<string> {
    this.layouts.shift()?.();
    return super.layout();
  }

  async whyNotOffered(): Promise<string | undefined> {
    return this.reason;
  }

  async classicMembers(): Promise<number> {
    return this.others;
  }
}

class PartTrace extends KafkaTrace {
  settleSome: (partitions: readonly TopicPartition[]) => ReturnType<KafkaTrace['settle']> = () => of(undefined);

  added(epoch: number, partitions: readonly TopicPartition[]) {
    this.calls.push(`added ${epoch} ${listed(partitions)}`);
    return this.answer(epoch, partitions);
  }

  override assigned(epoch: number, partitions: readonly TopicPartition[]) {
    this.calls.push(`assigned ${epoch} ${listed(partitions)}`);
    return this.answer(epoch, partitions);
  }

  override revoking(partitions: readonly TopicPartition[] = []) {
    this.calls.push(`revoking ${listed(partitions)}`);
    return this.settleSome(partitions);
  }

  override lost(partitions?: readonly TopicPartition[]): void {
    this.calls.push(partitions === undefined ? 'lost' : `lost ${listed(partitions)}`);
  }
}

function listed(partitions: readonly TopicPartition[]): string {
  return partitions.map(({ partition }) => partition).join(',');
}

const lives: { member: ConsumerMember; done: Promise<unknown> }[] = [];

function live(
  prepare: (link: FakeConsumerLink, trace: PartTrace) => void = (link) => link.give(0, 1),
  given: Partial<KafkaSubscription> = {},
) {
  const link = new FakeConsumerLink();
  const trace = new PartTrace();
  prepare(link, trace);
  const failures: unknown[] = [];
  const home = homeOf(trace, {
    subscription: kafkaSubscription('t', { protocol: 'consumer', revokeTimeoutMs: 300, ...given }),
    failed: (error) => failures.push(error),
  });
  const member = new ConsumerMember(link.asConsumer(), home, null);
  const crash: { error?: unknown } = {};
  const done = member.run().catch((error: unknown) => {
    crash.error = error;
  });
  lives.push({ member, done });
  const called = (call: string) => until(() => trace.calls.includes(call), call, trace);
  return { link, trace, member, failures, crash, called };
}

afterEach(async () => {
  for (const { member, done } of lives.splice(0)) {
    member.close();
    await done;
  }
});

/** What it last said that it owns. */
function ownedSaid({ beats }: FakeConsumerLink): readonly number[] | undefined {
  return beats.findLast(({ owned }) => owned !== null)?.owned?.flatMap(({ partitions }) => partitions);
}

describe('a member by the consumer protocol', () => {
  it('takes what it is given, says that it has it, and reads it', async () => {
    const { link, trace, called } = live();
    await called('assigned 1 0,1');
    await until(() => link.fetches.length === 1, 'a fetch');
    expect(link.fetches[0]?.positions.map(({ partition }) => partition)).toEqual([0, 1]);
    await until(() => ownedSaid(link)?.length === 2, 'what it owns');
    expect(link.beats[0]).toMatchObject({ epoch: 0, owned: [], topics: ['t'] });
    expect(trace.overlaps.seen).toEqual([]);
  });

  it('a revocation settles, commits in the epoch that holds, and only then is said; the rest is read on', async () => {
    let release: () => void = () => undefined;
    const { link, trace, member, called } = live((given, listener) => {
      given.give(0, 1);
      listener.settleSome = () => new Promise<void>((resolve) => (release = resolve));
    });
    await until(() => link.fetches.length === 1, 'a fetch');
    await until(() => ownedSaid(link)?.length === 2, 'what it owns');
    link.give(0);
    await called('revoking 1');
    link.fetches[0]?.answer(1, [7]);
    await until(() => link.fetches.length === 2, 'the next fetch');
    // Nothing more of it is delivered or fetched, and it is still ours to commit.
    expect(trace.offsets(1)).toEqual([]);
    expect(link.fetches[1]?.positions).toEqual([{ topic: 't', partition: 0, offset: 0 }]);
    const before = link.beats.length;
    await until(() => link.beats.length > before, 'a heartbeat meanwhile');
    expect(link.beats.at(-1)?.owned).toBeNull();
    const assignment = member.assignment as NonNullable<typeof member.assignment>;
    await member.commit(assignment, [{ topic: 't', partition: 1, offset: 5 }]);
    expect(link.commits.map(({ offsets }) => offsets)).toEqual([[{ topic: 't', partition: 1, offset: 5 }]]);
    release();
    await called('lost 1');
    await until(() => ownedSaid(link)?.join() === '0', 'what is still owned');
    expect(await member.commit(assignment, [{ topic: 't', partition: 1, offset: 6 }])).toEqual([]);
    expect(link.commits).toHaveLength(1);
    link.fetches[1]?.answer(0, [0]);
    await until(() => trace.offsets(0).length === 1, 'a record of what stays');
    link.give(0, 1);
    await called('added 1 1');
    expect(trace.calls.filter((call) => call.startsWith('assigned'))).toHaveLength(1);
  });

  it('a revocation that is not settled in time goes on without it', async () => {
    const { link, trace, called } = live((given, listener) => {
      given.give(0, 1);
      listener.settleSome = () => NEVER;
    });
    await called('assigned 1 0,1');
    link.give(1);
    await called('lost 0');
    await until(() => ownedSaid(link)?.join() === '1', 'what is still owned');
    expect(trace.logEvents.join()).toContain('kafka.unsettled Settling before a rebalance took more than 300 ms');
  });

  it.each(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'])(
    'after %s all is lost, and it joins at epoch 0',
    async (type) => {
      const { link, trace, called } = live();
      await called('assigned 1 0,1');
      link.answers.push(brokerError(type, false));
      link.give(1);
      await called('assigned 2 1');
      expect(trace.calls).toEqual(['assigned 1 0,1', 'records', 'lost', 'assigned 2 1'].filter((c) => c !== 'records'));
      const rejoin = link.beats.findLast(({ epoch }) => epoch === 0);
      expect(rejoin).toMatchObject({ owned: [], topics: ['t'], memberId: link.beats[0]?.memberId });
    },
  );

  it('a commit in a stale epoch is repeated in the one that the next heartbeat brings', async () => {
    const { link, member, called } = live((given) => {
      given.intervalMs = 60_000;
      given.give(0, 1);
    });
    await called('assigned 1 0,1');
    await until(() => link.beats.length === 2, 'what it owns');
    const assignment = member.assignment as NonNullable<typeof member.assignment>;
    link.commitErrors.push(brokerError('STALE_MEMBER_EPOCH', false));
    link.give(1);
    const offsets: CommittedOffset[] = [
      { topic: 't', partition: 0, offset: 3 },
      { topic: 't', partition: 1, offset: 4 },
    ];
    await member.commit(assignment, offsets);
    expect(link.epochs).toEqual([1, 2]);
  });

  it('a stale epoch in the lookup of offsets never begins at the beginning', async () => {
    let asked = 0;
    const { link, trace, failures } = live((given) => {
      given.give(0);
      given.committed = async () => {
        asked += 1;
        if (asked < 3) throw brokerError('STALE_MEMBER_EPOCH', false);
        return { offsets: [{ topic: 't', partition: 0, offset: 40 }], rejected: [] };
      };
    });
    await until(() => link.fetches.length === 1, 'a fetch');
    expect(link.fetches[0]?.positions).toEqual([{ topic: 't', partition: 0, offset: 40 }]);
    expect([trace.starts, failures, asked]).toEqual([[], [], 3]);
  });

  it('finds a coordinator that has moved, says all of it to the new one, and keeps what it owns', async () => {
    const { link, trace, called } = live();
    await called('assigned 1 0,1');
    await until(() => ownedSaid(link)?.length === 2, 'what it owns');
    link.answers.push(brokerError('NOT_COORDINATOR_FOR_GROUP'));
    await until(() => link.calls.includes('findCoordinator'), 'the coordinator');
    const before = link.beats.length;
    await until(() => link.beats.length > before, 'the next heartbeat');
    expect(link.beats[before]).toMatchObject({ topics: ['t'], rebalanceTimeoutMs: 60_000 });
    expect(link.beats[before]?.owned).toEqual([{ topicId: 'id-1', partitions: [0, 1] }]);
    expect(trace.calls).not.toContain('lost');
  });

  it('crashes where the coordinator stays silent for longer than a session', async () => {
    const { link, crash, called } = live(undefined, { sessionTimeoutMs: 150 });
    await called('assigned 1 0,1');
    link.beat = async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    await called('lost');
    await until(() => crash.error !== undefined, 'the crash');
  });

  it('waits for a static id that is held for a member that is gone', async () => {
    const { link, trace, called } = live(
      (given) => {
        given.answers.push(brokerError('UNRELEASED_INSTANCE_ID'), brokerError('UNRELEASED_INSTANCE_ID'));
        given.give(0);
      },
      { groupInstanceId: 'pod-0' },
    );
    await called('assigned 1 0');
    expect(link.beats.slice(0, 3).map(({ instanceId }) => instanceId)).toEqual(['pod-0', 'pod-0', 'pod-0']);
    expect(trace.logEvents.join()).toContain('still holds `groupInstanceId` pod-0');
  });

  it.each([
    ['UNSUPPORTED_ASSIGNOR', 'group.consumer.assignors'],
    ['FENCED_INSTANCE_ID', 'Give each process an id of its own'],
    ['GROUP_MAX_SIZE_REACHED', 'group.consumer.max.size'],
    ['GROUP_ID_NOT_FOUND', 'members of the classic protocol that the broker does not convert'],
  ])('%s fails and says what to do', async (type, advice) => {
    const { crash } = live((given) => given.answers.push(brokerError(type, false)), { groupInstanceId: 'pod-0' });
    await until(() => crash.error !== undefined, 'the failure');
    expect(crash.error).toMatchObject({ code: 'RXF_KAFKA_GROUP', message: expect.stringContaining(advice) });
  });

  it.each([
    ['the brokers do not offer it', (given: FakeConsumerLink) => (given.reason = 'the brokers do not offer it')],
    ['the group has members of it (2)', (given: FakeConsumerLink) => (given.others = 2)],
    ['UNSUPPORTED_VERSION', (given: FakeConsumerLink) => given.answers.push(brokerError('UNSUPPORTED_VERSION', false))],
  ])('`auto` turns to the classic protocol where %s', async (reason, prepare) => {
    const { crash } = live((given) => void prepare(given), { protocol: 'auto' });
    await until(() => crash.error !== undefined, 'the decision');
    expect(crash.error).toBeInstanceOf(ClassicInstead);
    expect(crash.error).toHaveProperty('message', reason);
  });

  it('`consumer` does not: where it is not offered it fails', async () => {
    const { crash } = live((given) => {
      given.reason = 'the brokers do not offer it';
    });
    await until(() => crash.error !== undefined, 'the failure');
    expect(crash.error).toMatchObject({ code: 'RXF_KAFKA_GROUP', message: expect.stringContaining('do not offer it') });
  });

  it('learns a topic that the group gives before it is known here', async () => {
    const { link, called } = live((given) => {
      given.ids = new Map([['old', 'id-0']]);
      given.layouts.push(() => (given.ids = new Map([['t', 'id-1']])));
      given.give(0);
    });
    await called('assigned 1 0');
    await until(() => ownedSaid(link)?.join() === '0', 'what it owns');
  });

  it('names the topics where the broker matches more than the pattern does', async () => {
    const { link, trace } = live(
      (given) => {
        given.answers.push({ assignment: [{ topicId: 'id-9', partitions: [0] }] });
      },
      { topics: /t/ },
    );
    await until(() => link.beats.some(({ topics }) => topics?.join() === 't'), 'the names', trace, 8_000);
    expect(link.beats[0]).toMatchObject({ pattern: '.*(?:t).*', topics: [] });
    expect(link.beats.find(({ topics }) => topics?.join() === 't')).toMatchObject({ pattern: '' });
  }, 10_000);

  it('a topic that was made again is another: its old position is not gone on from', async () => {
    const { link, failures, called } = live((given, listener) => {
      given.give(0);
      listener.answer = () => of([{ topic: 't', partition: 0, offset: 9 }]);
    });
    await called('assigned 1 0');
    link.ids = new Map([['t', 'id-2']]);
    link.answers.push({ assignment: [{ topicId: 'id-2', partitions: [0] }] });
    await called('lost 0');
    await until(() => failures.length > 0, 'the failure');
    expect(failures[0]).toMatchObject({ code: 'RXF_KAFKA_DATA_LOST' });
  });

  it('leaves with −1', async () => {
    const { link, member, called } = live();
    await called('assigned 1 0,1');
    member.close();
    await sleep(20);
    await member.leave();
    expect(link.beats.at(-1)?.epoch).toBe(-1);
  });
});
