import { describe, expect, it } from '@jest/globals';
import * as t from 'io-ts';
import { compileAvro } from '../../src/formats/avro-compile.js';
import { avroSchemaOf, type IoTsCodec } from '../../src/formats/avro-schema-of.js';

const of = (codec: IoTsCodec) => {
  const schema = avroSchemaOf(codec, { name: 'R' });
  compileAvro(schema);
  return schema.fields as { name: string; type: unknown; default?: unknown }[];
};
const typeOf = (codec: IoTsCodec) => of(t.type({ a: codec as t.Mixed }))[0]?.type;

describe('avroSchemaOf', () => {
  it.each<[IoTsCodec, unknown]>([
    [t.string, 'string'],
    [t.number, 'double'],
    [t.Int, 'long'],
    [t.bigint, 'long'],
    [t.boolean, 'boolean'],
    [t.brand(t.string, (_): _ is t.Branded<string, { readonly B: symbol }> => true, 'B'), 'string'],
    [t.readonlyArray(t.string), { type: 'array', items: 'string' }],
    [t.record(t.string, t.Int), { type: 'map', values: 'long' }],
    [t.keyof({ en: null, zh: null }), { type: 'enum', name: 'R_a', symbols: ['en', 'zh'] }],
    [t.keyof({ 'en-GB': null }), 'string'],
    [t.union([t.literal('x'), t.literal('y')]), { type: 'enum', name: 'R_a', symbols: ['x', 'y'] }],
    [t.union([t.literal(1), t.literal(2)]), 'long'],
    [t.union([t.string, t.null]), ['null', 'string']],
    [t.union([t.string, t.undefined, t.Int]), ['null', 'string', 'long']],
    [t.exact(t.type({ b: t.string })), { type: 'record', name: 'R_a', fields: [{ name: 'b', type: 'string' }] }],
  ])('of %p', (codec, expected) => expect(typeOf(codec)).toEqual(expected));

  it('of an object with fields that may be absent', () => {
    const codec = t.intersection([t.type({ id: t.Int }), t.partial({ text: t.string, by: t.type({ n: t.string }) })]);
    expect(of(codec)).toEqual([
      { name: 'id', type: 'long' },
      { name: 'text', type: ['null', 'string'], default: null },
      {
        name: 'by',
        type: ['null', { type: 'record', name: 'R_by', fields: [{ name: 'n', type: 'string' }] }],
        default: null,
      },
    ]);
    expect(avroSchemaOf(codec, { name: 'R', namespace: 'a.b' })).toMatchObject({ name: 'R', namespace: 'a.b' });
  });

  it.each<[IoTsCodec, string]>([
    [t.type({ a: t.array(t.unknown) }), '`$.a[]` has no schema in Avro: unknown'],
    [t.type({ 'a-b': t.string }), '`$.a-b` has no schema'],
    [t.intersection([t.type({ a: t.string }), t.type({ a: t.Int })]), '`$.a` has no schema'],
    [t.recursion<unknown>('Tree', () => t.unknown), '`$` has no schema in Avro: Tree'],
    [t.string, 'a codec of an object'],
  ])('rejects what Avro does not have, with its path', (codec, says) => {
    expect(() => avroSchemaOf(codec, { name: 'R' })).toThrow(says);
  });
});
