import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ERRORS } from '../../src/core/error-codes.js';
import {
  CommitError,
  ConnectError,
  DecodeError,
  describeError,
  describeValue,
  FencedError,
  isRetryable,
  OptionError,
  SinkError,
  SourceError,
} from '../../src/core/errors.js';

const unreadable = [
  Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('no message');
    },
  }),
  Object.assign(new Error('x'), { message: { toString: null, valueOf: null } }),
  Object.assign(new Error('x'), { message: undefined, name: 7 }),
  Object.assign(new Error(''), { name: '' }),
  new AggregateError([]),
  Object.assign(new AggregateError([]), { errors: [Symbol('a\nb')] }),
  {
    get [Symbol.toStringTag]() {
      throw new Error('no tag');
    },
  },
  { [Symbol.toStringTag]: 'two\nlines' },
  Proxy.revocable({}, {}).proxy,
  (() => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  })(),
  (() => {
    const itself = new AggregateError([]);
    itself.errors.push(itself);
    return itself;
  })(),
  Object.create(null),
  Symbol('a\nb'),
  'two\r\nlines',
  '😀'.repeat(60),
  () => 1,
  -0,
  10n,
  new Error('\nstarts empty'),
];

describe('errors', () => {
  it('have one class for each family of the table, by its name', () => {
    const classes = [OptionError, ConnectError, SourceError, CommitError, DecodeError, SinkError, FencedError];
    const families = [...new Set(Object.values(ERRORS).map((row) => row.family))];
    expect(families).toEqual(classes.map(({ name }) => name));
    expect(Object.keys(ERRORS).filter((code) => !/^RXF_[A-Z]+(_[A-Z]+)+$/.test(code))).toEqual([]);
  });

  it('carry code, name, retryable, details and cause', () => {
    const cause = new Error('disk');
    const error = new SinkError('RXF_FILES_FULL', 'No room.', { cause, details: { path: '/a' } });
    expect(error).toMatchObject({
      name: 'SinkError',
      code: 'RXF_FILES_FULL',
      message: 'No room.',
      retryable: true,
      details: { path: '/a' },
      cause,
    });
    expect(error.stack).toContain('SinkError');
    const plain = new OptionError('RXF_OPTION_INVALID', 'x');
    expect([plain.retryable, plain.details, 'cause' in plain]).toEqual([false, {}, false]);
  });

  it('may know better than the table whether they may be retried', () => {
    expect(isRetryable(new SinkError('RXF_FILES_FULL', 'x', { retryable: false }))).toBe(false);
    expect(isRetryable(new SinkError('RXF_FILES_DENIED', 'x', { retryable: true }))).toBe(true);
    expect(isRetryable(new SinkError('RXF_FILES_FULL', 'x'))).toBe(true);
    expect([new Error('x'), { retryable: true }, null].map(isRetryable)).toEqual([false, false, false]);
  });
});

describe('describeError and describeValue', () => {
  it.each([
    [new Error('first\nsecond'), 'first'],
    [new TypeError(''), 'TypeError'],
    [new AggregateError([new Error('inner'), new Error('other')]), 'inner'],
    [new AggregateError([new Error('inner')], 'outer'), 'outer'],
    [new DOMException('too slow', 'TimeoutError'), 'too slow'],
    [runInNewContext('new Error("of another realm")'), 'of another realm'],
    ['thrown text', '"thrown text"'],
    [undefined, 'undefined'],
    [{ message: 'no error' }, 'Object'],
    [new Error('x'.repeat(900)), 'x'.repeat(500)],
  ])('describes the thrown %p', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });

  it.each([
    ['a"b', '"a\\"b"'],
    ['x'.repeat(100), `"${'x'.repeat(80)}…"`],
    [null, 'null'],
    [0, '0'],
    [10n, '10'],
    [[1], 'Array'],
    [new Map(), 'Map'],
    [() => 1, 'Function'],
    [Symbol('s'), 'Symbol(s)'],
  ])('shows the value %p', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });

  it('never throw, and are one line that is not empty, for anything at all', () => {
    const bad = (value: unknown) =>
      [describeError(value), describeValue(value)].filter((text) => text === '' || /[\r\n]/.test(text));
    expect(unreadable.flatMap(bad)).toEqual([]);
    fc.assert(
      fc.property(
        fc.anything({
          withNullPrototype: true,
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSparseArray: true,
        }),
        fc.string({ unit: 'binary' }),
        (value, message) => {
          expect([...bad(value), ...bad(new Error(message)), ...bad(message)]).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});
