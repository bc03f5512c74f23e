import { describe, expect, it } from '@jest/globals';
import { joinDeliveries } from '../../../src/delivery/join.js';
import { splitDelivery } from '../../../src/delivery/split.js';
import { httpSink } from '../../../src/sinks/http/http-sink.js';
import { describeSink } from '../../../src/testing/describe-sink.js';
import { MemoryHttp } from '../../../src/testing/memory/memory-http.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { HttpRun } from './http-run.js';

describe.each(['stream', 'key', 'none'] as const)('order: %s', (order) => {
  const contract = { value: (n: number) => ({ n }), it };
  const url = 'http://store/chat';
  describeSink('the HTTP sink', { ...contract, sink: () => httpSink(new MemoryHttp(), { url, order }).write() });
  describeSink('the HTTP sink, a value a request', {
    ...contract,
    sink: () => httpSink(new MemoryHttp(), { url, order, body: 'single' }).write(),
  });
  describeSink('the HTTP sink, where every third request fails at first', {
    ...contract,
    sink: () => {
      const http = new MemoryHttp();
      http.answer = (_, n) => (n % 3 === 0 ? 503 : 200);
      return httpSink(http, { url, order, batch: { count: 2 }, retry: { firstDelayMs: 5 } }).write();
    },
  });
});

describe('httpSink', () => {
  it('sends batches by count and by time, and acks each when it is answered', () =>
    inVirtualTime((at) => {
      const run = new HttpRun();
      for (const name of 'abc') run.put(name);
      at(1, () => expect(run.acker.acks).toEqual([]));
      at(3, () => expect(run.acker.acks).toEqual(['a', 'b']));
      at(30, () => {
        expect(run.bodies).toEqual(['a,b', 'c']);
        expect(run.acker.acks).toEqual(['a', 'b', 'c']);
        const range = { stream: 'test:0', firstOffset: 0, lastOffset: 1 };
        expect(run.receipts[0]).toEqual({ sink: 'http', target: 'http://store/chat', values: 2, bytes: 8, ...range });
        expect(run.http.seen[0]).toMatchObject({
          method: 'POST',
          url: 'http://store/chat',
          headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': '"test:0+0-1"' },
        });
        expect(run.metric('rxflume_sink_values_total')).toBe(3);
        run.leave();
      });
    }));

  it('splits by bytes as they are sent; a larger value goes alone', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ body: 'jsonArray', batch: { count: 10, bytes: 12 } });
      for (const name of ['aa', 'bb', 'c', 'ddddddddddd', 'e']) run.put(name);
      at(50, () => {
        expect(run.bodies).toEqual(['[aa,bb]', '[c]', '[ddddddddddd]', '[e]']);
        expect(run.http.seen.map(({ body }) => body.length)).toEqual([11, 5, 15, 5]);
        run.leave();
      });
    }));

  it('a value a request, and a form of the caller', () =>
    inVirtualTime((at) => {
      const single = new HttpRun<unknown>({ body: 'single' });
      single.put({ n: 1 });
      single.put({ n: 2 });
      const form = {
        contentType: 'text/plain',
        encode: (text: string) => Buffer.from(text),
        before: '<',
        between: '|',
        after: '>',
      };
      const own = new HttpRun({ body: form, method: 'PUT' });
      own.put('a');
      own.put('b');
      at(20, () => {
        expect(single.http.seen.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":2}']);
        expect(single.http.seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['"test:0+0"', '"test:0+1"']);
        expect(own.http.seen[0]).toMatchObject({
          body: '<a|b>',
          method: 'PUT',
          headers: { 'content-type': 'text/plain' },
        });
        single.leave();
        own.leave();
      });
    }));

  it('nacks alone what cannot be encoded', () =>
    inVirtualTime((at) => {
      const run = new HttpRun<unknown>();
      run.put('a');
      run.put(undefined);
      run.put('c');
      at(20, () => {
        expect(run.bodies).toEqual(['a,c']);
        expect(run.acker.nacks).toEqual(['undefined']);
        expect(run.acker.causes.undefined).toMatchObject({ code: 'RXF_SINK_FORMAT', retryable: false });
        run.leave();
      });
    }));

  it('begins another batch where the URL changes, and keeps the order', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({
        url: (value) => (value === 'x' ? 'not a URL' : `http://store/${value[0]}?k=secret`),
      });
      for (const name of ['a1', 'a2', 'a3', 'b1', 'x', 'b2', 'a4']) run.put(name);
      at(50, () => {
        expect(run.http.seen.map(({ url }, n) => `${url.slice(13, 14)} ${run.bodies[n]}`)).toEqual([
          'a a1,a2',
          'a a3',
          'b b1,b2',
          'a a4',
        ]);
        expect(run.receipts.map(({ target }) => target)).toEqual(['a', 'a', 'b', 'a'].map((p) => `http://store/${p}`));
        expect(run.acker.causes.x).toMatchObject({ code: 'RXF_SINK_FORMAT' });
        run.leave();
      });
    }));

  it('keeps each stream in order, and sends streams side by side up to the bound', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ maxInFlight: 2, batch: { count: 1 } }, () => ({ status: 200, afterMs: 8 }));
      const others = [new RecordingAcker('test:1'), new RecordingAcker('test:2')];
      let most = 0;
      for (const name of 'abc') run.put(name);
      for (const acker of others) run.put(acker.stream.slice(-1), {}, acker);
      for (let ms = 1; ms < 60; ms += 1) {
        at(ms, () => {
          most = Math.max(most, run.http.inFlight);
        });
      }
      at(60, () => {
        expect(run.bodies.filter((name) => /[abc]/.test(name))).toEqual(['a', 'b', 'c']);
        expect(run.bodies).toHaveLength(5);
        expect(most).toBe(2);
        run.leave();
      });
    }));

  it('keeps each key in order, and sends keys side by side', () =>
    inVirtualTime((at) => {
      const run = new HttpRun<string>({ order: 'key', maxInFlight: 8, batch: { count: 1 } }, ({ body }) => ({
        status: 200,
        afterMs: body.includes('a') ? 50 : 1,
      }));
      for (const name of ['a1', 'b1', 'a2', 'b2', 'c1']) run.put(name, { key: Buffer.from(name.slice(0, 1)) });
      at(10, () => expect(run.acker.acks).toEqual(['b1', 'c1', 'b2']));
      at(200, () => {
        expect(run.acker.acks).toEqual(['b1', 'c1', 'b2', 'a1', 'a2']);
        run.leave();
      });
    }));

  it('without an order sends what there is room for, and with a key each of its own', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ order: 'none', maxInFlight: 3, batch: { count: 1 } }, () => ({
        status: 200,
        afterMs: 8,
      }));
      for (const name of 'abcde') run.put(name);
      at(5, () => expect(run.bodies).toEqual(['a', 'b', 'c']));
      at(50, () => {
        expect(run.bodies).toEqual(['a', 'b', 'c', 'd', 'e']);
        run.leave();
      });
    }));

  it('asks for headers before each try, and names no two batches alike, also of the parts of one value', () =>
    inVirtualTime((at) => {
      let asked = 0;
      const headers = () => {
        asked += 1;
        return { authorization: `Bearer ${asked}` };
      };
      const run = new HttpRun<string>({ headers, body: 'single' }, (_, n) => (n === 0 ? 500 : 200));
      for (const part of splitDelivery(run.acker.deliver('whole'), ['p', 'q'])) run.give(part);
      at(500, () => {
        expect(run.http.seen.map((seen) => [seen.headers.authorization, seen.headers['idempotency-key']])).toEqual([
          ['Bearer 1', '"test:0+0.0"'],
          ['Bearer 2', '"test:0+0.0"'],
          ['Bearer 3', '"test:0+0.1"'],
        ]);
        expect(run.acker.acks).toEqual(['whole']);
        run.leave();
      });
    }));

  it('sends at once what was joined from several streams, alone', () =>
    inVirtualTime((at) => {
      const run = new HttpRun<unknown>();
      const other = new RecordingAcker('test:1');
      run.put('a');
      run.give(joinDeliveries([run.acker.deliver('m'), other.deliver('n')]));
      at(9, () => {
        expect(run.bodies).toEqual(['a', '[m,n]']);
        expect([...run.acker.unsettled, ...other.unsettled]).toEqual([]);
        run.leave();
      });
    }));

  it.each([
    [{ url: 'http://ann:sesame@store/' }, 'it must have no user name or password'],
    [{ url: 'store' }, 'it must be a whole URL'],
    [{ url: 'http://s/', method: 'GET' }, "one of 'POST', 'PUT', 'PATCH'"],
    [{ url: 'http://s/', headers: { host: 'x' } }, 'without what the sink sets itself'],
    [
      { url: 'http://s/', headers: { 'idempotency-key': 'x' } },
      'without what the sink sets itself, got idempotency-key',
    ],
    [{ url: 'http://s/', body: 'xml' }, "one of 'jsonLines', 'jsonArray', 'single'"],
    [{ url: 'http://s/', body: { contentType: 'a/b' } }, 'Expected `body.encode` to be a function'],
    [{ url: 'http://s/', body: 'single', batch: { count: 2 } }, "1, or left out, with `body: 'single'`"],
    [{ url: 'http://s/', compression: 'brotli' }, "one of 'none', 'gzip', 'zstd'"],
    [{ url: 'http://s/', key: () => 1 }, "absent without `order: 'key'`"],
    [{ url: 'http://s/', batch: { values: 2 } }, 'got `values`'],
    [{ url: 'http://s/', retry: { jitter: 2 } }, 'a number from 0 to 1'],
    [{ url: 'http://s/', idempotencyHeader: 'a b' }, 'by names of HTTP headers'],
    [{ url: 'http://s/', reject: 'all' }, "one of 'batch', 'value'"],
  ])('rejects %j', (options, rule) => {
    expect(() => httpSink(new MemoryHttp(), options as never)).toThrow(rule);
    expect(() => httpSink(new MemoryHttp(), options as never)).not.toThrow('sesame');
  });
});
