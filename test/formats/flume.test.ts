import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { DecodeError, SinkError } from '../../src/core/errors.js';
import { AvroReader, AvroWriter } from '../../src/formats/avro-bytes.js';
import { flumeAvro, toFlumeAvro } from '../../src/formats/flume-avro.js';
import { flumeAvroFile } from '../../src/formats/flume-avro-file.js';
import type { FlumeEvent } from '../../src/formats/flume-event.js';
import { flumeText } from '../../src/formats/flume-text.js';

const EVENT = {
  type: 'record',
  name: 'AvroFlumeEvent',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
} as const;

/** An Avro library that has nothing of ours. */
const reference = avsc.Type.forSchema(EVENT as never);

const anyEvent: fc.Arbitrary<FlumeEvent> = fc.record({
  headers: fc.dictionary(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
  ),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

const plain = ({ headers, body }: FlumeEvent) => [Object.entries(headers), Buffer.from(body).toString('hex')];

describe('Flume events in Avro', () => {
  it('are the bytes that another Avro library writes, and are read back', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const bytes = toFlumeAvro(event);
        expect(bytes.equals(reference.toBuffer({ headers: { ...event.headers }, body: event.body }))).toBe(true);
        expect(plain(flumeAvro()(bytes))).toEqual(plain(event));
      }),
    );
  });

  it('are read where the headers come in several blocks, with their sizes', () => {
    const writer = new AvroWriter(1);
    writer.long(-1);
    writer.long(4);
    writer.text('a');
    writer.text('b');
    writer.long(1);
    writer.text('c');
    writer.text('d');
    writer.long(0);
    writer.bytes(Buffer.from('x'));
    expect(plain(flumeAvro()(writer.written))).toEqual(plain({ headers: { a: 'b', c: 'd' }, body: Buffer.from('x') }));
  });

  it('keep a header that is named like the prototype', () => {
    const event = { headers: JSON.parse('{"__proto__":"x"}') as Record<string, string>, body: Buffer.from('') };
    expect(Object.entries(flumeAvro()(toFlumeAvro(event)).headers)).toEqual([['__proto__', 'x']]);
  });

  it.each([
    ['null', null, 'RXF_DECODE_EMPTY'],
    ['nothing', Buffer.alloc(0), 'RXF_DECODE_EMPTY'],
    ['text', Buffer.from('hello'), 'RXF_DECODE_SYNTAX'],
    ['too few bytes', Buffer.from([0, 10, 1]), 'RXF_DECODE_SYNTAX'],
    ['too many bytes', Buffer.from([0, 0, 0]), 'RXF_DECODE_SYNTAX'],
    ['a map of 2^40 headers', Buffer.from('80808080804000', 'hex'), 'RXF_DECODE_SYNTAX'],
    ['a number without end', Buffer.alloc(20, 0xff), 'RXF_DECODE_SYNTAX'],
    ['a number of nothing but high bits', Buffer.alloc(200, 0x80), 'RXF_DECODE_SYNTAX'],
    ['a number that is too long', Buffer.concat([Buffer.alloc(160, 0x80), Buffer.alloc(2)]), 'RXF_DECODE_SYNTAX'],
    ['a negative length', Buffer.from([0, 1]), 'RXF_DECODE_SYNTAX'],
  ])('reject %s', (_, bytes, code) => {
    const read = () => flumeAvro()(bytes);
    expect(read).toThrow(DecodeError);
    expect(read).toThrow(expect.objectContaining({ code }));
  });

  it('never make more of damaged bytes than an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          flumeAvro()(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('do not write what is no event', () => {
    expect(() => toFlumeAvro({ headers: { n: 5 }, body: Buffer.from('') } as never)).toThrow(SinkError);
    expect(() => toFlumeAvro(null as never)).toThrow('Expected a Flume event');
  });
});

describe('AvroWriter and AvroReader', () => {
  it('agree about whole numbers and texts', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), fc.string({ maxLength: 200 }), (number, text) => {
        const writer = new AvroWriter(1);
        writer.long(number);
        writer.text(text);
        const reader = new AvroReader(writer.written);
        expect([reader.long(), reader.text(), reader.left]).toEqual([number, Buffer.from(text).toString(), 0]);
      }),
    );
  });
});

describe('files of Flume events', () => {
  const events: FlumeEvent[] = [
    { headers: { host: 'h1', kind: 'log' }, body: Buffer.from('first') },
    { headers: {}, body: Buffer.from([0xff, 0]) },
  ];

  it('as text: bodies as they are, a newline behind each', () => {
    const encoder = flumeText().encoder();
    for (const event of events) encoder.add(event);
    expect(Buffer.from(encoder.take())).toEqual(Buffer.concat([Buffer.from('first\n'), Buffer.from([0xff, 0, 10])]));
    expect(encoder.take()).toHaveLength(0);
    expect(flumeText({ compression: 'gzip' }).extension).toBe('txt.gz');
  });

  it('as text with headers: as Java shows a map', () => {
    const encoder = flumeText({ write: 'headers-and-body' }).encoder();
    encoder.add(events[0] as FlumeEvent);
    encoder.add({ headers: {}, body: Buffer.from('x') });
    expect(Buffer.from(encoder.take()).toString()).toBe('{host=h1, kind=log} first\n{} x\n');
  });

  it.each(['null', 'deflate'] as const)('as an Avro file that another library reads: codec %s', async (codec) => {
    const format = flumeAvroFile({ codec });
    const encoder = format.encoder();
    for (const event of events) encoder.add(event);
    const first = encoder.take();
    encoder.add(events[0] as FlumeEvent);
    const file = Buffer.concat([first, encoder.take(), encoder.take()]);
    const decoder = new avsc.streams.BlockDecoder();
    const read: FlumeEvent[] = [];
    await new Promise<void>((resolve, reject) => {
      decoder.on('data', (event: FlumeEvent) => read.push(event));
      decoder.on('end', resolve);
      decoder.on('error', reject);
      decoder.end(file);
    });
    expect(read.map(plain)).toEqual([...events, events[0] as FlumeEvent].map(plain));
    expect(format.extension).toBe('avro');
  });

  it.each([[{ '\ud800': 'x' }], [{ name: 'a\udc00' }]])(
    'reject %j, headers that UTF-8 cannot hold, and add nothing',
    (headers) => {
      for (const format of [flumeText({ write: 'headers-and-body' }), flumeText(), flumeAvroFile()]) {
        const encoder = format.encoder();
        const call = () => encoder.add({ headers, body: Buffer.from('x') });
        expect(call).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false }));
        expect(encoder.take()).toHaveLength(0);
      }
      expect(() => toFlumeAvro({ headers, body: Buffer.from('') })).toThrow('surrogate');
    },
  );

  it('reject what is no event, and add nothing', () => {
    for (const format of [flumeText(), flumeAvroFile()]) {
      const encoder = format.encoder();
      expect(() => encoder.add('text' as never)).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT' }));
      expect(encoder.take()).toHaveLength(0);
    }
  });
});
