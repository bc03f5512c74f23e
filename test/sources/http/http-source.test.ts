import { describe, expect, it } from '@jest/globals';
import { DecodeError, SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { FlumeEvent } from '../../../src/formats/flume-event.js';
import type { HttpReply } from '../../../src/ports/http-server.js';
import { httpSource } from '../../../src/sources/http/http-source.js';
import type { HttpSourceOptions } from '../../../src/sources/http/options.js';
import { MemoryHttpServer, type MemoryPost } from '../../../src/testing/memory/memory-http-server.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type At = (ms: number, action: () => void) => void;

/** A source that listens from 1 ms on; what is posted at 2 ms arrives at 3 ms, and its answer 1 ms after it is given. */
function running(options: Partial<HttpSourceOptions>, body: (run: ReturnType<typeof start>, at: At) => void) {
  inVirtualTime((at) => {
    const run = start(options);
    at(2, () => body(run, at));
    at(100_000, () => run.leave());
  });
}

function start(options: Partial<HttpSourceOptions>) {
  const server = new MemoryHttpServer();
  const monitor = new Monitor();
  const run = new SourceRun<unknown>(httpSource(server, { name: 't', monitor, ...options }));
  const post = (request: MemoryPost) => {
    const answers: HttpReply[] = [];
    const life = server.send(request).subscribe({ next: (answer) => answers.push(answer), error: () => undefined });
    return {
      get status() {
        return answers[0]?.status;
      },
      get headers() {
        return answers[0]?.headers;
      },
      get said() {
        return JSON.parse(answers[0]?.body ?? '{}') as Record<string, unknown>;
      },
      leave: () => life.unsubscribe(),
    };
  };
  return Object.assign(run, { post, monitor, values: () => run.seen.map(({ value }) => value) });
}

const NDJSON = { 'content-type': 'application/x-ndjson; charset=utf-8' };

describe('httpSource', () => {
  it('answers 200 when every value of a request is acked, and not before', () =>
    running({}, (run, at) => {
      const answer = run.post({ body: '[{"id":1},{"id":2}]' });
      at(5, () => {
        expect(run.values()).toEqual([{ id: 1 }, { id: 2 }]);
        run.seen[1]?.ack();
      });
      at(20, () => {
        expect(answer.status).toBeUndefined();
        run.seen[0]?.ack();
      });
      at(25, () => expect([answer.status, answer.said]).toEqual([200, { accepted: 2 }]));
    }));

  it.each<[string, Partial<HttpSourceOptions>, MemoryPost, unknown[]]>([
    ['one value', {}, { body: '{"id":1}' }, [{ id: 1 }]],
    ['a text', {}, { body: '"a"' }, ['a']],
    ['lines', {}, { headers: NDJSON, body: '{"id":1}\r\n\n[2]\n3' }, [{ id: 1 }, [2], 3]],
    ['JSON of a vendor', {}, { headers: { 'content-type': 'Application/vnd.a+JSON' }, body: '[1]' }, [1]],
    [
      'bytes',
      { body: 'bytes' },
      { headers: { 'content-type': 'image/png' }, body: Buffer.of(0, 255) },
      [Buffer.of(0, 255)],
    ],
  ])('reads %s', (_, options, request, expected) =>
    running(options, (run, at) => {
      run.post(request);
      at(5, () => expect(JSON.stringify(run.values())).toBe(JSON.stringify(expected.map((value) => value))));
    }),
  );

  it('reads the events of Flume’s JSONHandler', () =>
    running({ body: 'flume' }, (run, at) => {
      run.post({ body: '[{"headers":{"a":"b","__proto__":"c"},"body":"é"},{},{"headers":{"n":5,"b":true},"body":7}]' });
      at(5, () => {
        const [first, second, third] = run.values() as FlumeEvent[];
        expect({ ...third?.headers, body: String(Buffer.from(third?.body ?? [])) }).toEqual({
          n: '5',
          b: 'true',
          body: '7',
        });
        expect(Object.entries(first?.headers ?? {})).toEqual([
          ['a', 'b'],
          ['__proto__', 'c'],
        ]);
        expect([Buffer.from(first?.body ?? []).toString(), second?.body.length]).toEqual(['é', 0]);
      });
    }));

  it.each<[number, Partial<HttpSourceOptions>, MemoryPost, number | undefined]>([
    [400, {}, { body: '[1,2' }, undefined],
    [400, {}, { headers: NDJSON, body: '1\n2\n{bad\n4' }, 2],
    [400, {}, { body: '[9007199254740993]' }, undefined],
    [400, { body: 'flume' }, { body: '{"body":"a"}' }, undefined],
    [400, { body: 'flume' }, { body: '[{"body":"a"},{"body":[1]}]' }, 1],
    [400, { body: 'flume' }, { body: '[{"headers":{"a":[1]}}]' }, 0],
    [400, {}, { headers: { 'idempotency-key': 'k'.repeat(256) }, body: '1' }, undefined],
    [404, {}, { path: '/other', body: '1' }, undefined],
    [405, {}, { method: 'GET' }, undefined],
    [413, { maxBatchCount: 2 }, { body: '[1,2,3]' }, undefined],
    [413, { maxBatchCount: 2 }, { headers: NDJSON, body: '1\n2\n3' }, undefined],
    [415, {}, { headers: { 'content-type': 'text/csv' }, body: '1' }, undefined],
    [415, { body: 'flume' }, { headers: NDJSON, body: '1' }, undefined],
  ])('answers %d, and delivers nothing of it: %j %j', (status, options, request, index) =>
    running(options, (run, at) => {
      const answer = run.post(request);
      at(10, () => {
        expect([answer.status, answer.said.index, run.seen.length]).toEqual([status, index, 0]);
        expect(answer.said.message).toMatch(/\.$/);
      });
    }),
  );

  it('answers an empty list at once', () =>
    running({}, (run, at) => {
      const answer = run.post({ body: '[]' });
      at(5, () => expect([answer.status, answer.said]).toEqual([200, { accepted: 0 }]));
    }));

  it('answers a nack with the index, and how many others are durable; 422 where sending again is no use', () =>
    running({}, (run, at) => {
      const away = run.post({ body: '[1,2,3]' });
      const wrong = run.post({ body: '[4]' });
      at(5, () => {
        run.seen[0]?.ack();
        run.seen[2]?.nack(new SinkError('RXF_SINK_WRITE', 'disk full'));
        run.seen[3]?.nack(new DecodeError('RXF_DECODE_SHAPE', 'no id'));
      });
      at(10, () => {
        expect([away.status, away.headers?.['retry-after'], away.said]).toEqual([
          503,
          '1',
          { message: expect.stringContaining('disk full'), index: 2, durable: 1 },
        ]);
        expect([wrong.status, wrong.said.index]).toEqual([422, 0]);
        expect(run.ended).toBe('');
      });
    }));

  it('answers 503 while the window is full, and takes requests again after', () =>
    running({ window: { count: 2 }, retryAfterMs: 2_500 }, (run, at) => {
      run.post({ body: '[1,2,3]' });
      let busy: ReturnType<typeof run.post>;
      at(5, () => {
        busy = run.post({ body: '[4]' });
      });
      at(10, () => {
        expect([run.seen.length, busy.status, busy.headers]).toEqual([2, 503, { 'retry-after': '3' }]);
        for (const delivery of run.seen) delivery.ack();
      });
      at(11, () => run.seen[2]?.ack());
      at(12, () => run.post({ body: '[5]' }));
      at(20, () => expect(run.values()).toEqual([1, 2, 3, 5]));
    }));

  it('asks its holders to settle, and answers 503 where that takes too long', () =>
    running({ answerTimeoutMs: 5_000 }, (run, at) => {
      const answer = run.post({ body: '[1]' });
      at(1_300, () => expect(run.asked).toContain('settle'));
      at(4_900, () => expect(answer.status).toBeUndefined());
      at(5_300, () => {
        expect([answer.status, answer.said.message]).toEqual([503, expect.stringContaining('5000 ms')]);
        run.seen[0]?.ack();
      });
    }));

  it('answers a drain: what is out is awaited, what comes is sent away', () =>
    running({ window: { count: 1 } }, (run, at) => {
      const out = run.post({ body: '[1]' });
      at(5, () => run.drain());
      at(6, () => {
        const late = run.post({ body: '[2]' });
        at(5, () => expect([late.status, run.ended]).toEqual([503, '']));
      });
      at(20, () => run.seen[0]?.ack());
      at(30, () => expect([out.status, run.ended]).toEqual([200, 'complete']));
    }));

  it('counts what was acked when its client had gone', () =>
    running({}, (run, at) => {
      const answer = run.post({ body: '[1,2]' });
      at(5, () => answer.leave());
      at(6, () => {
        for (const delivery of run.seen) delivery.ack();
        expect(run.monitor.total('rxflume_source_unheard_total')).toBe(2);
      });
    }));
});

describe('an Idempotency-Key', () => {
  const keyed = (key: string, body: string): MemoryPost => ({ headers: { 'idempotency-key': key }, body });

  it('that became durable is answered again, and not delivered again', () =>
    running({}, (run, at) => {
      const first = run.post(keyed('k', '[1]'));
      at(5, () => run.seen[0]?.ack());
      let again: ReturnType<typeof run.post>;
      let other: ReturnType<typeof run.post>;
      at(10, () => {
        again = run.post(keyed('k', '[1]'));
        other = run.post(keyed('k', '[2]'));
      });
      at(20, () => {
        expect([first.status, again.status, again.headers, other.status]).toEqual([
          200,
          200,
          { 'idempotency-replayed': 'true' },
          422,
        ]);
        expect(run.seen).toHaveLength(1);
      });
    }));

  it('that comes twice at once waits for the answer of the first, even where the first client has gone', () =>
    running({}, (run, at) => {
      const first = run.post(keyed('k', '[1]'));
      const again = run.post(keyed('k', '[1]'));
      at(5, () => first.leave());
      at(6, () => run.seen[0]?.ack());
      at(10, () => {
        expect([again.status, run.seen.length]).toEqual([200, 1]);
        expect(run.monitor.total('rxflume_source_unheard_total')).toBe(0);
      });
    }));

  it('is new again after a nack, and once it is forgotten', () =>
    running({ maxKeys: 1 }, (run, at) => {
      run.post(keyed('k', '[1]'));
      at(5, () => run.seen[0]?.nack(new Error('away')));
      at(10, () => run.post(keyed('k', '[1]')));
      at(15, () => run.seen[1]?.ack());
      at(20, () => run.post(keyed('other', '[2]')));
      at(30, () => run.post(keyed('k', '[1]')));
      at(40, () => expect(run.values()).toEqual([1, 1, 2, 1]));
    }));

  it('is busy where too many wait for its answer', () =>
    running({}, (run, at) => {
      const all = Array.from({ length: 18 }, () => run.post(keyed('k', '[1]')));
      at(5, () => expect(all.map(({ status }) => status).filter((status) => status !== undefined)).toEqual([409]));
    }));
});
