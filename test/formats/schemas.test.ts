import { create, createFileRegistry, type DescMessage, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RxflumeError } from '../../src/core/errors.js';
import { jsonSchema } from '../../src/formats/json-schema/index.js';
import { protobuf } from '../../src/formats/protobuf/index.js';
import { messageFile, messageNames } from '../../src/formats/protobuf/message-names.js';
import type { RegisteredSchema } from '../../src/formats/schema-format.js';
import { Frame, frameHeader, framePrefix } from '../../src/registry/wire-format.js';

/** What a call threw, if it did. */
function thrown(call: () => unknown): RxflumeError | undefined {
  try {
    call();
  } catch (error) {
    return error as RxflumeError;
  }
  return undefined;
}

const field = (name: string, number: number, type: FieldDescriptorProto_Type) => ({
  name,
  number,
  type,
  label: FieldDescriptorProto_Label.OPTIONAL,
});
const INT = FieldDescriptorProto_Type.INT32;
const file = create(FileDescriptorProtoSchema, {
  name: 'a.proto',
  package: 'a.b',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Chat',
      field: [field('id', 1, INT), field('text', 2, FieldDescriptorProto_Type.STRING)],
      nestedType: [{ name: 'Inner', field: [field('n', 1, INT)] }],
    },
    { name: 'Other', field: [field('id', 1, INT)] },
  ],
});
const files = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
const message = (name: string) => protobuf(files.getMessage(name) as DescMessage);
const descriptor: RegisteredSchema = {
  type: 'PROTOBUF',
  schema: Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString('base64'),
  references: [],
};

describe('protobuf', () => {
  const chat = message('a.b.Chat');
  const bytes = Buffer.from('0807120161', 'hex');

  it('reads and writes a message', () => {
    expect(chat(bytes)).toMatchObject({ id: 7, text: 'a' });
    expect(chat.writer?.write({ id: 7, text: 'a' } as never)).toEqual(new Uint8Array(bytes));
    expect(chat.writer?.registered).toEqual(descriptor);
    expect([chat.writer?.recordName, chat.writer?.indexes]).toEqual(['a.b.Chat', [0]]);
    expect(message('a.b.Chat.Inner').writer?.indexes).toEqual([0, 0]);
  });

  it('rejects what is no message, no value, and a value that does not fit', () => {
    expect(thrown(() => chat(Buffer.from('12ff', 'hex')))?.code).toBe('RXF_DECODE_SYNTAX');
    expect(thrown(() => chat(null))?.code).toBe('RXF_DECODE_EMPTY');
    const misfit = thrown(() => chat.writer?.write({ id: 2 ** 40 } as never));
    expect(misfit).toMatchObject({ code: 'RXF_SINK_FORMAT', message: expect.stringContaining('a.b.Chat.id') });
  });

  it('reads only the message whose indexes a value has', () => {
    const read = chat.readerOf(descriptor);
    expect(read(bytes, [0])).toMatchObject({ id: 7 });
    for (const indexes of [[1], [0, 0], [9]]) {
      expect(thrown(() => read(bytes, indexes))?.code).toBe('RXF_DECODE_SCHEMA');
    }
    expect(message('a.b.Chat.Inner').readerOf(descriptor)(Buffer.from('0807', 'hex'), [0, 0])).toMatchObject({ n: 7 });
  });

  it('finds the names of messages in a text', () => {
    const text = `
      // message No { }
      syntax = "proto3"; /* message No { */ package a.b;
      import "message.proto"; option (x) = { message: "{" };
      enum Kind { message = 0; }
      message First {
        option deprecated = true;
        oneof which { string message = 1; int32 n = 2; }
        enum Inside { A = 0; }
        map<string, Deep> many = 3;
        message Deep { message Deeper {} reserved "}"; }
        optional group Result = 4 { int32 x = 1; }
      }
      service S { rpc Get (First) returns (Second) { option (y) = "message X {"; } }
      message Second {}`;
    const found = messageFile(text);
    expect(messageNames(found, [0])).toEqual(['a.b.First']);
    expect(messageNames(found, [1])).toEqual(['a.b.Second']);
    expect(messageNames(found, [2])).toEqual([]);
    // The map's entry counts, or not.
    expect(messageNames(found, [0, 1])).toEqual(['a.b.First.Deep', 'a.b.First.Result']);
    expect(messageNames(found, [0, 0])).toContain('a.b.First.Deep');
    expect(messageNames(found, [0, 0, 0])).toContain('a.b.First.Deep.Deeper');
  });
});

describe('jsonSchema', () => {
  const schema = {
    title: 'Chat',
    type: 'object',
    properties: { ids: { items: { type: 'integer' } } },
    required: ['ids'],
  };

  it('reads what fits, and shows the path of what does not', () => {
    const read = jsonSchema(schema);
    expect(read('{"ids":[1]}')).toEqual({ ids: [1] });
    expect(thrown(() => read('{"ids":[1,"x"]}'))).toMatchObject({
      code: 'RXF_DECODE_SHAPE',
      message: '`$.ids[1]` does not match the schema: it must be integer.',
      details: { path: '$.ids[1]' },
    });
    expect(thrown(() => read('{'))?.code).toBe('RXF_DECODE_SYNTAX');
    expect(read.writer?.recordName).toBe('Chat');
    expect(thrown(() => read.writer?.write({ ids: ['x'] }))?.code).toBe('RXF_SINK_FORMAT');
  });

  it('reads a schema that refers to itself', () => {
    const read = jsonSchema({ $id: 'tree', properties: { next: { $ref: '#' }, id: { type: 'integer' } } });
    expect(read('{"next":{"next":{"id":1}}}')).toEqual({ next: { next: { id: 1 } } });
    expect(thrown(() => read('{"next":{"next":{"id":"x"}}}'))?.details).toEqual({ path: '$.next.next.id' });
  });

  it('takes the draft that the schema says, and no schema that it would have to fetch', () => {
    const newer = { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] };
    expect(thrown(() => jsonSchema(newer)('[1]'))?.details).toEqual({ path: '$[0]' });
    for (const wrong of [
      { $ref: 'http://example.org/a.json' },
      { $schema: 'http://json-schema.org/draft-04/schema#' },
    ]) {
      expect(thrown(() => jsonSchema(wrong))).toMatchObject({ code: 'RXF_OPTION_INVALID' });
    }
  });

  it('holds a value to the schema of the registry, with what it refers to, and to its own', () => {
    const id: RegisteredSchema = { type: 'JSON', schema: '{"type":"integer"}', references: [] };
    const writer: RegisteredSchema = {
      type: 'JSON',
      schema: '{"properties":{"ids":{"items":{"$ref":"id.json"}}}}',
      references: [{ name: 'id.json', schema: id }],
    };
    const twice = { ...writer, references: [...writer.references, { name: 'id.json', schema: id }] };
    expect(jsonSchema().readerOf(twice)(Buffer.from('{"ids":[1]}'), [])).toEqual({ ids: [1] });
    const read = jsonSchema({ required: ['ids'] }).readerOf(writer);
    expect(read(Buffer.from('{"ids":[1]}'), [])).toEqual({ ids: [1] });
    expect(thrown(() => read(Buffer.from('{"ids":["x"]}'), []))?.details).toEqual({ path: '$.ids[0]' });
    expect(thrown(() => read(Buffer.from('{}'), []))?.code).toBe('RXF_DECODE_SHAPE');
    const broken = { ...writer, references: [] };
    expect(thrown(() => jsonSchema().readerOf(broken))?.code).toBe('RXF_DECODE_SCHEMA');
  });
});

describe('the wire format', () => {
  const indexes = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 20 });
  const guid = fc.uuid();
  const id = fc.integer({ min: 0, max: 2 ** 31 - 1 });

  it('is read as it was written', () =>
    fc.assert(
      fc.property(id, fc.option(guid), fc.option(indexes), fc.uint8Array(), (one, other, way, payload) => {
        const frame = new Frame();
        const its = way ?? undefined;
        frame.read(Buffer.concat([framePrefix(one, its), payload]), {}, its !== undefined);
        expect([frame.id, frame.indexes, [...frame.payload]]).toEqual([one, way ?? [0], [...payload]]);
        const header = frameHeader(one, other ?? undefined, its);
        frame.read(Buffer.from(payload), { headerList: [['__value_schema_id', header]] }, its !== undefined);
        const names = other === null ? frame.id : frame.guid;
        expect([names, frame.indexes, [...frame.payload]]).toEqual([other ?? one, way ?? [0], [...payload]]);
      }),
    ));

  it('rejects other bytes with an error of ours, whatever they are', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.option(fc.uint8Array({ maxLength: 40 })), (value, header) => {
        const origin = header === null ? {} : { headers: { __value_schema_id: header } };
        const error = thrown(() => new Frame().read(value, origin, true));
        expect(error === undefined || (error instanceof RxflumeError && error.code.startsWith('RXF_DECODE_'))).toBe(
          true,
        );
      }),
    ));
});
