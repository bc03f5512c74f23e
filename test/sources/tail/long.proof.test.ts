import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SinkError } from '../../../src/core/errors.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import { tailSource } from '../../../src/sources/tail/tail-source.js';
import { MemoryLocalFiles } from '../../../src/testing/index.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** What happens to the log, or to its reader, one step every 700 ms. */
type Step =
  | { readonly kind: 'write'; readonly lines: number; readonly halves: boolean }
  | { readonly kind: 'rotate' | 'truncate' | 'crash' | 'nack' | 'remount' | 'pass' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      lines: fc.integer({ min: 1, max: 4 }),
      halves: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Step>({ kind: 'rotate' }, { kind: 'crash' }, { kind: 'nack' }, { kind: 'pass' }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'truncate' }, { kind: 'remount' }) },
);

/** A ledger as a file sink keeps it: of each stream the lines that are stored, and the offset behind them, changed in one step. */
class Lake {
  readonly stored: string[] = [];
  readonly #next = new Map<string, number>();
  #held: Delivery<Buffer>[] = [];

  readonly offsetStore = (streams: readonly string[]) => [
    new Map(streams.flatMap((stream) => (this.#next.has(stream) ? [[stream, this.#next.get(stream) as number]] : []))),
  ];

  take(delivery: Delivery<Buffer>): void {
    this.#held.push(delivery);
    delivery.release();
  }

  /** Stores all that is held, in order of its streams, and acks it; or loses it. */
  commit(): void {
    for (const { value, origin } of this.#held) {
      const from = this.#next.get(origin.stream) ?? 0;
      if (origin.offset < from) throw new Error(`${origin.stream} ${origin.offset} was stored before`);
      this.#next.set(origin.stream, (origin.lastOffset ?? origin.offset) + 1);
      this.stored.push(value.toString());
    }
    for (const delivery of this.#held.splice(0)) delivery.ack();
  }

  lose(): Delivery<Buffer>[] {
    return this.#held.splice(0);
  }
}

describe('tailSource, with its position in a ledger', () => {
  it('stores each line once, whatever happens to file and reader, but for what was cut before it was read', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.record({
          reads: fc.constantFrom(3, 17, 100_000),
          birth: fc.boolean(),
          reuse: fc.boolean(),
          keep: fc.integer({ min: 1, max: 3 }),
          open: fc.constantFrom(1, 512),
          latency: fc.constantFrom(0, 3),
        }),
        (steps, { reads, birth, reuse, keep, open, latency }) => {
          const files = new MemoryLocalFiles({
            readBytes: () => reads,
            hasBirthTimes: birth,
            reusesInodes: reuse,
            latencyMs: latency,
          });
          const lake = new Lake();
          const written: string[] = [];
          /** Lines that were cut away, which may or may not be stored, once at most. */
          const undecided = new Set<string>();
          let half = '';
          inVirtualTime((at) => {
            let run: SourceRun<Buffer> | undefined;
            const start = () => {
              const source = tailSource(files, {
                paths: ['/log/a.log', '/log/a.log.*'],
                positionFile: '/state/p',
                resumeFrom: lake.offsetStore,
                maxOpenFiles: open,
                scanIntervalMs: 200,
                pollIntervalMs: 50,
                goneAfterMs: 2_000,
                redeliver: { firstDelayMs: 100, maxDelayMs: 100 },
              });
              run = new SourceRun(source, undefined, (delivery) => lake.take(delivery));
            };
            const play = (one: Step) => {
              if (one.kind === 'write') {
                for (let n = 0; n < one.lines; n += 1) {
                  const line = `line ${written.length}`;
                  written.push(line);
                  files.append('/log/a.log', `${half}${line}\n`);
                  half = '';
                }
                if (!one.halves) return;
                const line = `line ${written.length}`;
                written.push(line);
                files.append('/log/a.log', line.slice(0, 3));
                half = line.slice(3);
                // The end of it comes with the next line that is written.
                half += '\n';
              } else if (one.kind === 'rotate' && files.paths.includes('/log/a.log') && half === '') {
                for (let n = keep; n >= 1; n -= 1) {
                  const from = n === 1 ? '/log/a.log' : `/log/a.log.${n - 1}`;
                  if (!files.paths.includes(from)) continue;
                  // The last one is deleted: only what is stored by then may go.
                  if (files.paths.includes(`/log/a.log.${n}`)) lake.commit();
                  files.rename(from, `/log/a.log.${n}`);
                }
              } else if (one.kind === 'truncate' && files.paths.includes('/log/a.log')) {
                for (const line of files.text('/log/a.log').split('\n')) undecided.add(line);
                if (half !== '') undecided.add(written.at(-1) as string);
                half = '';
                files.truncate('/log/a.log');
              } else if (one.kind === 'crash') {
                run?.leave();
                lake.lose();
                start();
              } else if (one.kind === 'nack') {
                for (const delivery of lake.lose()) delivery.nack(new SinkError('RXF_SINK_WRITE', 'busy'));
              } else if (one.kind === 'remount') files.dev += 1n;
              else lake.commit();
            };
            start();
            for (const [n, one] of steps.entries()) at(700 * (n + 1), () => play(one));
            const end = 700 * (steps.length + 1);
            at(end, () => {
              if (half !== '') files.append('/log/a.log', half);
              // A nack of what was cut meanwhile ends the source, and says so.
              if (run?.ended === 'error') {
                expect([run.error?.code, undecided.size > 0]).toEqual(['RXF_TAIL_DATA_LOST', true]);
                lake.lose();
                start();
              }
            });
            for (const ms of [3_000, 6_000, 9_000]) at(end + ms, () => lake.commit());
            at(end + 12_000, () => {
              lake.commit();
              run?.leave();
            });
          });
          const certain = (lines: readonly string[]) => lines.filter((line) => !undecided.has(line)).sort();
          expect(certain(lake.stored)).toEqual(certain(written));
          expect(new Set(lake.stored).size).toBe(lake.stored.length);
        },
      ),
      { numRuns: 2_500 },
    );
  });
});
