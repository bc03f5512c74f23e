import { describe, expect, it } from '@jest/globals';
import type { RxflumeError } from '../../../src/core/errors.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { HttpRun } from './http-run.js';

const causeOf = (run: { acker: RecordingAcker }, name: string) => run.acker.causes[name] as RxflumeError;

describe('httpSink, tried again', () => {
  it.each([[408], [409], [425], [429], [500], [503], ['reset' as const]])(
    '%s is tried again with waits that double, with the same key and body',
    (failing) =>
      inVirtualTime((at) => {
        const run = new HttpRun({}, (_, n) => (n < 3 ? failing : 200));
        for (const name of 'abcd') run.put(name);
        at(2_000, () => {
          expect(run.bodies).toEqual(['a,b', 'a,b', 'a,b', 'a,b', 'c,d']);
          expect(run.times.slice(0, 4)).toEqual([1, 102 + 1, 304 + 1, 706 + 1]);
          const keys = run.http.seen.map(({ headers }) => headers['idempotency-key']);
          expect(new Set(keys.slice(0, 4)).size).toBe(1);
          expect(run.acker.log).toEqual(['ack a', 'ack b', 'ack c', 'ack d']);
          expect(run.metric('rxflume_sink_resent_total')).toBe(6);
          run.leave();
        });
      }),
  );

  it('gives up after the attempts, with an error that the source may bring it again for', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ retry: { maxAttempts: 3 } }, () => ({
        status: 503,
        body: 'over  capacity\u001b[2J\n',
      }));
      run.put('a');
      run.put('b');
      at(2_000, () => {
        expect(run.bodies).toHaveLength(3);
        expect(run.acker.nacks).toEqual(['a', 'b']);
        expect(causeOf(run, 'a')).toMatchObject({
          code: 'RXF_HTTP_UNAVAILABLE',
          retryable: true,
          message:
            'POST http://store/chat answered 503 to 2 values, offsets 0 to 1 of test:0: "over capacity [2J". It was tried ' +
            'as often as `retry` allows; the values are redelivered.',
        });
        expect(run.metric('rxflume_sink_failures_total')).toBe(1);
        run.leave();
      });
    }));

  it('gives up when its time is over, also where the target makes it wait', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ retry: { maxAttempts: 1_001 }, sendTimeoutMs: 5_000 }, () => 503);
      run.put('a');
      run.put('b');
      at(4_990, () => expect(run.acker.nacks).toEqual([]));
      at(5_100, () => {
        expect(run.acker.nacks).toEqual(['a', 'b']);
        run.leave();
      });
    }));

  it('waits as long as the server asks, in seconds or by date, up to the bound', () =>
    inVirtualTime((at) => {
      const date = new Date(10_000).toUTCString();
      const asked = ['3', date, '86400'];
      const run = new HttpRun({ retry: { maxRetryAfterMs: 20_000 } }, ({ body }) => {
        const wait = body.includes('a') ? asked.shift() : undefined;
        return wait === undefined ? 200 : { status: 429, headers: { 'retry-after': wait } };
      });
      const other = new RecordingAcker('test:1');
      run.put('a');
      run.put('b');
      // Another stream to the same server waits as well.
      at(1_000, () => {
        run.put('x', {}, other);
        run.put('y', {}, other);
      });
      at(60_000, () => {
        const times = run.http.seen.map(({ at: time }, n) => `${Math.floor(time / 1_000)} ${run.bodies[n]}`);
        expect(times).toEqual(['0 a,b', '3 a,b', '3 x,y', '10 a,b', '30 a,b']);
        expect(run.acker.acks).toEqual(['a', 'b']);
        run.leave();
      });
    }));

  it('a server that never answers, or answers late, is left after the time limit', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ requestTimeoutMs: 1_000, retry: { maxAttempts: 2 } }, () => 'silence');
      run.put('a');
      run.put('b');
      at(5_000, () => {
        expect(run.bodies).toEqual(['a,b', 'a,b']);
        expect(causeOf(run, 'a')).toMatchObject({
          code: 'RXF_HTTP_TIMEOUT',
          retryable: true,
          message:
            'POST http://store/chat: its answer was not whole within 1000 ms (requestTimeoutMs). It is not known whether the server ' +
            'has carried it out.',
        });
        expect(run.http.inFlight).toBe(0);
        run.leave();
      });
    }));

  it('one stream that is retried holds no other up', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ maxInFlight: 1 }, ({ body }) => (body.includes('a') ? 500 : 200));
      const other = new RecordingAcker('test:1');
      run.put('a');
      run.put('b');
      run.put('x', {}, other);
      run.put('y', {}, other);
      at(50, () => {
        expect(other.acks).toEqual(['x', 'y']);
        run.leave();
      });
    }));
});

describe('httpSink, where a server is down', () => {
  it('the breaker lets one try through at a time, then all that waits', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ breaker: { failures: 3, openMs: 2_000 }, batch: { count: 1 } });
      run.http.isUp = false;
      const ackers = Array.from({ length: 6 }, (_, n) => new RecordingAcker(`test:${n}`));
      for (const [n, acker] of ackers.entries()) run.put(`v${n}`, {}, acker);
      at(2_500, () => {
        run.http.isUp = true;
      });
      at(10_000, () => {
        expect(ackers.flatMap(({ acks }) => acks).sort()).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5']);
        expect(run.logEvents.map(({ what }) => what)).toEqual(['RXF_HTTP_UNREACHABLE', 'http.resumed']);
        run.leave();
      });
    }));

  it('counts the failures of one batch too, and forgets them when the server answers', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ breaker: { failures: 2, openMs: 5_000 }, retry: { maxAttempts: 4 } }, (_, n) =>
        n < 2 || n === 3 ? 503 : 200,
      );
      for (const name of 'abcd') run.put(name);
      at(20_000, () => {
        // Twice in a row, then it waits; once, and it does not.
        expect(run.times.map((time) => Math.round(time / 100) / 10)).toEqual([0, 0.1, 5.1, 5.1, 5.2]);
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd']);
        run.leave();
      });
    }));

  it('what waits is nacked together with the one that is given up', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({
        breaker: { failures: 2, openMs: 1_000 },
        maxInFlight: 1,
        retry: { maxAttempts: 4 },
        batch: { count: 1 },
      });
      run.http.isUp = false;
      const ackers = Array.from({ length: 50 }, (_, n) => new RecordingAcker(`test:${n}`));
      for (const [n, acker] of ackers.entries()) run.put(`v${n}`, {}, acker);
      at(10_000, () => {
        expect(ackers.filter(({ unsettled }) => unsettled.length > 0)).toEqual([]);
        expect(ackers[49]?.causes.v49).toMatchObject({ code: 'RXF_HTTP_UNREACHABLE', retryable: true });
        run.leave();
      });
    }));

  it('what waits may become stale while it is nacked', () =>
    inVirtualTime((at) => {
      const options = { order: 'key', maxInFlight: 1, batch: { count: 1 }, retry: { maxAttempts: 1 } } as const;
      const run = new HttpRun({ ...options, breaker: { failures: 1, openMs: 1_000 } });
      run.http.isUp = false;
      const next = new RecordingAcker('test:0');
      const acker: RecordingAcker = new RecordingAcker('test:0', () => {
        if (acker.log.length > 1) return;
        acker.flush$.complete();
        run.put('n', {}, next);
      });
      const other = new RecordingAcker('test:1');
      for (const name of 'ab') run.put(name, {}, acker);
      run.put('x', {}, other);
      at(500, () => {
        expect(acker.nacks).toEqual(['a', 'b']);
        expect(other.nacks).toEqual(['x']);
        expect(run.metric('rxflume_sink_failures_total')).toBe(3);
        run.leave();
        expect(next.unsettled).toEqual([]);
      });
    }));

  it('leaves other servers alone', () =>
    inVirtualTime((at) => {
      const run = new HttpRun(
        { url: (value) => `http://${value[0]}/`, breaker: { failures: 1, openMs: 5_000 }, batch: { count: 1 } },
        ({ url }) => (url.startsWith('http://d') ? 500 : 200),
      );
      const other = new RecordingAcker('test:1');
      run.put('down');
      at(10, () => run.put('up', {}, other));
      at(20, () => {
        expect(other.acks).toEqual(['up']);
        run.leave();
      });
    }));
});

describe('httpSink, rejected', () => {
  it.each([
    [400, 'RXF_HTTP_REJECTED', 'set such values aside'],
    [422, 'RXF_HTTP_REJECTED', 'set such values aside'],
    [401, 'RXF_HTTP_DENIED', 'It would say so to any value: check `url`, `method`, `headers` and `body`.'],
    [404, 'RXF_HTTP_DENIED', 'check `url`'],
    [307, 'RXF_HTTP_REDIRECT', 'to http://elsewhere/new. Redirects are not followed: give the final address as `url`.'],
  ])('%i is %s, at once, and says what to do and no secret', (status, code, advice) =>
    inVirtualTime((at) => {
      const run = new HttpRun(
        {
          url: 'http://store/chat?key=sesame-open',
          headers: { authorization: 'Bearer hidden-token' },
          reject: 'batch',
        },
        () => ({
          status,
          headers: { location: 'http://ann:pw@elsewhere/new?key=sesame-open' },
          body: 'no: Bearer hidden-token for sesame-open',
        }),
      );
      run.put('a');
      run.put('b');
      at(50, () => {
        expect(run.bodies).toEqual(['a,b']);
        expect(run.acker.nacks).toEqual(['a', 'b']);
        const cause = causeOf(run, 'a');
        expect(cause).toMatchObject({ code, retryable: false, details: { status, stream: 'test:0' } });
        expect(cause.message).toContain(
          `POST http://store/chat answered ${status} to 2 values, offsets 0 to 1 of test:0`,
        );
        expect(cause.message).toContain(advice);
        expect(JSON.stringify([cause.message, cause.details, run.logEvents])).not.toMatch(/sesame|hidden|ann|pw@/);
        run.leave();
      });
    }),
  );

  it.each([400, 422])('%i for one value of a batch: that one is nacked, with what the server said of it', (status) =>
    inVirtualTime((at) => {
      const run = new HttpRun({ batch: { count: 8 } }, ({ body }) =>
        body.includes('e') ? { status, body: `unknown field in ${body.trim()}` } : 200,
      );
      for (const name of 'abcdefgh') run.put(name);
      at(200, () => {
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd', 'f', 'g', 'h']);
        expect(run.acker.nacks).toEqual(['e']);
        expect(causeOf(run, 'e')).toMatchObject({ code: 'RXF_HTTP_REJECTED', details: { values: 1, firstOffset: 4 } });
        expect(causeOf(run, 'e').message).toContain('unknown field in');
        run.leave();
      });
    }),
  );

  it('a value whose body, URL or key cannot be made is nacked alone, and the others are stored', () =>
    inVirtualTime((at) => {
      const rubbish = (value: unknown): never => value as never;
      const bad: Record<string, () => never> = {
        a: () => rubbish('not a url'),
        b: () => rubbish(undefined),
        c: () => rubbish(Promise.resolve('http://s/')),
        d: () => rubbish('http://s/\ud800'),
        e: () => {
          throw new Error('no url');
        },
      };
      const url = (value: string) => (value in bad ? bad[value]?.() : 'http://s/') as string;
      const encoded: Record<string, () => never> = {
        f: () => rubbish(undefined),
        g: () => rubbish(Promise.resolve('x')),
        h: () => rubbish('\ud800'),
        i: () => {
          throw new Error('no body');
        },
      };
      const body = {
        contentType: 'text/plain',
        encode: (value: string) => (value in encoded ? encoded[value]?.() : value) as string,
        between: '\n',
      };
      const key = (value: string) => {
        if (value === 'j') throw new Error('no key');
        return value === 'k' ? Object.create(null) : value;
      };
      const run = new HttpRun<string>({ batch: { count: 50 }, url, body, order: 'key', key });
      for (const name of 'abcdefghijklm') run.put(name);
      at(200, () => {
        expect(run.acker.acks.sort()).toEqual(['l', 'm']);
        expect(run.acker.nacks).toEqual([...'abcdefghijk']);
        for (const name of 'abcdefghijk') expect(causeOf(run, name).code).toMatch(/^RXF_SINK_(FORMAT|WRITE)$/);
        run.leave();
      });
    }));

  it('413 halves a batch until it passes, in order; a single value is too large', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ batch: { count: 4 } }, ({ body }) => (body.length > 10 ? 413 : 200));
      for (const name of ['a', 'b', 'c', 'dddddddddd', 'e', 'f', 'g', 'h']) run.put(name);
      at(100, () => {
        expect(run.bodies).toEqual([
          'a,b,c,dddddddddd',
          'a,b',
          'c,dddddddddd',
          'c',
          'dddddddddd',
          'e,f,g,h',
          'e,f',
          'g,h',
        ]);
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'e', 'f', 'g', 'h']);
        expect(causeOf(run, 'dddddddddd')).toMatchObject({ code: 'RXF_HTTP_TOO_LARGE', retryable: false });
        run.leave();
      });
    }));

  it("with reject: 'value' finds the one at fault by halving", () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ batch: { count: 8 }, reject: 'value' }, ({ body }) => (body.includes('e') ? 422 : 200));
      for (const name of 'abcdefgh') run.put(name);
      at(100, () => {
        expect(run.bodies).toEqual(['a,b,c,d,e,f,g,h', 'a,b,c,d', 'e,f,g,h', 'e,f', 'e', 'f', 'g,h']);
        expect(run.acker.nacks).toEqual(['e']);
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd', 'f', 'g', 'h']);
        run.leave();
      });
    }));

  it('a 2xx that is none, by the word of the caller', () =>
    inVirtualTime((at) => {
      const run = new HttpRun(
        {
          reject: 'batch',
          whyRejected: ({ excerpt }) => (excerpt.includes('"errors":true') ? 'some were not stored' : undefined),
        },
        (_, n) => ({ status: 200, body: n === 0 ? '{"errors":true}' : '{"errors":false}' }),
      );
      for (const name of 'abcd') run.put(name);
      at(50, () => {
        expect(run.acker.log).toEqual(['nack a', 'nack b', 'ack c', 'ack d']);
        expect(causeOf(run, 'a').message).toMatch(/answered 200 to 2 values, .*: some were not stored\. /);
        run.leave();
      });
    }));

  it('what a function of the options throws nacks that batch alone', () =>
    inVirtualTime((at) => {
      let asked = 0;
      const run = new HttpRun({
        headers: () => {
          asked += 1;
          if (asked === 1) throw new TypeError('no token');
          return asked === 2 ? { 'x-a': 'b\r\nc' } : {};
        },
      });
      for (const name of 'abcdef') run.put(name);
      at(50, () => {
        expect(run.acker.log).toEqual(['nack a', 'nack b', 'nack c', 'nack d', 'ack e', 'ack f']);
        expect(causeOf(run, 'a')).toMatchObject({ code: 'RXF_SINK_WRITE', retryable: false });
        expect(causeOf(run, 'c')).toMatchObject({ code: 'RXF_OPTION_INVALID' });
        run.leave();
      });
    }));
});

describe('httpSink, at the ends', () => {
  it('does not send again what is stale, nor what waits behind it', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({}, (_, n) => (n === 0 ? { status: 500, afterMs: 20 } : 200));
      for (const name of 'abcde') run.put(name);
      const next = new RecordingAcker('test:0');
      at(5, () => {
        run.acker.flush$.complete();
        run.put('n', {}, next);
        run.put('o', {}, next);
      });
      at(2_000, () => {
        expect(run.bodies).toEqual(['a,b', 'n,o']);
        expect(run.acker.nacks.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
        expect(next.acks).toEqual(['n', 'o']);
        run.leave();
      });
    }));

  it('drops at once what waits for another try when it becomes stale', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({}, (_, n) => (n === 0 ? 500 : 200));
      run.put('a');
      run.put('b');
      at(10, () => {
        run.acker.flush$.complete();
        expect(run.acker.nacks).toEqual(['a', 'b']);
        run.complete();
        expect(run.ended).toBe('complete');
      });
      at(2_000, () => expect(run.bodies).toHaveLength(1));
    }));

  it('sends nothing for what became stale while it waited for its turn', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({ maxInFlight: 1 }, ({ body }) => ({
        status: 200,
        afterMs: body.includes('x') ? 50 : 1,
      }));
      const [other, next] = [new RecordingAcker('test:1'), new RecordingAcker('test:0')];
      for (const name of 'xy') run.put(name, {}, other);
      for (const name of 'abc') run.put(name);
      at(5, () => {
        run.acker.flush$.complete();
        for (const name of 'nop') run.put(name, {}, next);
      });
      at(500, () => {
        expect(run.bodies).toEqual(['x,y', 'n,o', 'p']);
        expect(run.acker.acks).toEqual([]);
        run.leave();
      });
    }));

  it('ends the requests that are under way when it is left', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({}, () => 'silence');
      for (const name of 'abc') run.put(name);
      at(5, () => {
        run.leave();
        expect(run.acker.unsettled).toEqual([]);
        expect(causeOf(run, 'a')).toMatchObject({ code: 'RXF_SINK_STOPPED', retryable: true });
        expect(run.http.inFlight).toBe(0);
      });
    }));

  it('completes only after the last retry', () =>
    inVirtualTime((at) => {
      const run = new HttpRun({}, (_, n) => (n < 2 ? 500 : 200));
      run.put('a');
      run.complete();
      at(100, () => expect(run.ended).toBe(''));
      at(1_000, () => {
        expect(run.ended).toBe('complete');
        expect(run.acker.acks).toEqual(['a']);
      });
    }));
});
