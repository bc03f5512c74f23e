import { describe, expect, it } from '@jest/globals';
import {
  bodyMatches,
  env,
  gap,
  hostHeader,
  kafkaEvent,
  lineEvent,
  not,
  regexExtractor,
  removeHeaders,
  searchReplace,
  staticHeader,
  timestampHeader,
  uuidHeader,
} from '../../src/flume/index.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';

const event = (body: string, headers: Record<string, string> = {}) => ({ headers, body: Buffer.from(body) });
const textOf = ({ body }: { body: Uint8Array }) => Buffer.from(body).toString();

describe('interceptors', () => {
  it.each([
    ['timestamp', timestampHeader, /^\d{13}$/],
    ['host', hostHeader, /^[\d.]+$/],
    ['id', uuidHeader, /^[0-9a-f-]{36}$/],
  ] as const)('sets %s, and keeps what is there where it is asked to', (header, make, form) => {
    expect(make()(event('a')).headers[header]).toMatch(form);
    expect(make({ preserveExisting: true })(event('a', { [header]: 'old' })).headers[header]).toBe('old');
    expect(make({ preserveExisting: false })(event('a', { [header]: 'old' })).headers[header]).not.toBe('old');
    expect(make({ header: 'x' })(event('a')).headers.x).toMatch(form);
    expect(() => make({ header: '' })).toThrow('header');
  });

  it('keeps a static header and a UUID by default, as Flume does', () => {
    expect(staticHeader('dc', 'eu')(event('a', { dc: 'us' })).headers).toEqual({ dc: 'us' });
    expect(staticHeader('dc', 'eu', { preserveExisting: false })(event('a', { dc: 'us' })).headers).toEqual({
      dc: 'eu',
    });
    expect(uuidHeader()(event('a', { id: '1' })).headers).toEqual({ id: '1' });
  });

  it('finds with a pattern anew each time, though it has `g` or `y`', () => {
    const matches = bodyMatches(/a/gy);
    expect([matches(event('a')), matches(event('a'))]).toEqual([true, true]);
    const remove = removeHeaders([/^x/g]);
    expect([1, 2].map(() => remove(event('', { xa: '', xb: '', y: '' })).headers)).toEqual([{ y: '' }, { y: '' }]);
    const extract = regexExtractor(/(\d)/g, ['n']);
    expect([1, 2].map(() => extract(event('a1')).headers)).toEqual([{ n: '1' }, { n: '1' }]);
  });

  it('replaces all that matches, with groups, in the charset', () => {
    expect(textOf(searchReplace(/(\w)=(\w)/, '$2=$1')(event('a=b c=d')))).toBe('b=a d=c');
    const latin = searchReplace(/é/, 'e', 'latin1')({ headers: {}, body: Buffer.from('né', 'latin1') });
    expect(textOf(latin)).toBe('ne');
  });

  it('leaves an event as it is where nothing is found, and a group out that took no part', () => {
    const extract = regexExtractor(/^(\d+)?:(\w+)/, ['n', 'w']);
    expect(extract(event('nothing', { a: '1' })).headers).toEqual({ a: '1' });
    expect(extract(event(':x')).headers).toEqual({ w: 'x' });
  });

  it('reads a body that is a view of something larger', () => {
    const frame = Buffer.from('before HELLO after');
    const view = { headers: {}, body: new Uint8Array(frame.buffer, frame.byteOffset + 7, 5) };
    expect(textOf(searchReplace(/L/, 'l')(view))).toBe('HEllO');
    expect([bodyMatches(/^HELLO$/)(view), not(bodyMatches(/before/))(view)]).toEqual([true, true]);
  });
});

describe('events', () => {
  it('have the headers that the Kafka source of Flume sets, under those that they bring', () => {
    const acker = new RecordingAcker();
    const origin = {
      ...{ stream: 'kafka:my-chat/3', offset: 7, timestamp: 1_700_000_000_000, key: Buffer.from('k') },
      headers: { trace: Buffer.from('t1') },
    };
    const delivery = acker.deliver(Buffer.from('hi'), origin, 'hi');
    const read = kafkaEvent({ headers: { traceId: 'trace' } })(delivery.value, delivery);
    expect(read.headers).toEqual({
      ...{ timestamp: '1700000000000', topic: 'my-chat', partition: '3', offset: '7', key: 'k', traceId: 't1' },
    });
    const own = kafkaEvent({ topicHeader: null })(event('hi', { partition: '9', key: 'old' }), delivery);
    expect(own.headers).toEqual({ timestamp: '1700000000000', partition: '9', offset: '7', key: 'k' });
    expect(kafkaEvent()(null, delivery).body).toHaveLength(0);
  });

  it('are made of lines', () => {
    expect(lineEvent({ a: '1' })('hi')).toEqual(event('hi', { a: '1' }));
    expect(textOf(lineEvent()(Buffer.from('hi')))).toBe('hi');
  });

  it('are not made while there is a gap, or a variable is missing', () => {
    expect(() => gap('line 3: a source' as never)).toThrow('line 3: a source');
    expect(() => env('RXFLUME_NOT_SET')).toThrow('RXFLUME_NOT_SET');
  });
});
