import { afterEach, describe, expect, it } from '@jest/globals';
import { Member } from '../../../../src/drivers/kafkajs/consumer/member.js';
import { topicIdsRequest } from '../../../../src/drivers/kafkajs/consumer/topic-ids.js';
import { checkOptions } from '../../../../src/drivers/kafkajs/options.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';
import { until } from '../../../../src/testing/contracts/checking.js';
import { KafkaTrace } from '../../../../src/testing/contracts/kafka-trace.js';
import { brokerError, FakeLink } from '../fake-link.js';
import { homeOf } from '../home.js';

const lives: { member: Member; done: Promise<unknown> }[] = [];

function live(link: FakeLink, metadataMaxAgeMs = 60_000, start?: number, before = new Map<string, string>()) {
  const trace = new KafkaTrace();
  trace.answer = async () => (start === undefined ? [] : [{ topic: 't', partition: 0, offset: start }]);
  const failures: unknown[] = [];
  const options = checkOptions({ brokers: ['k1:9092'], heartbeatIntervalMs: 10, metadataMaxAgeMs });
  const member = new Member(
    link.as(),
    homeOf(trace, {
      options,
      topicIds: before,
      nextEpoch: () => link.generation,
      failed: (error) => {
        failures.push(error);
        member.close();
      },
    }),
  );
  const done = member.run().catch((error: unknown) => failures.push(error));
  lives.push({ member, done });
  return { trace, failures };
}

afterEach(async () => {
  for (const { member, done } of lives.splice(0)) {
    member.close();
    await done;
  }
});

/** Answers what is asked now, and waits on. */
function answered(link: FakeLink, offset: number): boolean {
  link.fetches.at(-1)?.answer(0, [offset]);
  return false;
}

const made = (id: string) => new Map([['t', id]]);
const createdAgain = {
  code: 'RXF_KAFKA_DATA_LOST',
  message: expect.stringMatching(/Topic t was deleted and created again .*id-1.*id-2/),
  details: { topic: 't', before: 'id-1', id: 'id-2' },
};

describe('a topic that is deleted and created again', () => {
  it.each([
    [3, 'its broker did not have it'],
    [6, 'its broker did not lead it'],
  ])(
    'is not read on from the old position after an answer %i (%s)',
    async (code) => {
      const link = new FakeLink();
      const { trace, failures } = live(link);
      await until(() => link.fetches.length === 1, 'the fetch');
      link.ids = made('id-2');
      link.fetches[0]?.answer(0, [], code);
      await until(
        () => failures.length > 0 || (link.fetches.length > 1 && answered(link, 50)),
        'the failure',
        trace,
        8_000,
      );
      expect(failures).toMatchObject([createdAgain]);
      expect(trace.offsets(0)).toEqual([]);
    },
    10_000,
  );

  it('is not read on from the old position after it was away for a while', async () => {
    const link = new FakeLink();
    link.partitions = [{ topic: 't', partition: 0 }];
    const { trace, failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.ids = new Map();
    link.fetches[0]?.answer(0, [], 3);
    await until(() => link.fetches.length === 2, 'the second fetch', trace, 8_000);
    // The leader has the new topic already; who is asked for ids does not.
    link.fetches[1]?.answer(0, [50]);
    await until(() => link.fetches.length === 3, 'the third fetch', trace, 8_000);
    link.ids = made('id-2');
    await until(
      () => failures.length > 0 || trace.offsets(0).length > 0 || answered(link, 51),
      'the failure',
      trace,
      8_000,
    );
    expect([failures, trace.offsets(0)]).toEqual([[expect.objectContaining(createdAgain)], []]);
  }, 10_000);

  it('is found by a look at the topics, where no fetch was out meanwhile', async () => {
    const link = new FakeLink();
    const { failures } = live(link, 20);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.ids = made('id-2');
    await until(() => failures.length > 0, 'the failure');
    expect(failures).toMatchObject([createdAgain]);
  });

  it('is said to be that where the old position is out of its range', async () => {
    const link = new FakeLink();
    const { failures } = live(link);
    await until(() => link.fetches.length === 1, 'the fetch');
    link.ids = made('id-2');
    link.log = { first: 0, next: 0 };
    link.fetches[0]?.answer(0, [], 1);
    await until(() => failures.length > 0, 'the failure');
    expect(failures).toMatchObject([createdAgain]);
  });

  it.each([
    ['a ledger', 40, false],
    ['the group', undefined, true],
  ] as const)('is not resumed from the position of %s after a connection was lost', async (_, start, isCommitted) => {
    const link = new FakeLink();
    link.ids = made('id-2');
    if (isCommitted) link.offsets = [{ topic: 't', partition: 0, offset: 40 }];
    const { failures } = live(link, 60_000, start, made('id-1'));
    await until(() => failures.length > 0, 'the failure');
    expect(failures).toMatchObject([createdAgain]);
    expect(link.fetches.flatMap(({ positions }) => positions.filter(({ offset }) => offset === 40))).toEqual([]);
  });

  it('is read from its first offset at a joining, where no position is kept of it', async () => {
    const link = new FakeLink();
    link.ids = made('id-2');
    const { failures } = live(link, 60_000, undefined, made('id-1'));
    await until(() => link.fetches.length === 1, 'the fetch');
    expect(link.fetches[0]?.positions.map(({ offset }) => offset)).toEqual([0, 0]);
    expect(failures).toEqual([]);
  });
});

describe('a topic that stays what it was', () => {
  it('is read also where the ids cannot be learned at the joining', async () => {
    const link = new FakeLink();
    link.idErrors.push(brokerError('BROKER_NOT_AVAILABLE'));
    const { failures } = live(link, 60_000, 40, made('id-1'));
    await until(() => link.fetches.length === 1, 'the fetch');
    expect([failures, link.fetches[0]?.positions[0]?.offset]).toEqual([[], 40]);
  });

  it.each([
    ['that has ids', made('id-1')],
    ['that has none', undefined],
  ])(
    'is read on after its leader moved, from a broker %s',
    async (_, ids) => {
      const link = new FakeLink();
      link.ids = ids;
      const { trace, failures } = live(link, 20);
      await until(() => link.fetches.length === 1, 'the fetch');
      link.fetches[0]?.answer(0, [], 6);
      await until(() => trace.offsets(0).length > 0 || answered(link, 0), 'a record', trace, 8_000);
      expect([failures, trace.offsets(0)[0]]).toEqual([[], 0]);
    },
    10_000,
  );
});

it('an answer with ids is read to its end, topics with errors left out', async () => {
  const internals = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: 1 << 20 });
  const id = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const int = (value: number) => Buffer.from([0, 0, 0, value]);
  const text = (value: string) => Buffer.from([value.length + 1, ...Buffer.from(value)]);
  const partition = Buffer.concat([
    Buffer.from([0, 0]),
    int(0),
    int(1),
    int(9),
    Buffer.from([2]),
    int(1),
    Buffer.from([2]),
    int(1),
    Buffer.from([1, 0]),
  ]);
  const topic = (error: number, name: string) =>
    Buffer.concat([
      Buffer.from([0, error]),
      text(name),
      id,
      Buffer.from([0, 3]),
      partition,
      partition,
      int(0),
      Buffer.from([0]),
    ]);
  const answer = Buffer.concat([
    Buffer.from([0]),
    int(0),
    Buffer.from([2]),
    int(1),
    text('h'),
    int(92),
    Buffer.from([0, 0]),
    text('cluster'),
    int(1),
    Buffer.from([3]),
    topic(0, 'a'),
    topic(3, 'b'),
    int(0),
    Buffer.from([0]),
  ]);
  const { response } = topicIdsRequest(internals, ['a', 'b']);
  expect(await response.decode(answer)).toEqual(new Map([['a', id.toString('base64url')]]));
});
