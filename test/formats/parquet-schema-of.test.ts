import { describe, expect, it } from '@jest/globals';
import { parquetReadObjects } from 'hyparquet';
import * as t from 'io-ts';
import { firstValueFrom, from } from 'rxjs';
import type { IoTsCodec } from '../../src/formats/io-ts-shape.js';
import { column, parquet, parquetSchemaOf } from '../../src/formats/parquet/index.js';

const shapeOf = (codec: IoTsCodec) => {
  const { a } = parquetSchemaOf(t.type({ a: codec as t.Mixed }));
  return a?.isNullable ? [a.shape, null] : a?.shape;
};

describe('parquetSchemaOf', () => {
  it.each<[IoTsCodec, unknown]>([
    [t.string, { kind: 'string' }],
    [t.number, { kind: 'double' }],
    [t.Int, { kind: 'int64' }],
    [t.bigint, { kind: 'int64' }],
    [t.boolean, { kind: 'boolean' }],
    [t.keyof({ en: null, 'zh-TW': null }), { kind: 'enum', symbols: ['en', 'zh-TW'] }],
    [t.union([t.literal('x'), t.literal('y')]), { kind: 'enum', symbols: ['x', 'y'] }],
    [t.union([t.literal(1), t.literal(2.5)]), { kind: 'double' }],
    [t.readonlyArray(t.Int), { kind: 'list', element: { shape: { kind: 'int64' } } }],
    [
      t.record(t.string, t.boolean),
      { kind: 'map', key: { shape: { kind: 'string' } }, value: { shape: { kind: 'boolean' } } },
    ],
    [t.exact(t.type({ b: t.string })), { kind: 'struct', fields: { b: { shape: { kind: 'string' } } } }],
    [t.union([t.string, t.null]), [{ kind: 'string' }, null]],
    [t.union([t.undefined, t.literal('x'), t.null]), [{ kind: 'enum', symbols: ['x'] }, null]],
  ])('of %p', (codec, expected) => expect(shapeOf(codec)).toMatchObject(expected as object));

  it.each<[IoTsCodec, string]>([
    [t.type({ a: t.array(t.unknown) }), '`$.a[]`: unknown'],
    [t.type({ a: t.union([t.string, t.Int]) }), '`$.a`: a union of several types'],
    [t.type({ a: t.null }), '`$.a`: null alone'],
    [t.type({ a: t.type({}) }), '`$.a`: an object without fields'],
    [t.intersection([t.type({ a: t.string }), t.type({ a: t.Int })]), '`$.a`: '],
    [t.intersection([t.type({ a: t.string }), t.string]), 'a codec of an object'],
    [t.recursion<unknown>('Tree', () => t.unknown), 'a codec of an object'],
    [t.string, 'a codec of an object'],
  ])('rejects what no column holds, with its path', (codec, says) => {
    expect(() => parquetSchemaOf(codec as t.Mixed)).toThrow(says);
  });

  it('is a schema whose values are those of the codec', async () => {
    const Chat = t.intersection([
      t.type({ id: t.Int, at: t.number, lang: t.keyof({ en: null, zh: null }), tags: t.array(t.string) }),
      t.partial({ text: t.string, by: t.type({ name: t.string }) }),
    ]);
    type Chat = t.TypeOf<typeof Chat>;
    const format = parquet({ schema: { ...parquetSchemaOf(Chat), at: column.timestampMs() }, compression: 'none' });
    const encoder = format.encoder();
    const chats: Chat[] = [
      { id: 7 as t.Int, at: 1_000, lang: 'zh', tags: ['a', 'b'], by: { name: 'Li' } },
      { id: 8 as t.Int, at: 2_000, lang: 'en', tags: [], text: 'hello' },
    ];
    for (const chat of chats) encoder.add(chat);
    const rows = await firstValueFrom(from(encoder.takeLater?.() ?? []));
    const facts = { stream: 's', values: 2, firstOffset: 0, lastOffset: 1 };
    const end = await firstValueFrom(from(encoder.finish?.(facts) ?? []));
    const file = Uint8Array.from(Buffer.concat([rows, end])).buffer;
    expect(await parquetReadObjects({ file })).toEqual([
      { id: 7n, at: new Date(1_000), lang: 'zh', tags: ['a', 'b'], text: null, by: { name: 'Li' } },
      { id: 8n, at: new Date(2_000), lang: 'en', tags: [], text: 'hello', by: undefined },
    ]);
    // @ts-expect-error: no language of the codec
    const wrong: Chat = { ...chats[0], lang: 'fr' };
    expect(() => encoder.add(wrong)).toThrow('lang');
  });
});
