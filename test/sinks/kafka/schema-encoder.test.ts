import { describe, expect, it } from '@jest/globals';
import type { RxflumeError } from '../../../src/core/errors.js';
import { avroSchema, type RegistryEncoderOptions, registry } from '../../../src/registry/index.js';
import { kafkaSink } from '../../../src/sinks/kafka/kafka-sink.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { fakeRegistry } from '../../registry/fake-registry.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

const Chat = { type: 'record', name: 'Chat', namespace: 'a', fields: [{ name: 'id', type: 'long' }] } as const;
interface Chat {
  readonly id: number;
}

function opened(options: RegistryEncoderOptions = {}, topic: string | ((value: Chat) => string) = 'chat') {
  const fake = fakeRegistry();
  const kafka = new MemoryKafka({ latencyMs: 1 });
  for (const name of ['chat', 'other']) kafka.createTopic(name, 1);
  const retry = { maxAttempts: 1 };
  const encode = registry({ url: 'http://r', http: fake.http, retry }).encoder(avroSchema(Chat), options);
  const run = new SinkRun<Chat>(kafkaSink<Chat>(kafka, { topic, encode }).write());
  const hex = (name = 'chat') => kafka.read(name).map(({ value }) => value?.toString('hex') ?? null);
  const cause = (name: string) => run.acker.causes[name] as RxflumeError;
  return { ...fake, ...run, run, kafka, hex, cause };
}

describe('kafkaSink with a schema registry', () => {
  it('registers the schema once, keeps the order, and names the schema before each value', () => {
    const { run, hex, requests } = opened();
    inVirtualTime((at) => {
      at(0, () => run.send({ id: 1 }, { id: 2 }));
      at(100, () => run.send({ id: 3 }));
    });
    expect(hex()).toEqual(['000000000102', '000000000104', '000000000106']);
    expect(requests()).toEqual(['POST /subjects/chat-value/versions']);
    expect(run.acker.acks).toHaveLength(3);
  });

  it.each<[NonNullable<RegistryEncoderOptions['subject']>, string]>([
    ['record', 'a.Chat'],
    ['topic-record', 'chat-a.Chat'],
    [(topic, record) => `${topic}/${record}`, 'chat/a.Chat'],
  ])('takes the subject by %s', (subject, expected) => {
    const { run, requests } = opened({ subject });
    inVirtualTime((at) => at(0, () => run.send({ id: 1 })));
    expect(requests()).toEqual([`POST /subjects/${encodeURIComponent(expected)}/versions`]);
  });

  it('names the schema in the header, in place of the one that came with the value', () => {
    const { run, kafka, guidOf } = opened({ framing: 'header' });
    const headers = { __value_schema_id: Buffer.of(0, 0, 0, 0, 9), trace: Buffer.from('t') };
    inVirtualTime((at) => at(0, () => run.put({ id: 1 }, { headers })));
    const [record] = kafka.read('chat');
    expect(record?.value?.toString('hex')).toBe('02');
    expect(record?.headers).toEqual({
      trace: Buffer.from('t'),
      __value_schema_id: Buffer.concat([Buffer.of(1), Buffer.from(guidOf(1).replaceAll('-', ''), 'hex')]),
    });
  });

  it('drops the header that came with the value where the schema is named before it', () => {
    const { run, kafka } = opened();
    inVirtualTime((at) =>
      at(0, () => run.put({ id: 1 }, { headers: { __value_schema_id: Buffer.of(0, 0, 0, 0, 9) } })),
    );
    expect(kafka.read('chat')[0]?.headers).toEqual({});
  });

  it('finds the schema without registering it, and says what to do where it is not there', () => {
    const { run, cause, requests, add } = opened({ register: false }, ({ id }) => (id === 1 ? 'chat' : 'other'));
    add('other-value', { schema: JSON.stringify(Chat) });
    inVirtualTime((at) => at(0, () => run.send({ id: 1 }, { id: 2 })));
    expect(requests()).toEqual(['POST /subjects/chat-value', 'POST /subjects/other-value']);
    expect(run.acker.acks).toHaveLength(1);
    expect(Object.values(run.acker.causes)).toEqual([
      expect.objectContaining({ code: 'RXF_SCHEMA_REJECTED', message: expect.stringContaining('`register: true`') }),
    ]);
    expect(cause).toBeDefined();
  });

  it('nacks with the difference where the schema is not compatible', () => {
    const { run, http, answer } = opened();
    http.answer = (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname.startsWith('/compatibility')) {
        const messages = ["{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'field id has no default'}"];
        return { status: 200, body: JSON.stringify({ is_compatible: search !== '?verbose=true', messages }) };
      }
      if (request.method !== 'POST') return answer(request);
      return { status: 409, body: JSON.stringify({ error_code: 409, message: 'incompatible' }) };
    };
    inVirtualTime((at) => at(0, () => run.send({ id: 1 })));
    const [error] = Object.values(run.acker.causes) as RxflumeError[];
    expect(error).toMatchObject({ code: 'RXF_SCHEMA_REJECTED', retryable: false });
    expect(error?.message).toMatch(/not compatible.*chat-value: .*field id has no default.*default for a new field/);
  });

  it('nacks a value that does not fit, with its path, and goes on', () => {
    const { run, hex } = opened();
    inVirtualTime((at) => at(0, () => run.send({ id: 1 }, { id: 'x' as never }, { id: 3 })));
    expect(hex()).toEqual(['000000000102', '000000000106']);
    const [error] = Object.values(run.acker.causes) as RxflumeError[];
    expect(error).toMatchObject({ code: 'RXF_SINK_FORMAT', details: { path: '$.id' } });
  });

  it('nacks a value for which a function of the options throws, and says which', () => {
    const subject = () => {
      throw new Error('no idea');
    };
    const { run } = opened({ subject });
    inVirtualTime((at) => at(0, () => run.send({ id: 1 })));
    expect(Object.values(run.acker.causes)).toEqual([
      expect.objectContaining({
        code: 'RXF_SINK_FORMAT',
        message: expect.stringContaining('`subject` of the encoder threw'),
      }),
    ]);
  });

  it('nacks what waits where the registry is down, to be redelivered', () => {
    const { run, http } = opened();
    http.isUp = false;
    inVirtualTime((at) => at(0, () => run.send({ id: 1 })));
    expect(Object.values(run.acker.causes)).toEqual([
      expect.objectContaining({ code: 'RXF_REGISTRY_UNREACHABLE', retryable: true }),
    ]);
  });
});
