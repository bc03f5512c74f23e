import { describe, expect, it } from '@jest/globals';
import { EMPTY, type Observable } from 'rxjs';
import { mapValue } from '../../../operators/index.js';
import { OptionError } from '../../../src/core/errors.js';
import { toHeaderMap } from '../../../src/core/headers.js';
import { Monitor } from '../../../src/core/monitor.js';
import { flow } from '../../../src/flow/flow.js';
import type { KafkaProducer, KafkaProducerDriver } from '../../../src/ports/kafka-producer.js';
import { kafkaSink } from '../../../src/sinks/kafka/kafka-sink.js';
import type { KafkaSinkOptions } from '../../../src/sinks/kafka/options.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import type { ProducerFate } from '../../../src/testing/memory/memory-producer.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { copied, copy, feed, numbers } from './copying.js';

function opened<T>(options: Partial<KafkaSinkOptions<T>> = {}, latencyMs = 1) {
  const kafka = new MemoryKafka({ latencyMs });
  kafka.createTopic('copy', 1);
  kafka.createTopic('other', 3);
  const monitor = new Monitor();
  const run = new SinkRun(kafkaSink<T>(kafka, { topic: 'copy', monitor, ...options }).write(), 'test:s');
  const read = (topic = 'copy') => kafka.read(topic).map(({ value }) => value?.toString() ?? null);
  return { kafka, monitor, read, ...run };
}

describe('kafkaSink, at least once', () => {
  it('is as drawn: gathers, and acks each batch when it is answered', () => {
    const { acker, send, receipts, read } = opened<string>({ batch: { count: 2, maxWaitMs: 50 } }, 10);
    inVirtualTime((at) => {
      // Opening takes 10 ms, and each batch 10 ms more.
      at(0, () => send('a', 'b', 'c', 'd', 'e'));
      at(19, () => expect([read(), acker.acks]).toEqual([[], []]));
      at(21, () => expect(acker.acks).toEqual(['a', 'b', 'c', 'd']));
      at(49, () => expect(read()).toEqual(['a', 'b', 'c', 'd']));
      at(61, () => expect(acker.acks).toEqual(['a', 'b', 'c', 'd', 'e']));
    });
    expect(receipts).toEqual([
      { sink: 'kafka', target: 'copy', values: 2, bytes: 2, stream: 'test:s', firstOffset: 0, lastOffset: 1 },
      { sink: 'kafka', target: 'copy', values: 2, bytes: 2, stream: 'test:s', firstOffset: 2, lastOffset: 3 },
      { sink: 'kafka', target: 'copy', values: 1, bytes: 1, stream: 'test:s', firstOffset: 4, lastOffset: 4 },
    ]);
  });

  it('sends before a batch is too large, and at once when the source asks', () => {
    const { acker, send, read } = opened<string>({ batch: { bytes: 5, maxWaitMs: 1_000 } });
    inVirtualTime((at) => {
      at(0, () => send('abc', 'de', 'f'));
      at(5, () => expect(read()).toEqual(['abc', 'de']));
      at(6, () => acker.flush$.next('release'));
      at(9, () => expect(read()).toEqual(['abc', 'de', 'f']));
    });
  });

  it("keeps a record's key, headers and time, where nothing else is said", () => {
    const { kafka, acker, put } = opened<string | null>();
    const headers = { h: Buffer.from('1') };
    inVirtualTime(() => {
      put('a', { key: Buffer.from('k'), headers, timestamp: 123 });
      put(null, { timestamp: -1 }, acker, 'tombstone');
    });
    const shown = kafka
      .read('copy')
      .map(({ key, value, headers: kept, timestamp }) => [key?.toString(), value?.toString(), kept, timestamp]);
    expect(shown).toEqual([
      ['k', 'a', headers, 123],
      [undefined, undefined, {}, 0],
    ]);
    expect(acker.acks).toEqual(['a', 'tombstone']);
  });

  it('keeps the order of headers, repeated names and nulls, and takes both forms from `headers`', () => {
    const headerList = [
      ['trace', Buffer.from('1')],
      ['user', null],
      ['trace', Buffer.from('')],
    ] as const;
    const forms = [() => headerList, () => ({ trace: [Buffer.from('1'), Buffer.from('')], user: null })] as const;
    for (const headers of [undefined, ...forms]) {
      const { kafka, put } = opened<string>(headers === undefined ? {} : { headers });
      inVirtualTime(() => put('a', { headers: toHeaderMap(headerList), headerList }));
      const [kept] = kafka.read('copy');
      expect(kept?.headers).toEqual(toHeaderMap(headerList));
      expect(kept?.headerList.length).toBe(3);
      if (headers !== forms[1]) expect(kept?.headerList).toEqual(headerList);
    }
  });

  it('makes records by what it is given', () => {
    const { kafka, send } = opened<{ n: number }>({
      topic: ({ n }) => (n > 1 ? 'other' : 'copy'),
      encode: (value) => JSON.stringify(value),
      key: ({ n }) => `k${n}`,
      headers: (_, { origin }) => ({ from: Buffer.from(origin.stream) }),
      timestamp: ({ n }) => n * 10,
      partition: ({ n }) => (n > 1 ? 2 : null),
    });
    inVirtualTime(() => send({ n: 1 }, { n: 2 }));
    const shown = ['copy', 'other'].flatMap((topic) =>
      kafka
        .read(topic)
        .map(({ partition, key, value, headers, timestamp }) =>
          [topic, partition, key, value, headers.from, timestamp].join(' '),
        ),
    );
    expect(shown).toEqual(['copy 0 k1 {"n":1} test:s 10', 'other 2 k2 {"n":2} test:s 20']);
  });

  it.each<[string, Partial<KafkaSinkOptions<unknown>>, RegExp]>([
    ['a value that is no bytes', {}, /value must be bytes, a text or null, got `.*`\. Give `encode`/],
    [
      'a function that throws',
      { encode: () => JSON.parse('{') },
      /The encode of kafkaSink threw for test:s offset 0: /,
    ],
    [
      'a topic that is no name',
      { topic: () => '../x', encode: () => '' },
      /`topic` answered `.*x.*`, which is no name/,
    ],
    ['a partition that is no number', { partition: () => -1, encode: () => '' }, /`partition` answered `-1`/],
    [
      'a topic that is a folder',
      { topic: () => '..', encode: () => '' },
      /`topic` answered `"\.\."`, which is no name/,
    ],
    ['half a character', { encode: () => 'ab\ud800' }, /value has an unpaired surrogate/],
    ['a header that is a text', { headers: () => ({ h: 'x' as never }), encode: () => '' }, /Header "h" must be bytes/],
    [
      'a header in a list that is a number',
      { headers: () => [['h', 1 as never]], encode: () => '' },
      /Header "h" must/,
    ],
    ['a key that is no bytes', { key: () => 1 as never, encode: () => '' }, /key must be bytes, a text or null/],
  ])('nacks %s alone', (_, options, message) => {
    const { acker, put, read } = opened<unknown>(options);
    inVirtualTime(() => {
      put({}, {}, acker, 'bad');
    });
    expect(acker.causes.bad).toMatchObject({
      code: 'RXF_SINK_FORMAT',
      retryable: false,
      message: expect.stringMatching(message),
    });
    expect(read()).toEqual([]);
  });

  it.each([Number.NaN, 1.5, 2 ** 60, Number.POSITIVE_INFINITY])('nacks a value alone whose time is %p', (timestamp) => {
    const { acker, put, read } = opened<string>();
    inVirtualTime(() => {
      put('bad', { timestamp });
      put('good', { timestamp: 2 ** 52 });
    });
    expect(acker.causes.bad).toMatchObject({
      code: 'RXF_SINK_FORMAT',
      message: expect.stringContaining('Give `timestamp`'),
    });
    expect([read(), acker.acks]).toEqual([['good'], ['good']]);
  });

  it('nacks what is too large, or has no topic, alone; the rest of its batch is acked first', () => {
    const { acker, send, read, monitor } = opened<string>({
      maxRecordBytes: 100,
      topic: (value) => (value === 'm' ? 'missing' : 'copy'),
    });
    inVirtualTime(() => send('a', 'x'.repeat(101), 'm', 'b'));
    expect(acker.log.filter((line) => !line.startsWith('release'))).toEqual([
      'ack a',
      'ack b',
      `nack ${'x'.repeat(101)}`,
      'nack m',
    ]);
    expect(Object.values(acker.causes)).toMatchObject([
      { code: 'RXF_KAFKA_RECORD_TOO_LARGE', retryable: false },
      { code: 'RXF_SINK_ROUTE', retryable: false, cause: { code: 'RXF_KAFKA_TOPIC_MISSING' } },
    ]);
    expect([read(), monitor.total('rxflume_sink_failures_total')]).toEqual([['a', 'b'], 2]);
  });

  it('writes nothing of an epoch that is over by the time its turn comes, gathered or handed over', () => {
    const { acker, send, read, receipts } = opened<string>({ batch: { count: 2, maxWaitMs: 100 } }, 10);
    inVirtualTime((at) => {
      at(0, () => send('a', 'b', 'c'));
      at(5, () => acker.flush$.complete());
      at(6, () => send('d'));
    });
    expect([read(), acker.acks, acker.unsettled, receipts]).toEqual([[], [], [], []]);
  });

  it('lets no partition wait for one that cannot be written to, which is given up in time', () => {
    const { kafka, acker, put, read } = opened<string>({
      topic: 'other',
      partition: (value) => Number(value[0]),
      batch: { count: 2, maxWaitMs: 10 },
      sendTimeoutMs: 1_000,
    });
    kafka.setLeaderless('other', 1, true);
    const values = Array.from({ length: 30 }, (_, n) => `${n % 3}-${n}`);
    inVirtualTime((at) => {
      for (const [n, value] of values.entries()) at(n, () => put(value));
      at(100, () => {
        expect(acker.acks.sort()).toEqual(values.filter((value) => !value.startsWith('1')).sort());
        expect(read('other').length).toBe(20);
      });
      at(900, () => expect(Object.keys(acker.causes)).toEqual([]));
      at(1_100, () => expect(Object.keys(acker.causes).length).toBe(10));
    });
    expect(Object.values(acker.causes)).toEqual(
      Array(10).fill(expect.objectContaining({ code: 'RXF_KAFKA_SEND', retryable: true })),
    );
    expect(acker.unsettled).toEqual([]);
  });

  it('sends again what was lost, where the cluster is away too, and in the same order', () => {
    const kafka = new MemoryKafka({ recordsPerFetch: 4 });
    kafka.createTopic('chat', 1);
    kafka.createTopic('copy', 1);
    const fates: ProducerFate[] = ['fail', 'ok', 'ok', 'fail', 'lose'];
    kafka.fate = () => fates.shift() ?? 'ok';
    let run: ReturnType<typeof copy> | undefined;
    inVirtualTime((at) => {
      run = copy(kafka, { level: 'at-least-once', sink: { batch: { count: 4 } } });
      feed(kafka, 0, 20);
      at(5_000, () => run?.stop());
    });
    expect(run?.ended).toBe('complete');
    const firsts = copied(kafka).filter((n, index, all) => all.indexOf(n) === index);
    expect([firsts, kafka.committed('copier', 'chat', 0)]).toEqual([numbers(20), 20]);
    expect(run?.codes()).toEqual(expect.arrayContaining(['RXF_KAFKA_UNREACHABLE', 'RXF_KAFKA_SEND']));
  });

  it.each<[string, () => Observable<KafkaProducer>, string]>([
    [
      'throws',
      () => {
        throw new OptionError('RXF_OPTION_INVALID', 'no zstd here');
      },
      'RXF_OPTION_INVALID',
    ],
    ['ends without a producer', () => EMPTY, 'RXF_KAFKA_LOST'],
  ])('lets nothing wait for a driver that %s, and opens anew', (_, failing, code) => {
    const kafka = new MemoryKafka();
    kafka.createTopic('copy');
    let opens = 0;
    const driver: KafkaProducerDriver = {
      name: 'kafka failing',
      open: (producing, listener) => {
        opens += 1;
        return opens <= 2 ? failing() : kafka.open(producing, listener);
      },
    };
    const { acker, put } = new SinkRun<string>(
      kafkaSink<string>(driver, { topic: 'copy', monitor: new Monitor() }).write(),
    );
    inVirtualTime((at) => {
      for (const [n, value] of ['a', 'b', 'c'].entries()) at(n * 100, () => put(value));
    });
    expect([acker.nacks, acker.acks, acker.unsettled]).toEqual([['a', 'b'], ['c'], []]);
    expect(acker.causes.b).toMatchObject({ code });
  });

  it('closes its connection when it is left, and opens one for each subscription', () => {
    const { kafka, leave, send } = opened<string>();
    const verbs: string[] = [];
    kafka.fate = ({ verb }) => {
      verbs.push(verb);
      return 'ok';
    };
    inVirtualTime((at) => {
      at(0, () => send('a'));
      at(100, () => send('b'));
      at(200, () => leave());
    });
    expect(verbs).toEqual(['open', 'send', 'send']);
  });
});

describe('a kafkaSink in a flow', () => {
  const kafka = new MemoryKafka();
  const source = (options = {}) => kafkaSource(kafka, { topics: ['chat'], groupId: 'g', ...options });

  it('may not write to what is read, in the same cluster', () => {
    const loop = expect.objectContaining({
      code: 'RXF_FLOW_LOOP',
      message: expect.stringMatching(/Kafka topic `chat`/),
    });
    const to = (driver: MemoryKafka) => kafkaSink<Buffer | null>(driver, { topic: 'chat' }).write();
    expect(() => flow('loop', source(), to(kafka))).toThrow(loop);
    expect(() => flow('loop', source({ topics: /^ch/ }), to(kafka))).toThrow(loop);
    expect(flow('mirror', source(), to(new MemoryKafka())).name).toBe('mirror');
  });

  it('nacks a record that a function of the value sends there', () => {
    const loops = new MemoryKafka();
    loops.createTopic('chat', 1);
    loops.produce('chat', 0, ['a']);
    const sink = kafkaSink<Buffer | null>(loops, { topic: () => 'chat', monitor: new Monitor() });
    let error: unknown;
    inVirtualTime(() => {
      flow(
        'loop',
        kafkaSource(loops, { topics: ['chat'], groupId: 'g', monitor: new Monitor() }),
        sink.write(),
      ).subscribe({
        error: (cause: unknown) => {
          error = cause;
        },
      });
    });
    expect(error).toMatchObject({ code: 'RXF_SOURCE_NACKED', cause: { code: 'RXF_SINK_LOOP' } });
    expect(loops.read('chat').length).toBe(1);
  });

  it('is exactly once with its positions, for readers of committed records, and at least once without', () => {
    const sink = kafkaSink<Buffer | null>(kafka, { topic: 'copy' });
    expect(flow('copy', source({ resumeFrom: sink.offsetStore }), sink.write()).guarantee).toEqual({
      level: 'exactly-once',
      because: [
        "kafkaSource can be read again, and resumes from the ledger of the sink the flow ends in (the group's offsets in kafka memory)",
        'a reader must read committed records only (`isolation.level=read_committed`)',
        'dead letters, where `decode` sets any aside, are at least once',
      ],
    });
    expect(
      flow(
        'copy',
        source(),
        mapValue((value) => value),
        sink.write(),
      ).guarantee.level,
    ).toBe('at-least-once');
  });

  it('cannot keep the offsets of another cluster', () => {
    const sink = kafkaSink<Buffer | null>(new MemoryKafka(), { topic: 'copy' });
    expect(() => flow('mirror', source({ resumeFrom: sink.offsetStore }), sink.write())).toThrow(
      /Expected the source of flow `mirror` to read where the sink writes, got memory:\d+ .* Leave `resumeFrom` out/,
    );
  });

  it('says which of its options is wrong, at the call', () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ topic: 'a b' }, /`topic`/],
      [{ encode: 1 }, /`encode` to be a function/],
      [{ batch: { records: 1 } }, /known options \(count, bytes, maxWaitMs\), got `records`/],
      [{ compression: 'brotli' }, /`compression` to be one of 'none'/],
      [{ transaction: { timeoutMs: 500 } }, /`transaction.timeoutMs` to be above `transaction.intervalMs`, got `500`/],
      [{ transaction: { idPrefix: 'a/b' } }, /`transaction.idPrefix`/],
    ];
    for (const [options, message] of wrong) {
      expect(() => kafkaSink(kafka, { topic: 'copy', ...options } as never)).toThrow(OptionError);
      expect(() => kafkaSink(kafka, { topic: 'copy', ...options } as never)).toThrow(message);
    }
    expect(() => kafkaSink({} as never, { topic: 'copy' })).toThrow(/`driver.open` to be a function/);
  });
});
