import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create, createFileRegistry, type DescMessage, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom, lastValueFrom, map, of, Subject, take, toArray } from 'rxjs';
import { decode, drainOn } from '../../operators/index.js';
import type { RxflumeError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { undici } from '../../src/drivers/undici/index.js';
import { jsonSchema } from '../../src/formats/json-schema/index.js';
import { protobuf } from '../../src/formats/protobuf/index.js';
import { avroSchema, type Registry, registry, type SchemaFormat } from '../../src/registry/index.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { SinkRun } from '../support/sink-run.js';
import { brokers, createTopic, fresh, produceRaw, root } from './support.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'rxflume-registry-'));
let url = '';
let python = '';
let schemas: Registry;
let environment: NodeJS.ProcessEnv = process.env;

/** The registry of this test: in a folder and at a port of its own, since the test kills it. */
async function apicurio(command: string): Promise<void> {
  await run(`${root}scripts/services`, ['registry', command], { env: environment, timeout: 120_000 });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  python = (await run(`${root}scripts/readers`)).stdout.trim();
  const port = await freePort();
  // What was downloaded is shared; all else is its own.
  const shared = join(process.env.RXFLUME_SERVICES_DIR ?? `${root}.services`, 'lib');
  mkdirSync(shared, { recursive: true });
  symlinkSync(shared, join(folder, 'lib'));
  environment = { ...process.env, RXFLUME_SERVICES_DIR: folder, RXFLUME_REGISTRY_PORT: String(port) };
  url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  await apicurio('start');
  schemas = registry({ url, retry: { firstDelayMs: 200, jitter: 0, maxAttempts: 3 }, unknownAgeMs: 0 });
}, 400_000);

afterAll(async () => {
  await apicurio('stop');
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Confluent's Python client: lines in, lines out. */
function confluent(way: 'read' | 'write', kind: string, topic: string, schema: string, lines: readonly string[]) {
  return new Promise<string[]>((resolve, reject) => {
    const child = spawn(python, [`${root}scripts/readers.d/registry.py`, way, kind, url, topic, schema]);
    const timeout = setTimeout(() => child.kill('SIGKILL'), 60_000);
    let [out, errors] = ['', ''];
    child.stdout.on('data', (piece) => {
      out += piece;
    });
    child.stderr.on('data', (piece) => {
      errors += piece;
    });
    child.on('close', (code) => {
      clearTimeout(timeout);
      if (code === 0) resolve(out.split('\n').filter(Boolean));
      else reject(new Error(`registry.py ended with ${code}: ${errors.slice(-2_000)}`));
    });
    child.stdin.end(`${lines.join('\n')}\n`);
  });
}

async function decoded<A>(format: SchemaFormat<A, never>, lines: readonly string[], from = schemas): Promise<A[]> {
  const acker = new RecordingAcker();
  const deliveries = lines.map((line) => acker.deliver(Buffer.from(line, 'base64'), {}, line));
  const values = await lastValueFrom(
    of(...deliveries).pipe(
      decode(from.decoder(format)),
      map(({ value }) => value),
      toArray(),
    ),
  );
  expect(acker.causes).toEqual({});
  return values;
}

/** What the Kafka sink writes, in base64. */
async function encoded<T>(format: SchemaFormat<unknown, T>, topic: string, values: readonly T[]) {
  const kafka = new MemoryKafka({ latencyMs: 0 });
  kafka.createTopic(topic, 1);
  const sink = new SinkRun<T>(kafkaSink<T>(kafka, { topic, encode: schemas.encoder(format) }).write());
  sink.send(...values);
  const deadline = performance.now() + 20_000;
  while (sink.acker.unsettled.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  sink.complete();
  return { causes: sink.acker.causes, lines: kafka.read(topic).map(({ value }) => value?.toString('base64') ?? '') };
}

const V1 = {
  type: 'record',
  name: 'Chat',
  namespace: 'live',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'text', type: 'string' },
  ],
} as const;
const V2 = { ...V1, fields: [...V1.fields, { name: 'lang', type: 'string', default: 'en' }] } as const;
const CHATS = Array.from({ length: 50 }, (_, id) => ({ id, text: `Nachricht ${id} 你好` }));

const field = (name: string, number: number, type: FieldDescriptorProto_Type) => ({
  name,
  number,
  type,
  label: FieldDescriptorProto_Label.OPTIONAL,
});
const file = create(FileDescriptorProtoSchema, {
  name: 'live/chat.proto',
  package: 'live',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Chat',
      field: [field('id', 1, FieldDescriptorProto_Type.INT32), field('text', 2, FieldDescriptorProto_Type.STRING)],
      nestedType: [{ name: 'Inner', field: [field('n', 1, FieldDescriptorProto_Type.INT32)] }],
    },
    { name: 'Other', field: [field('id', 1, FieldDescriptorProto_Type.INT32)] },
  ],
});
const descriptor = Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString('base64');
const descriptors = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
const messageOf = (name: string) => descriptors.getMessage(`live.${name}`) as DescMessage;

const JSON_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Chat',
  type: 'object',
  properties: { id: { type: 'integer' }, text: { type: 'string' } },
  required: ['id', 'text'],
} as const;

describe("values of Confluent's client, with Apicurio as the registry", () => {
  const json = CHATS.map((chat) => JSON.stringify(chat));

  it('Avro, both ways, and an older version as the newer has it', async () => {
    const topic = fresh('avro');
    const old = await confluent('write', 'avro', topic, JSON.stringify(V1), json);
    expect(await decoded(avroSchema(), old)).toEqual(CHATS);
    expect(await decoded(avroSchema(V2), old)).toEqual(CHATS.map((chat) => ({ ...chat, lang: 'en' })));
    const written = await encoded(
      avroSchema(V2),
      topic,
      CHATS.map((chat) => ({ ...chat, lang: 'zh' })),
    );
    expect(written.causes).toEqual({});
    const asOld = await confluent('read', 'avro', topic, JSON.stringify(V1), written.lines);
    expect(asOld.map((line) => JSON.parse(line))).toEqual(CHATS);
    const asNew = await confluent('read', 'avro', topic, JSON.stringify(V2), [...old, ...written.lines]);
    expect(asNew.map((line) => JSON.parse(line).lang)).toEqual([...CHATS.map(() => 'en'), ...CHATS.map(() => 'zh')]);
  }, 60_000);

  it('Protobuf, both ways, and another message of the same file is none of ours', async () => {
    const topic = fresh('proto');
    const lines = await confluent('write', 'protobuf', topic, descriptor, json);
    const format = protobuf(messageOf('Chat'));
    expect(await decoded(format, lines)).toEqual(CHATS.map((chat) => expect.objectContaining(chat)));
    const written = await encoded(format, topic, CHATS as never);
    expect(written.causes).toEqual({});
    const read = await confluent('read', 'protobuf', topic, descriptor, written.lines);
    expect(read.map((line) => ({ id: 0, ...JSON.parse(line) }))).toEqual(CHATS);
    await expect(decoded(protobuf(messageOf('Other')), lines.slice(0, 1))).rejects.toThrow('this one is live.Chat');
  }, 60_000);

  it('JSON Schema, both ways', async () => {
    const topic = fresh('json');
    const lines = await confluent('write', 'json', topic, JSON.stringify(JSON_SCHEMA), json);
    expect(await decoded(jsonSchema(), lines)).toEqual(CHATS);
    const written = await encoded(jsonSchema(JSON_SCHEMA), topic, CHATS);
    expect(written.causes).toEqual({});
    const read = await confluent('read', 'json', topic, JSON.stringify(JSON_SCHEMA), written.lines);
    expect(read.map((line) => JSON.parse(line))).toEqual(CHATS);
  }, 60_000);
});

describe('Apicurio', () => {
  it('rejects an incompatible schema, and the nack says what differs', async () => {
    const topic = fresh('strict');
    expect((await encoded(avroSchema(V1), topic, CHATS.slice(0, 1))).causes).toEqual({});
    await fetch(`${url}/config/${topic}-value`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ compatibility: 'BACKWARD' }),
    });
    const worse = { ...V1, fields: [...V1.fields, { name: 'lang', type: 'string' }] } as const;
    const { causes } = await encoded(avroSchema(worse), topic, [{ id: 1, text: 'a', lang: 'en' }]);
    const [error] = Object.values(causes) as RxflumeError[];
    expect(error).toMatchObject({ code: 'RXF_SCHEMA_REJECTED', retryable: false });
    expect(error?.message).toMatch(/lang/);
  }, 30_000);

  it('answers through undici as through fetch', async () => {
    const topic = fresh('undici');
    const lines = await confluent('write', 'avro', topic, JSON.stringify(V1), [JSON.stringify(CHATS[1])]);
    expect(await decoded(avroSchema(), lines, registry({ url, http: undici() }))).toEqual([CHATS[1]]);
  }, 30_000);

  it('gives values of Kafka their schema, from topic to topic', async () => {
    const [from, to] = [fresh('reg-in'), fresh('reg-out')];
    await createTopic(from, 1);
    await createTopic(to, 1);
    const lines = await confluent(
      'write',
      'avro',
      from,
      JSON.stringify(V1),
      CHATS.map((chat) => JSON.stringify(chat)),
    );
    await produceRaw(
      from,
      lines.map((line) => ({ value: Buffer.from(line, 'base64') })),
    );
    const stop$ = new Subject<void>();
    const source = kafkaSource(kafkajs({ brokers }), { topics: [from], groupId: fresh('reg'), startAt: 'earliest' });
    const sink = kafkaSink(kafkajs({ brokers }), { topic: to, encode: schemas.encoder(avroSchema(V2)) });
    const done = lastValueFrom(source.pipe(drainOn(stop$), decode(schemas.decoder(avroSchema(V2))), sink.write()));
    const copied$ = kafkaSource(kafkajs({ brokers }), { topics: [to], groupId: fresh('reg'), startAt: 'earliest' });
    const copied = await firstValueFrom(
      copied$.pipe(
        map(({ value }) => Buffer.from(value as Uint8Array).toString('base64')),
        take(CHATS.length),
        toArray(),
      ),
    );
    stop$.next();
    await done;
    const read = await confluent('read', 'avro', to, JSON.stringify(V2), copied);
    expect(read.map((line) => JSON.parse(line))).toEqual(CHATS.map((chat) => ({ ...chat, lang: 'en' })));
  }, 90_000);

  it('is killed and comes back: known ids go on, an unknown one waits, and after the attempts it is nacked', async () => {
    const topic = fresh('killed');
    const [line] = await confluent('write', 'avro', topic, JSON.stringify(V1), [JSON.stringify(CHATS[0])]);
    const acker = new RecordingAcker();
    const in$ = new Subject<Delivery<Uint8Array>>();
    const values: unknown[] = [];
    const patient = registry({
      url,
      retry: { firstDelayMs: 500, maxDelayMs: 500, jitter: 0, maxAttempts: 100 },
      unknownAgeMs: 0,
    });
    in$.pipe(decode(patient.decoder(avroSchema()))).subscribe(({ value }) => values.push(value));
    const known = Buffer.from(line as string, 'base64');
    in$.next(acker.deliver(known));
    while (values.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await apicurio('kill');
    in$.next(acker.deliver(known));
    expect(values).toHaveLength(2);

    const impatient = await encoded(avroSchema(V1), fresh('down'), CHATS.slice(0, 1));
    expect(Object.values(impatient.causes)).toEqual([
      expect.objectContaining({ code: 'RXF_REGISTRY_UNREACHABLE', retryable: true }),
    ]);

    // Its memory is gone with it: the first schema that is registered gets the first id again.
    const first = Buffer.from(known);
    first.writeInt32BE(1, 1);
    const isOther = known.readInt32BE(1) !== 1;
    in$.next(acker.deliver(isOther ? first : known));
    in$.next(acker.deliver(known));
    await apicurio('start');
    await encoded(avroSchema(V1), topic, CHATS.slice(0, 1));
    const deadline = performance.now() + 20_000;
    while (values.length < 4 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(values).toEqual([CHATS[0], CHATS[0], CHATS[0], CHATS[0]]);
    expect(acker.nacks).toEqual([]);
  }, 90_000);
});
