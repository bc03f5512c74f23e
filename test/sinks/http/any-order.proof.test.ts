import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HttpScript } from '../../../src/testing/memory/memory-http.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { HttpRun } from './http-run.js';

/** A value of a stream, a stream read anew, or something the source wants; after a wait. */
type Step = { readonly waitMs: number } & (
  | { readonly what: 'value'; readonly stream: number; readonly size: number; readonly key: number }
  | { readonly what: 'anew'; readonly stream: number }
  | { readonly what: 'want'; readonly stream: number }
);

const stream = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.record({ waitMs: fc.constantFrom(0, 0, 0, 1, 3, 15, 200) }).chain(({ waitMs }) =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        waitMs: fc.constant(waitMs),
        what: fc.constant('value' as const),
        stream,
        size: fc.integer({ min: 1, max: 40 }),
        key: fc.integer({ min: 0, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.constant(waitMs), what: fc.constant('anew' as const), stream }) },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.constant(waitMs), what: fc.constant('want' as const), stream }) },
  ),
);
const script: fc.Arbitrary<HttpScript> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ status: fc.constant(200), afterMs: fc.integer({ min: 0, max: 30 }) }) },
  { weight: 1, arbitrary: fc.constantFrom<HttpScript>('reset', 'silence', 400, 404, 413, 429, 500, 503) },
  { weight: 1, arbitrary: fc.constant<HttpScript>({ status: 429, headers: { 'retry-after': '1' } }) },
);

interface Put {
  readonly name: string;
  readonly stream: string;
  readonly epoch: number;
  readonly key: number;
}

describe('httpSink, under any order of values, answers and ends', () => {
  it.each(['stream', 'key', 'none'] as const)('order: %s', (order) => {
    const runs = fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 40 }),
      scripts: fc.array(script, { minLength: 1, maxLength: 30 }),
      maxInFlight: fc.integer({ min: 1, max: 4 }),
      reject: fc.constantFrom('batch' as const, 'value' as const),
      end: fc.constantFrom('complete' as const, 'leave' as const),
      rewinds: fc.boolean(),
    });
    fc.assert(
      fc.property(runs, ({ steps, scripts, maxInFlight, reject, end, rewinds }) =>
        inVirtualTime((at) => {
          const taken = new Set<string>();
          const tries = new Map<string, number>();
          let most = 0;
          const run: HttpRun = new HttpRun(
            {
              order,
              maxInFlight,
              reject,
              requestTimeoutMs: 500,
              batch: { count: 3, bytes: 60, maxWaitMs: 10 },
              breaker: { failures: 3, openMs: 300 },
              retry: { maxAttempts: 4, firstDelayMs: 20 },
            },
            ({ body, headers }, n) => {
              const key = headers['idempotency-key'] as string;
              tries.set(`${key} ${body}`, (tries.get(`${key} ${body}`) ?? 0) + 1);
              most = Math.max(most, run.http.inFlight);
              const names = body
                .trim()
                .split('\n')
                .map((line) => (JSON.parse(line) as string).trim());
              const answer = scripts[n % scripts.length] as HttpScript;
              if (typeof answer === 'object' && answer.status === 200) for (const name of names) taken.add(name);
              return answer;
            },
          );
          let hasEnded = false;
          const ackers: RecordingAcker[] = [];
          const all: { acker: RecordingAcker; puts: Put[] }[] = [];
          const readAnew = (n: number) => {
            const before = ackers[n];
            // As a source does that reads again from what was nacked: its epoch is over before the call returns.
            const acker: RecordingAcker = new RecordingAcker(`test:${n}`, (settlement) => {
              if (rewinds && settlement.startsWith('nack') && ackers[n] === acker) readAnew(n);
            });
            ackers[n] = acker;
            all.push({ acker, puts: [] });
            before?.flush$.complete();
            // And it may bring more within the call: here a batch of its own.
            if (before === undefined || !rewinds || hasEnded || all.length > 20) return;
            const name = `r${all.length}`;
            run.give(acker.deliver(name.padEnd(70), { offset: 1_000 + all.length }, name));
          };
          for (const n of [0, 1, 2]) readAnew(n);
          let time = 0;
          for (const [n, one] of steps.entries()) {
            time += one.waitMs;
            at(time, () => {
              const own = ackers[one.stream] as RecordingAcker;
              if (one.what === 'want') own.flush$.next('settle');
              else if (one.what === 'anew') readAnew(one.stream);
              else {
                const name = `v${n}`;
                const key = Buffer.from(`k${one.key}`);
                const delivery = own.deliver(name.padEnd(one.size), { offset: n, key }, name);
                all.find(({ acker }) => acker === own)?.puts.push({ name, stream: own.stream, epoch: 1, key: one.key });
                run.give(delivery);
              }
            });
          }
          at(time + (end === 'complete' ? 0 : 5), () => {
            hasEnded = true;
            if (end === 'complete') run.complete();
            else run.leave();
          });
          at(60_000, () => {
            expect(run.ended).toBe(end === 'complete' ? 'complete' : '');
            expect(run.http.inFlight).toBe(0);
            expect(most).toBeLessThanOrEqual(maxInFlight);
            expect(Math.max(0, ...tries.values())).toBeLessThanOrEqual(4);
            for (const { acker, puts } of all) {
              expect(acker.unsettled).toEqual([]);
              expect(acker.acks.filter((name) => !taken.has(name))).toEqual([]);
              // In one order, values are stored as they were put.
              const sendQueues =
                order === 'stream' ? [puts] : [0, 1, 2, 3, 4].map((key) => puts.filter((put) => put.key === key));
              if (order === 'none') continue;
              for (const sendQueue of sendQueues) {
                const stored = [...taken];
                const firsts = sendQueue.map(({ name }) => stored.indexOf(name)).filter((first) => first >= 0);
                expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
              }
            }
          });
        }),
      ),
      { numRuns: 300 },
    );
  });
});
