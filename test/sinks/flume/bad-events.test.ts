import { describe, expect, it } from '@jest/globals';
import { Monitor } from '../../../src/core/monitor.js';
import { toFlumeAvro } from '../../../src/formats/flume-avro.js';
import { flumeAvroFile } from '../../../src/formats/flume-avro-file.js';
import type { FlumeEvent } from '../../../src/formats/flume-event.js';
import type { FlumeStatus } from '../../../src/ports/flume-rpc.js';
import { flumeSink } from '../../../src/sinks/flume/flume-sink.js';
import type { FlumeSinkOptions } from '../../../src/sinks/flume/options.js';
import { MemoryFlume, type MemoryFlumeBatch } from '../../../src/testing/memory/memory-flume.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type Answer = FlumeStatus | { readonly error: string };

/** One agent that answers each batch by its events; what it was asked, and what it has. */
function start(answer: (names: readonly string[]) => Answer, options: FlumeSinkOptions = {}) {
  const flume = new MemoryFlume();
  const asked: string[][] = [];
  const landed: string[] = [];
  flume
    .server()
    .listen({
      batch: (batch) => {
        const names = batch.events.map(({ body }) => String(body));
        asked.push(names);
        const answered = answer(names);
        if (answered === 'OK') landed.push(...names);
        if (typeof answered === 'string') batch.reply(answered);
        else (batch as MemoryFlumeBatch).fail(answered.error);
      },
      clients: () => undefined,
      logEvent: () => undefined,
    })
    .subscribe();
  const sink = flumeSink(flume, {
    batch: { count: 100, maxWaitMs: 10 },
    monitor: new Monitor(),
    ...options,
    retry: { firstDelayMs: 100, random: () => 0, ...options.retry },
  });
  return Object.assign(new SinkRun<FlumeEvent>(sink.write()), { flume, asked, landed });
}

const eventOf = (name: string): FlumeEvent => ({ headers: {}, body: Buffer.from(name) });
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `${at}`);

function put(run: SinkRun<FlumeEvent>, names: readonly string[]) {
  for (const name of names) run.put(eventOf(name), {}, run.acker, name);
}

const within = (bad: readonly string[], answer: Answer) => (names: readonly string[]) =>
  names.some((name) => bad.includes(name)) ? answer : 'OK';

describe('a batch that an agent rejects for some of its events', () => {
  it.each<[string, number, string[]]>([
    ['the first', 100, ['0']],
    ['the last', 100, ['99']],
    ['one in the middle', 100, ['37']],
    ['the first two', 100, ['0', '1']],
    ['several', 100, ['3', '4', '50', '98']],
    ['one of two', 2, ['1']],
    ['the first of two', 2, ['0']],
    ['one of three', 3, ['1']],
  ])('lands all the others, in order, with a bounded number of requests: %s', (_, count, bad) =>
    inVirtualTime((at) => {
      const run = start(within(bad, { error: 'NumberFormatException: For input string' }));
      const names = numbered(count);
      at(2, () => {
        put(run, names);
        run.complete();
      });
      at(60_000, () => {
        const good = names.filter((name) => !bad.includes(name));
        expect(run.landed).toEqual(good);
        expect(run.acker.acks).toEqual(good);
        expect(run.acker.nacks).toEqual(bad);
        for (const name of bad) {
          // Behind the last one nothing was taken that would clear the agent.
          const retryable = Number(name) === count - 1;
          const cause = { code: 'RXF_FLUME_EVENT_REJECTED', retryable, details: { offset: Number(name) } };
          expect(run.acker.causes[name]).toMatchObject(cause);
        }
        // The batch, its first event, and the halves.
        const bound = 3 + bad.length * 2 * Math.ceil(Math.log2(count));
        expect(run.asked.length).toBeLessThanOrEqual(bound);
        expect(run.ended).toBe('complete');
      });
    }),
  );

  it('an event that is rejected by an error, between two that are taken, is nacked for good', () =>
    inVirtualTime((at) => {
      const run = start(within(['5'], { error: 'NumberFormatException: For input string' }));
      at(2, () => put(run, numbered(10)));
      at(60_000, () => {
        expect(run.acker.nacks).toEqual(['5']);
        expect(run.acker.causes['5']).toMatchObject({ code: 'RXF_FLUME_EVENT_REJECTED', retryable: false });
        expect(String(run.acker.causes['5'])).toContain('NumberFormatException');
        run.leave();
      });
    }));

  it('an error to the last event of a batch may still be the agent, which ends', () =>
    inVirtualTime((at) => {
      const run = start(within(['9'], { error: 'IllegalStateException: Channel closed' }));
      at(2, () => put(run, numbered(10)));
      at(60_000, () => {
        expect(run.acker.causes['9']).toMatchObject({ code: 'RXF_FLUME_EVENT_REJECTED', retryable: true });
        run.leave();
      });
    }));

  it('a batch that is larger than the transaction of the channel lands in parts', () =>
    inVirtualTime((at) => {
      const run = start((names) => (names.length > 30 ? { error: 'ChannelException' } : 'OK'));
      at(2, () => put(run, numbered(100)));
      at(60_000, () => {
        expect(run.landed).toEqual(numbered(100));
        expect(run.acker.nacks).toEqual([]);
        run.leave();
      });
    }));

  it.each<Answer>(['FAILED', 'UNKNOWN', { error: 'IllegalStateException: Channel closed' }])(
    'a full channel is no event: some are tried alone, then all of the batch is nacked (%p)',
    (answer) =>
      inVirtualTime((at) => {
        const run = start(() => answer);
        at(2, () => put(run, numbered(100)));
        at(60_000, () => {
          expect(run.asked.map(({ length }) => length)).toEqual(typeof answer === 'string' ? [100] : [100, 1, 1, 1]);
          expect(run.acker.nacks).toEqual(numbered(100));
          for (const name of numbered(100)) {
            expect(run.acker.causes[name]).toMatchObject({ code: 'RXF_FLUME_REJECTED', retryable: true });
          }
          run.leave();
        });
      }),
  );

  it.each<[string, Answer, string[]]>([
    ['a status', 'FAILED', []],
    ['an error', { error: 'ChannelFullException' }, numbered(10)],
  ])('a channel that fills up rejects the rest, and blames no event: %s', (_, answer, landed) =>
    inVirtualTime((at) => {
      let room = 10;
      const run = start((names) => {
        if (names.length > room) return answer;
        room -= names.length;
        return 'OK';
      });
      at(2, () => put(run, numbered(100)));
      at(60_000, () => {
        expect(run.landed).toEqual(landed);
        expect(run.acker.nacks).toEqual(numbered(100).slice(landed.length));
        const codes = new Set(run.acker.nacks.map((name) => (run.acker.causes[name] as { code: string }).code));
        expect(codes).toEqual(new Set(['RXF_FLUME_REJECTED']));
        run.leave();
      });
    }),
  );

  it('what comes behind it in its stream is not sent before the search is over', () =>
    inVirtualTime((at) => {
      const run = start(within(['b'], { error: 'NumberFormatException' }), { batch: { count: 4, maxWaitMs: 10 } });
      at(2, () => put(run, [...'abcdefgh']));
      at(60_000, () => {
        expect(run.landed).toEqual([...'acdefgh']);
        run.leave();
      });
    }));

  it('the end of its epoch ends the search: nothing more is sent, and all is settled', () =>
    inVirtualTime((at) => {
      const run = start(within(['b'], { error: 'NumberFormatException' }));
      at(2, () => put(run, [...'abcdefgh']));
      at(20, () => {
        expect(run.asked).toHaveLength(1);
        run.acker.flush$.complete();
      });
      at(60_000, () => {
        expect(run.asked).toHaveLength(1);
        expect(run.acker.unsettled).toEqual([]);
        run.leave();
      });
    }));

  it('a stop in the middle of the search settles all of it', () =>
    inVirtualTime((at) => {
      const run = start(within(['b'], { error: 'NumberFormatException' }));
      at(2, () => put(run, [...'abcdefgh']));
      at(160, () => {
        expect(run.asked.length).toBeGreaterThan(1);
        run.leave();
        expect(run.acker.unsettled).toEqual([]);
      });
    }));

  it('an agent that goes away in the middle of the search: what is left is nacked as any batch is', () =>
    inVirtualTime((at) => {
      const run = start((names) => (names.includes('c') ? { error: 'NumberFormatException' } : 'OK'), {
        retry: { maxAttempts: 2, firstDelayMs: 10 },
      });
      at(2, () => put(run, [...'abcdefgh']));
      at(20, () => {
        for (let time = 0; time < 50; time += 1) at(20 + time, () => run.flume.cut());
      });
      at(60_000, () => {
        expect(run.acker.unsettled).toEqual([]);
        run.leave();
      });
    }));
});

describe('an event that cannot be sent', () => {
  const cases: readonly [string, FlumeEvent][] = [
    ['an unpaired surrogate in a header', { headers: { lang: 'a\ud800' }, body: Buffer.from('x') }],
    ['an unpaired surrogate in a name', { headers: { 'a\udc00': 'a' }, body: Buffer.from('x') }],
    ['a header that is no text', { headers: { n: 1 } as never, body: Buffer.from('x') }],
    ['no headers', { headers: null as never, body: Buffer.from('x') }],
    ['a body of 2 GiB', { headers: {}, body: hugeBody() }],
    ['a getter that throws', Object.defineProperty({ body: Buffer.from('x') }, 'headers', { get: boom }) as never],
  ];

  it.each(cases)('is nacked alone, with a code, before anything is sent: %s', (_, event) =>
    inVirtualTime((at) => {
      const run = start(() => 'OK');
      at(2, () => {
        put(run, ['a']);
        run.put(event, {}, run.acker, 'bad');
        put(run, ['c']);
      });
      at(100, () => {
        expect(run.asked).toEqual([['a', 'c']]);
        expect(run.acker.nacks).toEqual(['bad']);
        expect(run.acker.causes.bad).toMatchObject({ code: 'RXF_SINK_FORMAT', retryable: false });
        run.leave();
      });
    }),
  );

  it.each(cases.slice(0, 2))('nor is it written to a file or a Kafka value: %s', (_, event) => {
    expect(() => toFlumeAvro(event)).toThrow(/header "a.*surrogate|header "lang".*surrogate/);
    expect(() => flumeAvroFile().encoder().add(event)).toThrow('surrogate');
  });
});

function boom(): never {
  throw new Error('boom');
}

/** Bytes that take no memory. */
function hugeBody(): Uint8Array {
  return Object.defineProperty(new Uint8Array(0), 'length', { value: 2 ** 31 });
}
