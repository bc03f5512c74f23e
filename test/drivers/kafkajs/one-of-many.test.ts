import { afterEach, describe, expect, it } from '@jest/globals';
import { Member } from '../../../src/drivers/kafkajs/consumer/member.js';
import { shareOut } from '../../../src/drivers/kafkajs/consumer/sharing.js';
import { MEANINGS } from '../../../src/drivers/kafkajs/records/read-answers.js';
import { openInternals } from '../../../src/drivers/kafkajs/vendor/patches.js';
import { sleep, until } from '../../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../../src/testing/contracts/kafka-trace.js';
import { brokerError, FakeLink } from './fake-link.js';
import { homeOf } from './home.js';

const internals = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: 1 << 20 });
const lives: { member: Member; done: Promise<unknown> }[] = [];

function live(link: FakeLink, topics: RegExp | readonly string[] = ['t']) {
  const trace = new KafkaTrace();
  const failures: unknown[] = [];
  const member = new Member(
    link.as(),
    homeOf(trace, {
      subscription: kafkaSubscription('t', { topics }),
      nextEpoch: () => link.generation,
      failed: (error) => failures.push(error),
    }),
  );
  const done = member.run().catch((error: unknown) => failures.push(error));
  lives.push({ member, done });
  return { link, trace, member, failures };
}

afterEach(async () => {
  for (const { member, done } of lives.splice(0)) {
    member.close();
    await done;
  }
});

/** Answers what is asked now, and waits on. */
function answered(link: FakeLink): boolean {
  link.fetches.at(-1)?.answerAll();
  return false;
}

const partitionsAsked = (link: FakeLink, fetch: number) =>
  link.fetches[fetch]?.positions.map(({ partition }) => partition);

describe('trouble of one topic or partition is not trouble of all', () => {
  it('a partition without a leader is reported by name while the others are read, and is read once it has one', async () => {
    const link = new FakeLink();
    link.leaders = { 0: -1 };
    link.rejectedBounds = { 0: brokerError('LEADER_NOT_AVAILABLE') };
    const { trace, failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch of the other');
    expect(partitionsAsked(link, 0)).toEqual([1]);
    link.fetches[0]?.answer(1, [0, 1]);
    await until(() => trace.offsets(1).length === 2, 'its records');
    await until(() => trace.logEvents.some((logEvent) => logEvent.includes('kafka:t/0')), 'the notice');
    link.leaders = { 0: 1 };
    link.rejectedBounds = {};
    await until(() => link.fetches.at(-1)?.positions.length === 2 || answered(link), 'both', undefined, 8_000);
    expect(failures).toEqual([]);
  }, 10_000);

  it('a start that cannot be learnt of one partition holds up no other', async () => {
    const link = new FakeLink();
    link.rejectedBounds = { 1: brokerError('UNKNOWN', false) };
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    expect(partitionsAsked(link, 0)).toEqual([0]);
    link.rejectedBounds = {};
    link.fetches[0]?.answerAll();
    await until(() => link.fetches.at(-1)?.positions.length === 2 || answered(link), 'both');
    expect(failures).toEqual([]);
  });

  it.each([
    [29, 'TOPIC_AUTHORIZATION_FAILED'],
    [3, 'is gone'],
  ])('a topic of a pattern that answers %i is left alone with a log event that names it', async (code, said) => {
    const link = new FakeLink();
    link.leaders = { 0: 1, 1: 2 };
    const { trace, failures } = live(link, /^t/);
    await until(() => link.fetches.length === 2, 'two fetches');
    link.fetches[0]?.answer(0, [], code);
    await until(() => trace.logEvents.length > 0, 'the notice');
    expect(trace.logEvents[0]).toContain('kafka.skipped Topic t');
    expect(trace.logEvents[0]).toContain(said);
    link.fetches[1]?.answer(1, [0]);
    await until(() => trace.offsets(1).length === 1, 'a record of another');
    if (code === 3) await until(() => link.calls.includes('layout'), 'a look at what is there');
    expect([failures, trace.readings]).toEqual([[], [false]]);
  });

  it('a topic of a pattern that is gone is left behind at the joining that follows', async () => {
    const link = new FakeLink();
    const { trace, failures } = live(link, /^t/);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.layoutNow = 'u=2';
    link.partitions = [{ topic: 'u', partition: 0 }];
    link.fetches[0]?.answer(0, [], 3);
    await until(() => trace.epoch === 2, 'the next epoch');
    await until(() => link.fetches.at(-1)?.positions[0]?.topic === 'u', 'a fetch of what is there');
    expect(failures).toEqual([]);
  });

  it.each([
    [29, 'RXF_KAFKA_AUTH'],
    [3, 'RXF_KAFKA_TOPIC_MISSING'],
  ])('of a topic that was named, %i fails with its name', async (code, expected) => {
    const link = new FakeLink();
    const { failures, member } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    for (const owned of member.assignment?.partitions ?? []) owned.troubles = 5;
    link.fetches[0]?.answer(0, [], code);
    await until(() => failures.length === 1, 'the failure');
    expect(failures[0]).toMatchObject({
      code: expected,
      message: expect.stringMatching(/\bt\b/),
      details: { topics: ['t'] },
    });
  });

  it('a named topic that metadata no longer has fails with its name, also without an answer to a fetch', async () => {
    const link = new FakeLink();
    const { failures, member } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.leaders = { 0: -1, 1: -1 };
    link.topicErrors = { t: brokerError('UNKNOWN_TOPIC_OR_PARTITION') };
    for (const owned of member.assignment?.partitions ?? []) owned.troubles = 4;
    link.fetches[0]?.answer(0, [], 6);
    await until(() => failures.length > 0, 'the failure', undefined, 8_000);
    expect(failures[0]).toMatchObject({ code: 'RXF_KAFKA_TOPIC_MISSING' });
  }, 10_000);

  it('an answer that no one can act on names the partition', async () => {
    const link = new FakeLink();
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.fetches[0]?.answer(1, [], 87);
    await until(() => failures.length === 1, 'the failure');
    expect(failures[0]).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL', message: expect.stringContaining('kafka:t/1') });
  });

  it('what the broker cannot explain is asked again', async () => {
    const link = new FakeLink();
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.fetches[0]?.answer(0, [], -1);
    await until(
      () => link.fetches.some(({ positions }, at) => at > 0 && positions.length === 2) || answered(link),
      'another',
    );
    expect(failures).toEqual([]);
  });

  it('a passing trouble while an offset out of range is looked into fails nothing', async () => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.rejectedBounds = { 0: brokerError('OFFSET_NOT_AVAILABLE') };
    link.fetches[0]?.answer(0, [], 1);
    await until(() => link.fetches.length === 2, 'another try');
    expect(failures).toEqual([]);
    link.rejectedBounds = {};
    link.log = { first: 40, next: 100 };
    link.fetches[1]?.answer(0, [], 1);
    await until(() => failures.length === 1, 'the gap');
    expect(failures[0]).toMatchObject({ code: 'RXF_KAFKA_DATA_LOST' });
  });

  it.each([
    ['from the position on held nothing', 0, true],
    ['held nothing from a later offset on', 10, false],
    ['says nothing of it', undefined, false],
  ])('a log that begins behind the position, where the group %s', async (_, emptyFrom, isReadOn) => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.log = { first: 40, next: 100 };
    link.offsets = [{ topic: 't', partition: 0, offset: 45, ...(emptyFrom === undefined ? {} : { emptyFrom }) }];
    link.fetches[0]?.answer(0, [], 1);
    await until(() => failures.length > 0 || link.fetches.length === 2, 'what follows');
    if (isReadOn) expect([failures, link.fetches[1]?.positions[0]?.offset]).toEqual([[], 45]);
    else expect(failures).toMatchObject([{ code: 'RXF_KAFKA_DATA_LOST' }]);
  });

  it('a partition that moves to a broker whose others are all paused is fetched there', async () => {
    const link = new FakeLink();
    link.leaders = { 0: 1, 1: 2 };
    const { member } = live(link);
    await until(() => link.fetches.length === 2, 'two fetches');
    for (const owned of member.assignment?.partitions ?? []) owned.isPaused = owned.partition === 1;
    link.fetches[1]?.answerAll();
    link.leaders = { 0: 2, 1: 2 };
    link.fetches[0]?.answer(0, [], 6);
    const isAskedThere = () =>
      link.fetches.slice(2).some(({ node, positions }) => node === 2 && positions[0]?.partition === 0);
    await until(isAskedThere, 'the fetch from the new leader', undefined, 3_000);
  });

  it('a partition without a leader is asked about at a steady pace, however often others change leaders', async () => {
    const link = new FakeLink();
    link.leaders = { 0: -1, 1: 2 };
    live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    for (let times = 0; times < 5; times += 1) {
      link.fetches.at(-1)?.answer(1, [], 6);
      const { length } = link.fetches;
      await until(() => link.fetches.length > length, 'another try');
    }
    const before = link.calls.filter((call) => call === 'refresh').length;
    link.fetches.at(-1)?.answerAll();
    await sleep(500);
    expect(link.calls.filter((call) => call === 'refresh').length - before).toBeLessThanOrEqual(3);
  });

  it('partitions that a look in between had learnt of are still news to the group', async () => {
    const link = new FakeLink();
    const { trace, failures } = live(link, /^t/);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.layoutKnown = 't=3';
    link.layoutNow = 't=3';
    link.fetches[0]?.answer(0, [], 3);
    await until(() => trace.epoch === 2, 'the next epoch');
    expect(failures).toEqual([]);
  });
});

describe('every answer of a broker', () => {
  const { errorCodes } = internals.load('src/protocol/error.js') as {
    errorCodes: { type: string; retriable: boolean }[];
  };

  it('that kafkajs calls retriable is asked again, refreshed or looked into, never final', () => {
    const final = errorCodes
      .filter(({ retriable, type }) => retriable && (MEANINGS[type] ?? 'fatal') === 'fatal')
      .map(({ type }) => type);
    // Of electing leaders, which is no request of ours.
    expect(final).toEqual(['ELECTION_NOT_NEEDED']);
  });

  it('has a meaning by a name that kafkajs knows', () => {
    const known = new Set(errorCodes.map(({ type }) => type));
    expect(Object.keys(MEANINGS).filter((type) => !known.has(type))).toEqual([]);
  });

  it('about metadata, offsets and commits is taken apart by topic and partition', async () => {
    const bad = { partitionErrorCode: 5, partitionId: 2, leader: -1 };
    const good = { partitionErrorCode: 0, partitionId: 0, leader: 1 };
    const answers: [string, object][] = [];
    for (let version = 0; version <= 6; version += 1) {
      answers.push([
        `metadata/v${version}`,
        { topicMetadata: [{ topicErrorCode: 0, topic: 't', partitionMetadata: [good, bad] }] },
      ]);
      answers.push([
        `metadata/v${version}`,
        { topicMetadata: [{ topicErrorCode: 29, topic: 'u', partitionMetadata: [] }] },
      ]);
    }
    const responses = [{ topic: 't', partitions: [{ partition: 0, errorCode: 29 }] }];
    for (const [name, from, to] of [
      ['listOffsets', 0, 3],
      ['offsetFetch', 1, 4],
      ['offsetCommit', 0, 5],
    ] as const)
      for (let version = from; version <= to; version += 1)
        answers.push([`${name}/v${version}`, { responses, errorCode: 0 }]);
    for (const [version, answer] of answers) {
      const { parse } = internals.load(`src/protocol/requests/${version}/response.js`) as {
        parse(data: object): Promise<object>;
      };
      expect(await parse(answer)).toBe(answer);
    }
  });
});

describe('sharing out', () => {
  const partitions: Record<string, number[]> = { x: [0, 1, 2], y: [0, 1], z: [0] };
  const shares = (members: Record<string, string[]>) =>
    Object.fromEntries(
      [
        ...shareOut(
          Object.entries(members).map(([memberId, topics]) => ({ memberId, topics })),
          (topic) => partitions[topic] ?? [],
        ),
      ].map(([id, share]) => [id, { ...share }]),
    );

  it('gives a topic that only some ask for to these, whichever member leads', () => {
    expect(shares({ old: ['x'], new: ['x', 'y'] })).toEqual({ new: { x: [0, 2], y: [0, 1] }, old: { x: [1] } });
    expect(shares({ a: ['z'], b: ['y'], c: [] })).toEqual({ a: { z: [0] }, b: { y: [0, 1] }, c: {} });
  });

  it('is round robin among equals', () => {
    expect(shares({ b: ['x', 'y'], a: ['y', 'x'] })).toEqual({ a: { x: [0, 2], y: [1] }, b: { x: [1], y: [0] } });
  });
});
