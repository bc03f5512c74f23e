import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonText } from '../../src/core/json-text.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { checkOptions as amqpOptions } from '../../src/sinks/amqp/options.js';
import { Outgoing } from '../../src/sinks/amqp/outgoing.js';
import { checkOptions as consoleOptions } from '../../src/sinks/console/options.js';
import { encodeWith, HTTP_BODIES } from '../../src/sinks/http/http-body.js';
import { checkOptions as kafkaOptions } from '../../src/sinks/kafka/options.js';
import { recordMaker } from '../../src/sinks/kafka/record.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';

const delivered = (value: unknown) => new RecordingAcker().deliver(0, {}, 'a').with(value);

/** All that writes JSON, as its sink would. */
const WRITERS: [name: string, write: (value: unknown) => string][] = [
  ['jsonText', jsonText],
  [
    'jsonLines',
    (value) => {
      const encoder = jsonLines().encoder();
      encoder.add(value);
      return Buffer.from(encoder.take()).toString().slice(0, -1);
    },
  ],
  ...Object.entries(HTTP_BODIES).map(([name, body]): [string, (value: unknown) => string] => [
    `httpSink, ${name}`,
    (value) => String(encodeWith(body, value)),
  ]),
  ['consoleSink', (value) => consoleOptions({ encode: 'json' }).textOf(value, delivered(value))],
  ['kafkaSink', (value) => String(recordMaker(kafkaOptions({ topic: 't', encode: jsonText }))(delivered(value)).value)],
  [
    'amqpSink',
    (value) => {
      const options = amqpOptions({ exchange: '', routingKey: 'q', encode: jsonText });
      return Buffer.from(new Outgoing(options, [], []).of(delivered(value)).content).toString();
    },
  ],
];

class Point {
  readonly x = 1;
  readonly move = () => 2;
}

const cycle: Record<string, unknown> = { n: 1n };
cycle.self = [cycle];

/** A row of the table in docs/reference/formats.md: what is written, or null for what is rejected. */
const TABLE: readonly [name: string, value: unknown, json: string | null][] = [
  ['a field that is undefined', { a: undefined, b: 1 }, '{"b":1}'],
  ['a field that is a function or a symbol', { a: () => 1, b: Symbol('s'), [Symbol('c')]: 1, d: 1 }, '{"d":1}'],
  ['undefined', undefined, null],
  ['a function', () => 1, null],
  ['a symbol', Symbol('s'), null],
  ['undefined in an array', [1, undefined], null],
  ['a hole in an array', new Array(1), null],
  ['a function in an array', { a: [() => 1] }, null],
  ['a symbol in an array', [Symbol('s')], null],
  ['NaN', { a: [Number.NaN] }, null],
  ['Infinity', Number.POSITIVE_INFINITY, null],
  ['-Infinity', [{ a: Number.NEGATIVE_INFINITY }], null],
  ['-0', [-0], '[0]'],
  ['a BigInt', { id: 9223372036854775488n, n: -1n }, '{"id":9223372036854775488,"n":-1}'],
  ['a BigInt beside NaN', [1n, Number.NaN], null],
  ['a BigInt beside undefined', [1n, { a: undefined }], '[1,{}]'],
  ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['an invalid date', { at: new Date(Number.NaN) }, null],
  ['a toJSON', { a: { toJSON: (name: string) => [name, null] } }, '{"a":["a",null]}'],
  ['a toJSON of what JSON does not hold', [{ n: Number.NaN, list: [undefined], toJSON: () => null }], '[null]'],
  ['undefined in an array beside a BigInt', [1n, [undefined]], null],
  ['boxed values beside a BigInt', [1n, Object(2), Object('a'), Object(true)], '[1,2,"a",true]'],
  ['a toJSON beside a BigInt', [1n, { toJSON: (name: string) => name }], '[1,"1"]'],
  [
    'a toJSON that throws',
    {
      toJSON() {
        throw new Error('not me');
      },
    },
    null,
  ],
  ['a Map', { a: new Map([[1, 2]]) }, null],
  ['a Set', new Set([1]), null],
  ['an Error', [new Error('lost')], null],
  ['a RegExp', { a: /x/ }, null],
  ['a promise', { a: Promise.resolve(1) }, null],
  ['an ArrayBuffer', new ArrayBuffer(2), null],
  ['a SharedArrayBuffer', [new SharedArrayBuffer(2)], null],
  ['a DataView', { a: new DataView(new ArrayBuffer(2)) }, null],
  ['a WeakMap', new WeakMap(), null],
  ['a WeakSet', { a: new WeakSet() }, null],
  ['a WeakRef', [new WeakRef({})], null],
  ['bytes', Buffer.from('a'), '{"type":"Buffer","data":[97]}'],
  ['a typed array', new Uint8Array([7]), '{"0":7}'],
  ['an instance of a class', new Point(), '{"x":1}'],
  ['a boxed number', [Object(1), Object('a'), null], '[1,"a",null]'],
  ['an unpaired surrogate', { '\ud800': 'a\udc00' }, '{"\\ud800":"a\\udc00"}'],
  ['null and what is empty', [null, {}, [], ''], '[null,{},[],""]'],
  ['a cycle', cycle, null],
  ['the same value twice', { a: [cycle.n], b: [cycle.n] }, '{"a":[1],"b":[1]}'],
];

describe.each(WRITERS)('JSON by %s', (_, write) => {
  it.each(TABLE)('%s', (_name, value, json) => {
    if (json !== null) expect(write(value)).toBe(json);
    else
      expect(() => write(value)).toThrow(
        expect.objectContaining({ name: 'SinkError', code: 'RXF_SINK_FORMAT', retryable: false }),
      );
  });
});

describe('jsonText', () => {
  it('is what JSON.stringify writes, with a BigInt in it too', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(jsonText(value)).toBe(JSON.stringify(value));
        expect(jsonText([value, 1n, { a: value }])).toBe(JSON.stringify([value, 1, { a: value }]));
      }),
    );
  });

  it('says of a cycle that it is one, whatever is before it', () => {
    expect(() => jsonText(cycle)).toThrow('it contains itself (a cycle)');
  });
});
