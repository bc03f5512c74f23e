import { describe, expect, it } from '@jest/globals';
import { brokerPattern } from '../../../../src/drivers/kafkajs/membership/broker-pattern.js';
import { featuresRequest, readFeatures } from '../../../../src/drivers/kafkajs/membership/features-frame.js';
import {
  type Heartbeat,
  heartbeatBody,
  readHeartbeat,
} from '../../../../src/drivers/kafkajs/membership/heartbeat-frame.js';
import {
  offsetCommitBody,
  offsetFetchBody,
  readOffsetCommit,
  readOffsetFetch,
} from '../../../../src/drivers/kafkajs/membership/offset-frames.js';
import { type Raw, Reader } from '../../../../src/drivers/kafkajs/vendor/wire.js';

/** As kafka-clients 4.2.0 writes them. */
const JAVA = {
  join1: '056c616b65046d2d310000000006706f642d30000000ea60030563686174046c6f6700000100',
  join0: '056c616b65046d2d310000000006706f642d30000000ea60030563686174046c6f67000100',
  regex: '056c616b65046d2d310000000000000000ea60010e2e2a283f3a5e63686174292e2a000100',
  owned: '056c616b65046d2d31000000070000ffffffff000000023244d169611046ca9d9e5412cd554e5f0300000000000000030000',
  answer: '00000000000000046d2d31000000070000138801023244d169611046ca9d9e5412cd554e5f030000000000000003000000',
  unchanged: '00000000000000046d2d310000000700001388ff00',
  fenced: '00000000006e09746f6f206c617465000000000000000000ff00',
  fetch: '02056c616b65046d2d310000000702056368617403000000000000000300000100',
  fetched:
    '0000000002056c616b650205636861740300000000000000000000002affffffff167278666c756d6520656d7074792d66726f6d20343000000000000003ffffffffffffffffffffffff000058000000000000',
  fetchedStale: '0000000002056c616b650100710000',
  commit: '056c616b6500000007046d2d31000205636861740200000003001fffffffffffffffffffff00000000',
  committed: '0000000002056368617402000000030071000000',
  api: '087278666c756d65023100',
  features:
    '00000200440000000100000000000201080000000000000005022a030e67726f75702e76657273696f6e0001000100116d657461646174612e76657273696f6e001d001d00',
} as const;

const TOPIC_ID = 'MkTRaWEQRsqdnlQSzVVOXw';
const SAME: Heartbeat = {
  groupId: 'lake',
  memberId: 'm-1',
  epoch: 7,
  instanceId: null,
  rebalanceTimeoutMs: -1,
  topics: null,
  pattern: null,
  owned: null,
};
const JOIN: Heartbeat = {
  ...SAME,
  epoch: 0,
  instanceId: 'pod-0',
  rebalanceTimeoutMs: 60_000,
  topics: ['chat', 'log'],
  owned: [],
};
const chat = (partition: number) => ({ topic: 'chat', partition });
const asking = { groupId: 'lake', memberId: 'm-1', epoch: 7 };

/** Java writes the body; the empty tagged fields of the header are ours, since kafkajs does not write them. */
function bodyOf(bytes: Buffer): string {
  expect(bytes[0]).toBe(0);
  return bytes.toString('hex', 1);
}

/** The header of an answer of a flexible version is behind the correlation id, and empty. */
function answer(java: string): Reader {
  return new Reader(Buffer.from(`00${java}`, 'hex'));
}

describe('the frames of the consumer protocol, byte for byte as kafka-clients 4.2.0 has them', () => {
  it.each([
    ['join1', 1, JOIN],
    ['join0', 0, JOIN],
    ['regex', 1, { ...JOIN, instanceId: null, topics: [], pattern: '.*(?:^chat).*' }],
    ['owned', 1, { ...SAME, owned: [{ topicId: TOPIC_ID, partitions: [0, 3] }] }],
  ] as const)('writes the heartbeat %s in version %i', (name, version, beat) => {
    expect(bodyOf(heartbeatBody(version, beat))).toBe(JAVA[name]);
  });

  it('reads what a heartbeat brings: an assignment, none, and an error', () => {
    const known = { errorCode: 0, errorMessage: null, memberId: 'm-1', epoch: 7, intervalMs: 5_000 };
    const assignment = [{ topicId: TOPIC_ID, partitions: [0, 3] }];
    expect(readHeartbeat(answer(JAVA.answer))).toEqual({ ...known, assignment });
    expect(readHeartbeat(answer(JAVA.unchanged))).toEqual({ ...known, assignment: null });
    expect(readHeartbeat(answer(JAVA.fenced))).toMatchObject({ errorCode: 110, errorMessage: 'too late' });
  });

  it('a count beyond the end of the bytes throws', () => {
    const cut = Buffer.from(`00${JAVA.answer}`, 'hex').subarray(0, -8);
    expect(() => readHeartbeat(new Reader(cut))).toThrow('out of range');
  });

  it('asks for offsets with the epoch, and reads each with its error and the group with its', () => {
    expect(bodyOf(offsetFetchBody(asking, [chat(0), chat(3)]))).toBe(JAVA.fetch);
    expect(readOffsetFetch(answer(JAVA.fetched))).toEqual({
      errorCode: 0,
      responses: [
        {
          topic: 'chat',
          partitions: [
            { partition: 0, offset: '42', metadata: 'rxflume empty-from 40', errorCode: 0 },
            { partition: 3, offset: '-1', metadata: null, errorCode: 88 },
          ],
        },
      ],
    });
    expect(readOffsetFetch(answer(JAVA.fetchedStale))).toEqual({ errorCode: 113, responses: [] });
  });

  it('commits with the epoch', () => {
    const offsets = [{ ...chat(3), offset: Number.MAX_SAFE_INTEGER }];
    expect(bodyOf(offsetCommitBody(asking, null, offsets))).toBe(JAVA.commit);
    const partitions = [{ partition: 3, errorCode: 113 }];
    expect(readOffsetCommit(answer(JAVA.committed))).toEqual([{ topic: 'chat', partitions }]);
  });

  it('asks which features are switched on', async () => {
    class Encoder {
      bytes: Buffer = Buffer.alloc(0);
      writeBuffer(bytes: Buffer): this {
        this.bytes = bytes;
        return this;
      }
    }
    const { request } = featuresRequest({ load: () => Encoder } as unknown as Raw);
    expect(bodyOf(((await request.encode()) as Encoder).bytes)).toBe(JAVA.api);
    // The header of this answer has no tagged fields.
    const features = readFeatures(new Reader(Buffer.from(JAVA.features, 'hex')));
    expect([...features]).toEqual([
      ['group.version', 1],
      ['metadata.version', 29],
    ]);
  });
});

describe('a pattern for the broker', () => {
  it.each([
    [/^chat-/, '.*(?:^chat-).*'],
    [/chat|log/i, '(?i).*(?:chat|log).*'],
    [/^[a-z]+\.v\d{1,2}$/, '.*(?:^[a-z]+\\.v\\d{1,2}$).*'],
  ])('%s is sent as %s', (pattern, sent) => {
    expect(brokerPattern(pattern)).toBe(sent);
  });

  it.each(['^(?!dlq-)', '(a)\\1', '\\bchat', '[[:alpha:]]', '\\Achat', 'chat\\z', '\\pL', '(?<n>a)', '[^]'])(
    '%s means something else to RE2, or nothing: the topics are named',
    (pattern) => {
      expect(brokerPattern(new RegExp(pattern))).toBeUndefined();
    },
  );
});
