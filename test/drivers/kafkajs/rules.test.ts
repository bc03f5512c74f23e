import { describe, expect, it } from '@jest/globals';
import { Assignment, OwnedPartition } from '../../../src/drivers/kafkajs/consumer/assignment.js';
import { retentionOf } from '../../../src/drivers/kafkajs/consumer/log-facts.js';
import { type AskTopics, resolveTopics } from '../../../src/drivers/kafkajs/consumer/topics.js';
import { DriverLog } from '../../../src/drivers/kafkajs/driver-log.js';
import { commitError, connectError, isPassing, reasonOf } from '../../../src/drivers/kafkajs/errors.js';
import { kafkajs } from '../../../src/drivers/kafkajs/index.js';
import type { KafkajsOptions } from '../../../src/drivers/kafkajs/options.js';
import { toBatch } from '../../../src/drivers/kafkajs/records/batch.js';
import type { ForeignRecord } from '../../../src/drivers/kafkajs/records/record.js';
import type { Fetched } from '../../../src/drivers/kafkajs/vendor/link.js';
import { KafkaTrace } from '../../../src/testing/contracts/kafka-trace.js';
import { brokerError, record } from './fake-link.js';

describe('what a topic keeps', () => {
  const settings = (policy: string | null, ms: string | null) =>
    new Map([
      ['cleanup.policy', policy],
      ['retention.ms', ms],
    ]);

  it('is known where it deletes by time', () => {
    expect([retentionOf(settings('delete', '3600000')), retentionOf(settings('compact,delete', '5'))]).toEqual([
      3_600_000, 5,
    ]);
    expect([retentionOf(settings('compact', '5')), retentionOf(settings('delete', '-1'))]).toEqual([
      undefined,
      undefined,
    ]);
    expect([retentionOf(settings(null, null)), retentionOf(new Map())]).toEqual([undefined, undefined]);
  });
});

describe('options', () => {
  const brokers = ['k1:9092'];
  it.each([
    [{ brokers: [] }, 'brokers'],
    [{ brokers: ['::1'] }, 'brokers[0]'],
    [{ brokers: 'k1:9092' }, 'brokers'],
    [{ brokers, clientId: '' }, 'clientId'],
    [{ brokers, tls: 'yes' }, 'tls'],
    [{ brokers, sasl: { mechanism: 'guess' } }, 'sasl.mechanism'],
    [{ brokers, sasl: { mechanism: 'plain', username: 'u' } }, 'sasl.password'],
    [{ brokers, connectTimeoutMs: 0 }, 'connectTimeoutMs'],
    [{ brokers, reconnect: { maxAttempts: -1 } }, 'reconnect.maxAttempts'],
    [{ brokers, reconnect: { often: 1 } }, 'often'],
    [{ brokers, maxBatchBytes: 0 }, 'maxBatchBytes'],
    [{ brokers, conectTimeoutMs: 5 }, 'conectTimeoutMs'],
    [{ brokers, recordDecoder: 'fat' }, 'recordDecoder'],
    [{ brokers, checkCrc: 1 }, 'checkCrc'],
    [{ brokers, recordDecoder: 'kafkajs', checkCrc: true }, 'checkCrc'],
  ])('%j is rejected at the call, by name', (given, name) => {
    expect(() => kafkajs(given as unknown as KafkajsOptions)).toThrow(
      expect.objectContaining({ code: 'RXF_OPTION_INVALID', message: expect.stringContaining(`\`${name}\``) }),
    );
  });

  it('shows no secret in the name or in a rejection', () => {
    const sasl = { mechanism: 'plain', username: 'u', password: 'hunter2' } as const;
    expect(kafkajs({ brokers: ['a:1', 'b:2'], sasl }).name).toBe('kafka a:1,b:2');
    for (const given of [{ brokers: ['u:hunter2@k1:9092'] }, { brokers, sasl: { ...sasl, mechanism: 'hunter' } }]) {
      expect(() => kafkajs(given as KafkajsOptions)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
      );
    }
  });
});

describe('an assignment', () => {
  const at = (offset: number, partition = 0) => ({ topic: 't', partition, offset });
  const fresh = () => new Assignment(3, { generationId: 1, memberId: 'm', partitions: [{ topic: 't', partition: 0 }] });

  it('trap 7: only what is ours and beyond the last commit may be committed', () => {
    const assignment = fresh();
    expect(assignment.committable([at(5), at(5, 1)])).toEqual([at(5)]);
    assignment.committing([at(5)]);
    expect(assignment.committable([at(5)])).toEqual([]);
    expect(assignment.committable([at(4)])).toEqual([]);
    expect(assignment.committable([at(6)])).toEqual([at(6)]);
  });

  it('trap 7: a commit that failed may be sent again, one that was overtaken takes nothing back', () => {
    const assignment = fresh();
    const undo = assignment.committing([at(5)]);
    undo([at(5)]);
    expect(assignment.committable([at(5)])).toEqual([at(5)]);
    const late = assignment.committing([at(5)]);
    assignment.committing([at(9)]);
    late([at(5)]);
    expect(assignment.committable([at(6)])).toEqual([]);
  });

  it('trap 7: after a seek back, where it went to and what is read again may be committed', () => {
    const assignment = fresh();
    assignment.committing([at(9)]);
    assignment.seek(at(4));
    expect(assignment.committable([at(3), at(4), at(6)])).toEqual([at(4), at(6)]);
  });

  it('an end that is under way becomes a harder one, never a softer', async () => {
    const assignment = fresh();
    assignment.end({ kind: 'rebalance' });
    expect([assignment.isOver, assignment.isGone]).toEqual([true, false]);
    assignment.end({ kind: 'stale' });
    assignment.end({ kind: 'rebalance' });
    expect([assignment.isGone, assignment.reason?.kind, await assignment.gone]).toEqual([true, 'stale', 'stale']);
  });
});

describe('a batch', () => {
  const owned = new OwnedPartition({ topic: 't', partition: 2 }, 7);
  const fetched = (
    records: ForeignRecord[],
    nextOffset: number,
    aborted: Fetched['abortedTransactions'] = [],
  ): Fetched => ({
    topic: 't',
    partition: 2,
    errorCode: 0,
    highWatermark: '99',
    abortedTransactions: aborted,
    messages: { records, nextOffset },
  });
  const within = (producerId: string, inTransaction = true) => ({ batchContext: { producerId, inTransaction } });

  it('leaves out what is below the position and goes on after the last batch', () => {
    const batch = toBatch(
      owned,
      11,
      fetched([record(10, 'a'), record(11, 'b'), record(15, 'cc', { key: Buffer.from('k') })], 20),
    );
    expect(batch).toMatchObject({
      topic: 't',
      partition: 2,
      epoch: 7,
      byteLength: 4,
      nextOffset: 20,
      highWatermark: 99,
    });
    expect(
      Array.from(batch?.records ?? [], (one) => [one.offset, String(one.value), one.stream, one.timestamp]),
    ).toEqual([
      [11, 'b', 'kafka:t/2', 5],
      [15, 'cc', 'kafka:t/2', 5],
    ]);
    expect(toBatch(owned, 20, fetched([], -1))).toBeNull();
    expect(() => toBatch(owned, 20, fetched([record(10, 'a')], 20))).toThrow('it ends before 20');
  });

  it('leaves out control records and aborted transactions, interleaved ones too', () => {
    const marker = (offset: number, producerId: string, type: number) =>
      record(offset, '', { key: Buffer.from([0, 0, 0, type]), isControlRecord: true, ...within(producerId) });
    const records = [
      record(0, 'keep', within('9', false)),
      record(1, 'drop', within('1')),
      record(2, 'keep2', within('2')),
      marker(3, '1', 0),
      record(4, 'keep3', within('1')),
      marker(5, '2', 1),
      record(6, 'drop', within('2')),
    ];
    const aborted = [
      { producerId: '2', firstOffset: '6' },
      { producerId: '1', firstOffset: '1' },
    ];
    const batch = toBatch(owned, 0, fetched(records, 7, aborted));
    expect(Array.from(batch?.records ?? [], (one) => String(one.value))).toEqual(['keep', 'keep2', 'keep3']);
  });
});

describe('errors', () => {
  const setting = { brokers: ['a:1', 'b:2'], secrets: ['hunter2'] };
  const named = (name: string, more: object = {}) =>
    Object.assign(new Error('said hunter2'), { name, retriable: false, ...more });
  const wrapped = (cause: unknown) =>
    Object.assign(new Error('Retries'), { name: 'KafkaJSNumberOfRetriesExceeded', retriable: false, cause });

  it.each([
    [named('KafkaJSSASLAuthenticationError'), 'RXF_KAFKA_AUTH', false],
    [wrapped(brokerError('TOPIC_AUTHORIZATION_FAILED', false)), 'RXF_KAFKA_AUTH', false],
    [named('KafkaJSConnectionError', { code: 'CERT_HAS_EXPIRED', retriable: true }), 'RXF_KAFKA_AUTH', false],
    [wrapped(named('KafkaJSConnectionError', { retriable: true })), 'RXF_KAFKA_UNREACHABLE', true],
    [named('KafkaJSGroupCoordinatorNotFound'), 'RXF_KAFKA_UNREACHABLE', true],
    [brokerError('INVALID_SESSION_TIMEOUT', false), 'RXF_KAFKA_PROTOCOL', false],
    [brokerError('INCONSISTENT_GROUP_PROTOCOL', false), 'RXF_KAFKA_PROTOCOL', false],
  ])('%s is %s', (error, code, retryable) => {
    expect(connectError(error, setting)).toMatchObject({ code, retryable, cause: error });
    expect((connectError(error, setting) as Error).message).not.toContain('hunter2');
    expect((connectError(error, setting) as Error).message).toContain(code === 'RXF_KAFKA_PROTOCOL' ? '' : 'a:1, b:2');
  });

  it('a bug stays what it is, and is not tried again', () => {
    const bug = new TypeError('undefined is not a function');
    expect(connectError(bug, setting)).toBe(bug);
    expect(isPassing(bug)).toBe(false);
  });

  it('trap 7: a commit of a generation that has ended may be tried again, one that is forbidden not', () => {
    for (const type of ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']) {
      const error = brokerError(type, false);
      expect(commitError(error, 'g', [])).toMatchObject({
        code: 'RXF_KAFKA_COMMIT',
        retryable: true,
        cause: error,
        details: { type },
      });
    }
    expect(commitError(brokerError('GROUP_AUTHORIZATION_FAILED', false), 'g', [])).toMatchObject({ retryable: false });
  });

  it('the reason is the innermost one', () => {
    expect(reasonOf(wrapped(new Error('Connection error: connect ECONNREFUSED 127.0.0.1:1')))).toBe(
      'connect ECONNREFUSED 127.0.0.1:1',
    );
    expect(reasonOf(undefined)).toBe('undefined');
  });
});

describe('log events', () => {
  it('the same at most once per 10 s, without secrets, and none once silent', () => {
    const trace = new KafkaTrace();
    const logEvents = new DriverLog(trace, ['hunter2']);
    const log = logEvents.logCreator();
    for (let times = 0; times < 100; times += 1) {
      log({
        level: 1,
        log: { message: 'Connection error: connect ECONNREFUSED 1.2.3.4:1 hunter2', broker: '1.2.3.4:1' },
      });
    }
    log({ level: 1, log: { message: 'Response Fetch(key: 1)', error: 'known' } });
    log({ level: 4, log: { message: 'Consumer has joined the group' } });
    log({ level: 1, log: { message: 'Connection timeout', broker: '1.2.3.4:1' } });
    expect(trace.logEvents).toEqual([
      'kafka.trouble A connection failed: connect ECONNREFUSED 1.2.3.4:1 ***. Retrying.',
      'kafka.trouble A connection failed: no answer (1.2.3.4:1). Retrying.',
    ]);
    expect(logEvents.lastFailure).toBe('no answer (1.2.3.4:1)');
    logEvents.silence();
    logEvents.tell('warn', 'x', 'y');
    expect(trace.logEvents).toHaveLength(2);
  });
});

describe('topics', () => {
  const known = [{ topic: 'a.x' }, { topic: 'a.y' }, { topic: '__consumer_offsets', isInternal: true }];
  const errors: Record<string, unknown> = {
    'a.secret': brokerError('TOPIC_AUTHORIZATION_FAILED', false),
    'a.new': brokerError('LEADER_NOT_AVAILABLE'),
    'a.dying': brokerError('UNKNOWN_TOPIC_OR_PARTITION'),
  };
  /** As a broker: what it does not know comes back with that as its error. */
  const ask: AskTopics = async (names) => {
    if (names.length === 0) return [...known, ...Object.entries(errors).map(([topic, error]) => ({ topic, error }))];
    return names.map(
      (topic) =>
        known.find((one) => one.topic === topic) ?? {
          topic,
          error: errors[topic] ?? brokerError('UNKNOWN_TOPIC_OR_PARTITION'),
        },
    );
  };

  it('a pattern takes what matches, whatever its flags, and nothing internal', async () => {
    const pattern = /^a\.|_/g;
    pattern.lastIndex = 3;
    expect(await resolveTopics(pattern, ask)).toEqual(['a.new', 'a.x', 'a.y']);
  });

  it('names those that are not there', async () => {
    const answer = resolveTopics(['a.x', 'nope', 'nope', 'gone'], ask);
    await expect(answer).rejects.toMatchObject({
      code: 'RXF_KAFKA_TOPIC_MISSING',
      details: { topics: ['nope', 'gone'] },
    });
  });

  it('a pattern leaves out what is forbidden or gone, and names it; without a leader it is there', async () => {
    const skipped: string[] = [];
    const names = await resolveTopics(/^a\./, ask, (topic, error) => skipped.push(`${topic} ${String(error)}`));
    expect(names).toEqual(['a.new', 'a.x', 'a.y']);
    expect(skipped).toEqual([
      'a.secret KafkaJSProtocolError: TOPIC_AUTHORIZATION_FAILED',
      'a.dying KafkaJSProtocolError: UNKNOWN_TOPIC_OR_PARTITION',
    ]);
    await expect(resolveTopics(/^a\.(secret|dying)$/, ask)).rejects.toMatchObject({ code: 'RXF_KAFKA_TOPIC_MISSING' });
  });

  it('a topic that was there is looked for again before a pattern goes without it', async () => {
    let looks = 0;
    const late: AskTopics = async () => {
      looks += 1;
      return looks === 1 ? [{ topic: 'a.x' }] : [{ topic: 'a.x' }, { topic: 'a.y' }];
    };
    expect(await resolveTopics(/^a/, late, undefined, ['a.x', 'a.y'])).toEqual(['a.x', 'a.y']);
    looks = Number.NEGATIVE_INFINITY;
    expect(await resolveTopics(/^a/, async () => [{ topic: 'a.x' }], undefined, ['a.x', 'a.y'])).toEqual(['a.x']);
  });

  it('names those that are forbidden, where they were named', async () => {
    await expect(resolveTopics(['a.x', 'a.secret'], ask)).rejects.toMatchObject({
      code: 'RXF_KAFKA_AUTH',
      message: expect.stringContaining('a.secret'),
      details: { topics: ['a.secret'] },
      retryable: false,
    });
    expect(await resolveTopics(['a.new'], ask)).toEqual(['a.new']);
  });

  it('passes on any other failure', async () => {
    const failure = brokerError('TOPIC_AUTHORIZATION_FAILED', false);
    await expect(resolveTopics(['a'], () => Promise.reject(failure))).rejects.toBe(failure);
  });
});
