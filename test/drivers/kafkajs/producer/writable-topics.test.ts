import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { rejectionFor } from '../../../../src/drivers/kafkajs/producer/producer-answers.js';
import { metadataRequest, type TopicMetadata } from '../../../../src/drivers/kafkajs/producer/producer-requests.js';
import { WritableTopics } from '../../../../src/drivers/kafkajs/producer/writable-topics.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';

const internals = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: 1 << 20 });
const MISSING = 3;
const NO_LEADER = 5;
const DENIED = 29;

function table(answer: (topic: string) => Omit<TopicMetadata, 'topic'>) {
  const asked: (readonly string[])[] = [];
  const topics = new WritableTopics({
    ask: async (names) => {
      asked.push(names);
      return names.map((topic) => ({ topic, ...answer(topic) }));
    },
    errorOf: (code) => internals.createErrorFromCode(code),
    rejection: (topic, error) => rejectionFor(topic, error, { brokers: ['k1:9092'], secrets: [] }),
    maxAgeMs: 60_000,
  });
  return { topics, asked };
}

const led = (...leaders: number[]): Omit<TopicMetadata, 'topic'> => ({
  topicErrorCode: 0,
  partitionMetadata: leaders.map((leader, partitionId) => ({ partitionId, leader })),
});
const wrong = (topicErrorCode: number): Omit<TopicMetadata, 'topic'> => ({ topicErrorCode, partitionMetadata: [] });

describe('what is known of topics that are written to', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is kept apart: a forbidden topic and a partition without a leader concern nobody else', async () => {
    const { topics, asked } = table((topic) => (topic === 'closed' ? wrong(DENIED) : led(1, -1, 2)));
    await Promise.all([topics.look(['a', 'closed']), topics.look(['b'])]);
    expect(asked).toEqual([['a', 'closed', 'b']]);
    expect([topics.known('a'), topics.known('b')]).toEqual([3, 3]);
    expect(topics.known('closed')).toMatchObject({ code: 'RXF_KAFKA_AUTH' });
    expect([0, 1, 2].map((partition) => topics.leaderOf({ topic: 'a', partition }))).toEqual([1, undefined, 2]);
  });

  it('is missing only after several looks, for a while; then it is looked for again', async () => {
    let isThere = false;
    const { topics } = table(() => (isThere ? led(1) : wrong(MISSING)));
    for (const looks of [1, 2]) {
      await topics.look(['t']);
      expect([looks, topics.known('t')]).toEqual([looks, undefined]);
      jest.advanceTimersByTime(250);
    }
    await topics.look(['t']);
    expect(topics.known('t')).toMatchObject({ code: 'RXF_KAFKA_TOPIC_MISSING', retryable: false });
    isThere = true;
    jest.advanceTimersByTime(5_001);
    expect(topics.known('t')).toBeUndefined();
    await topics.look(['t']);
    expect(topics.known('t')).toBe(1);
  });

  it('stays as it was where the broker has nothing to say for the moment', async () => {
    let answer = led(1, 1);
    const { topics } = table(() => answer);
    await topics.look(['t']);
    answer = wrong(NO_LEADER);
    await topics.look(['t']);
    expect(topics.known('t')).toBe(2);
  });

  it('is asked for again when it is old, and nothing waits for that', async () => {
    let answer = led(1);
    const { topics, asked } = table(() => answer);
    await topics.look(['t']);
    answer = led(1, 1);
    jest.advanceTimersByTime(60_001);
    expect([topics.known('t'), asked.length]).toEqual([1, 1]);
    await topics.look([]);
    expect(topics.known('t')).toBe(2);
  });
});

describe('the request for metadata', () => {
  it.each<[number, readonly string[], string]>([
    [6, ['t'], '00000001' + '000174' + '00'],
    // None at all, where kafkajs asks for all there are.
    [9, [], '00000000' + '00'],
    [1, ['t'], '00000001' + '000174'],
  ])('of a broker that speaks up to version %d names %j', async (version, topics, hex) => {
    const request = metadataRequest(internals, () => version, topics);
    const { buffer } = (await request.request.encode()) as { buffer: Buffer };
    expect([request.request.apiVersion, buffer.toString('hex')]).toEqual([Math.min(6, version), hex]);
  });
});
