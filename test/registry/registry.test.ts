import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { decode } from '../../operators/decode.js';
import type { RxflumeError } from '../../src/core/errors.js';
import type { HeaderList } from '../../src/core/headers.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { avroSchema, type RegistryOptions, registry, type SchemaFormat } from '../../src/registry/index.js';
import type { HttpScript } from '../../src/testing/memory/memory-http.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { taken } from '../operators/marbles.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { fakeRegistry, framed } from './fake-registry.js';

const V1 = JSON.stringify({ type: 'record', name: 'Chat', fields: [{ name: 'id', type: 'long' }] });
const V2 = {
  type: 'record',
  name: 'Chat',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'lang', type: 'string', default: 'en' },
  ],
} as const;
/** The long 7 in Avro. */
const SEVEN = Buffer.of(14);

function opened(options: Partial<RegistryOptions> = {}, format: SchemaFormat<unknown, never> = avroSchema()) {
  const fake = fakeRegistry();
  const schemas = registry({ url: 'http://r1:8081', http: fake.http, ...options });
  const acker = new RecordingAcker('kafka:chat/0');
  const in$ = new Subject<Delivery<Uint8Array | null>>();
  const out = taken(in$.pipe(decode(schemas.decoder(format))));
  const put = (name: string, value: Uint8Array | null, headerList: HeaderList = []) =>
    in$.next(acker.deliver(value, { headerList }, name));
  const values = () => out.values.map(({ value }) => value);
  const cause = (name: string) => acker.causes[name] as RxflumeError;
  return { ...fake, schemas, acker, put, values, cause, out, in$ };
}

describe('a registry decodes', () => {
  it('what it knows at once, and asks once for an id, however many wait for it', () => {
    const { add, put, values, requests } = opened();
    const id = add('chat-value', { schema: V1 });
    inVirtualTime((at) => {
      at(0, () => {
        for (const name of ['a', 'b', 'c']) put(name, framed(id, SEVEN));
      });
      at(1, () => expect(values()).toEqual([]));
      at(10, () => {
        expect(values()).toEqual([{ id: 7 }, { id: 7 }, { id: 7 }]);
        put('d', framed(id, SEVEN));
        expect(values()).toHaveLength(4);
      });
    });
    expect(requests()).toEqual(['GET /schemas/ids/1']);
  });

  it('an older value as your schema has it', () => {
    const { add, put, values } = opened({}, avroSchema(V2));
    const id = add('chat-value', { schema: V1 });
    inVirtualTime((at) => at(0, () => put('a', framed(id, SEVEN))));
    expect(values()).toEqual([{ id: 7, lang: 'en' }]);
  });

  it('by the header first, with an id or a GUID', () => {
    const { add, put, values, guidOf, requests } = opened();
    const id = add('chat-value', { schema: V1 });
    const guid = Buffer.concat([Buffer.of(1), Buffer.from(guidOf(id).replaceAll('-', ''), 'hex')]);
    inVirtualTime((at) => {
      at(0, () => put('a', SEVEN, [['__value_schema_id', guid]]));
      at(9, () => put('b', SEVEN, [['__value_schema_id', framed(id, Buffer.alloc(0))]]));
    });
    expect(values()).toEqual([{ id: 7 }, { id: 7 }]);
    expect(requests()).toEqual([`GET /schemas/guids/${guidOf(id)}`, 'GET /schemas/ids/1']);
  });

  it('with the schemas that a schema refers to', () => {
    const { add, put, values } = opened();
    add('user', {
      schema: JSON.stringify({ type: 'record', name: 'User', namespace: 'a', fields: [{ name: 'n', type: 'string' }] }),
    });
    const schema = {
      type: 'record',
      name: 'Pair',
      namespace: 'a',
      fields: [
        { name: 'one', type: 'User' },
        { name: 'two', type: ['null', 'a.User'] },
      ],
    };
    const references = [{ name: 'a.User', subject: 'user', version: 1 }];
    const id = add('pair-value', { schema: JSON.stringify(schema), references });
    const payload = Buffer.concat([Buffer.of(2), Buffer.from('x'), Buffer.of(2, 2), Buffer.from('y')]);
    inVirtualTime((at) => at(0, () => put('a', framed(id, payload))));
    expect(values()).toEqual([{ one: { n: 'x' }, two: { n: 'y' } }]);
  });

  it.each<[name: string, value: Uint8Array | null, code: string, says: RegExp]>([
    ['a tombstone', null, 'RXF_DECODE_EMPTY', /Drop tombstones/],
    ['plain JSON', Buffer.from('{"id":7}'), 'RXF_DECODE_SYNTAX', /begins with 7b22\w+ \(hex\) instead of 00/],
    ['too few bytes', Buffer.of(0, 0, 0, 1), 'RXF_DECODE_SYNTAX', /begins with 00000001/],
    ['an unknown id', framed(99, SEVEN), 'RXF_DECODE_SCHEMA', /has no schema with id 99: not there/],
    ['a cut payload', framed(1, Buffer.alloc(0)), 'RXF_DECODE_SYNTAX', /./],
  ])('nacks %s', (name, value, code, says) => {
    const { add, put, cause } = opened();
    add('chat-value', { schema: V1 });
    inVirtualTime((at) => at(0, () => put(name, value)));
    expect(cause(name)).toMatchObject({ code, retryable: false, message: expect.stringMatching(says) });
  });

  it('nacks a value of another language, and one that cannot be read as your schema', () => {
    const { add, put, cause } = opened({}, avroSchema({ ...V2, fields: [{ name: 'id', type: 'boolean' }] }));
    const json = add('json-value', { schema: '{"type":"object"}', schemaType: 'JSON' });
    const old = add('chat-value', { schema: V1 });
    inVirtualTime((at) => {
      at(0, () => put('a', framed(json, SEVEN)));
      at(9, () => put('b', framed(old, SEVEN)));
    });
    expect([cause('a').code, cause('b').code]).toEqual(['RXF_DECODE_SCHEMA', 'RXF_DECODE_SCHEMA']);
    expect(cause('a').message).toContain('is one of JSON, not of AVRO');
  });

  it('asks again for an id that was unknown, but not at once', () => {
    const { add, put, values, requests } = opened({ unknownAgeMs: 1_000 });
    inVirtualTime((at) => {
      at(0, () => put('a', framed(1, SEVEN)));
      at(500, () => put('b', framed(1, SEVEN)));
      at(600, () => add('chat-value', { schema: V1 }));
      at(1_100, () => put('c', framed(1, SEVEN)));
    });
    expect(values()).toEqual([{ id: 7 }]);
    expect(requests()).toHaveLength(2);
  });
});

describe('a registry that fails', () => {
  const retry = { firstDelayMs: 100, jitter: 0, maxAttempts: 3 };

  it('is asked again, and the value waits', () => {
    const { http, add, answer, put, values, acker } = opened({ retry });
    const id = add('chat-value', { schema: V1 });
    http.answer = (request, n) => (n < 2 ? 503 : answer(request));
    inVirtualTime((at) => {
      at(0, () => put('a', framed(id, SEVEN)));
      at(290, () => expect([values(), acker.nacks]).toEqual([[], []]));
    });
    expect(values()).toEqual([{ id: 7 }]);
  });

  it.each<[name: string, script: HttpScript, code: string, retryable: boolean, requests: number]>([
    ['answers 500', 500, 'RXF_REGISTRY_UNREACHABLE', true, 3],
    ['closes the connection', 'reset', 'RXF_REGISTRY_UNREACHABLE', true, 3],
    ['never answers', 'silence', 'RXF_REGISTRY_UNREACHABLE', true, 3],
    ['answers 401', 401, 'RXF_REGISTRY_DENIED', false, 1],
    ['answers with a page', { status: 200, body: '<html>' }, 'RXF_REGISTRY_PROTOCOL', true, 3],
    ['answers 404 without its own code', { status: 404, body: '{}' }, 'RXF_REGISTRY_PROTOCOL', true, 3],
    ['answers with another JSON', { status: 200, body: '{"a":1}' }, 'RXF_REGISTRY_PROTOCOL', true, 1],
    ['redirects', { status: 302, headers: { location: 'http://evil/x?token=s' } }, 'RXF_REGISTRY_PROTOCOL', true, 3],
    ['answers with too much', { status: 200, body: `"${'x'.repeat(2 << 20)}"` }, 'RXF_REGISTRY_PROTOCOL', true, 3],
  ])('nacks with a code where it %s', (_, script, code, retryable, requests) => {
    const { http, put, cause } = opened({ retry, requestTimeoutMs: 1_000 });
    http.answer = () => script;
    inVirtualTime((at) => at(0, () => put('a', framed(1, SEVEN))));
    expect(cause('a')).toMatchObject({ code, retryable });
    expect(http.seen).toHaveLength(requests);
    expect(cause('a').message).not.toContain('token');
  });

  it('is left for the next URL, which is asked first from then on', () => {
    const { http, add, answer, put, values } = opened({ url: ['http://r1:8081/', 'http://r2:8081'], retry });
    const ids = [add('chat-value', { schema: V1 }), add('other-value', { schema: JSON.stringify(V2) })];
    http.answer = (request) => (request.url.startsWith('http://r1') ? 503 : answer(request));
    inVirtualTime((at) => {
      at(0, () => put('a', framed(ids[0] as number, SEVEN)));
      at(9, () => put('b', framed(ids[1] as number, Buffer.concat([SEVEN, Buffer.of(2, 0x78)]))));
    });
    expect(values()).toEqual([{ id: 7 }, { id: 7, lang: 'x' }]);
    expect(http.seen.map(({ url }) => new URL(url).host)).toEqual(['r1:8081', 'r2:8081', 'r2:8081']);
  });

  it('is sent what logs in, and no message has it', () => {
    const { http, put, cause } = opened({
      auth: { username: 'flume', password: () => 'hunter2hunter2' },
      retry: { maxAttempts: 1 },
    });
    const basic = Buffer.from('flume:hunter2hunter2').toString('base64');
    http.answer = () => ({ status: 500, body: `you sent Basic ${basic} hunter2hunter2` });
    inVirtualTime((at) => at(0, () => put('a', framed(1, SEVEN))));
    expect(http.seen[0]?.headers.authorization).toBe(`Basic ${basic}`);
    expect(cause('a').message).not.toMatch(/hunter2|Zmx1/);
  });

  it('gets no request any more when the flow is unsubscribed', () => {
    const { http, put, out, acker } = opened({ retry });
    http.answer = () => 'silence';
    inVirtualTime((at) => {
      at(0, () => put('a', framed(1, SEVEN)));
      at(50, () => out.unsubscribe());
      at(60, () => expect([http.inFlight, acker.nacks]).toEqual([0, ['a']]));
    });
    expect(http.seen).toHaveLength(1);
  });
});

describe('the options of a registry', () => {
  it.each<[RegistryOptions, string]>([
    [{ url: [] }, '`url`'],
    [{ url: 'ftp://x' }, '`url`'],
    [{ url: 'http://u:secret@x' }, '`url`'],
    [{ url: 'http://x', auth: { token: '' } }, '`auth.token`'],
    [{ url: 'http://x', auth: { username: 'a:b', password: 'secret' } }, '`auth.username`'],
    [{ url: 'http://x', requestTimeoutMs: 0 }, '`requestTimeoutMs`'],
  ])('rejects %j', (options, says) => {
    let error: unknown;
    try {
      registry(options);
    } catch (cause) {
      error = cause;
    }
    expect(error).toMatchObject({ code: 'RXF_OPTION_INVALID', message: expect.stringContaining(says) });
    expect(String(error)).not.toContain('secret');
  });
});
