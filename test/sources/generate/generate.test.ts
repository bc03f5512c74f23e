import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NEVER } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { guaranteeOf } from '../../../src/flow/guarantee.js';
import { generateSource } from '../../../src/sources/generate/generate-source.js';
import type { GenerateOptions, GenerateRecord } from '../../../src/sources/generate/options.js';
import { recordRandom } from '../../../src/sources/generate/record-random.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type At = Parameters<Parameters<typeof inVirtualTime>[0]>[0];

/** Runs it in virtual time: `said` is what came, with when it came. */
function running<T>(
  record: GenerateRecord<T>,
  options: Partial<GenerateOptions<T>>,
  check: (run: SourceRun<T>, said: readonly string[], at: At) => void,
): void {
  inVirtualTime((at) => {
    let now = 0;
    for (let ms = 0; ms <= 40; ms += 1) {
      at(ms, () => {
        now = ms;
      });
    }
    const said: string[] = [];
    const source = generateSource(record, { name: 'g', monitor: new Monitor(), ...options });
    const run = new SourceRun(source, NEVER, ({ value }) => said.push(`${String(value)}@${now}`));
    check(run, said, at);
    at(20_000, () => run.leave());
  });
}

const letter = (seq: number) => 'abcdefghijklmnopqrstuvwxyz'.charAt(seq % 26);

describe('generateSource', () => {
  it('is as drawn: at its rate, one by one or in bursts, and completes once all is settled', () => {
    running(letter, { perSecond: 500, count: 4 }, (run, said, at) => {
      at(9, () => expect([said, run.ended]).toEqual([['a@0', 'b@2', 'c@4', 'd@6'], '']));
      at(10, () => {
        run.seen[0]?.acker.ack(0, 4);
        expect(run.ended).toBe('complete');
      });
    });
    running(letter, { perSecond: 500, burst: 2, count: 4 }, (_, said, at) =>
      at(9, () => expect(said).toEqual(['a@0', 'b@0', 'c@4', 'd@4'])),
    );
  });

  it('keeps the mean rate where a record takes no whole number of milliseconds', () =>
    running(letter, { perSecond: 300 }, (run, said, at) => {
      at(12, () => expect(said).toEqual(['a@0', 'b@4', 'c@7', 'd@10']));
      at(10_001, () => expect(run.seen).toHaveLength(3_001));
    }));

  it('holds back what the window has no room for, and catches up with its rate', () =>
    running(letter, { perSecond: 1_000, window: { count: 2 } }, (run, said, at) => {
      at(10, () => {
        expect(said).toEqual(['a@0', 'b@1']);
        run.onNext = (delivery) => delivery.ack();
        for (const delivery of [...run.seen]) delivery.ack();
      });
      at(15, () => {
        expect(run.seen.map(({ origin }) => origin.timestamp)).toEqual(Array.from({ length: 15 }, (_, ms) => ms));
        run.leave();
      });
    }));

  it('takes turns with other work where no rate is set, and ends', () =>
    running(
      (seq) => seq,
      { perSecond: Number.POSITIVE_INFINITY, count: 2_500 },
      (run, _, at) => {
        at(1, () => {
          expect(run.seen.map(({ value }) => value)).toEqual(Array.from({ length: 2_500 }, (_, seq) => seq));
          run.seen[0]?.acker.ack(0, 2_500);
          expect(run.ended).toBe('complete');
        });
      },
    ));

  it('drains: generates no more, and completes when all is settled', () =>
    running(letter, { perSecond: 1_000 }, (run, said, at) => {
      at(3, () => run.drain());
      at(10, () => {
        expect([said.length, run.asked, run.ended]).toEqual([3, ['settle'], '']);
        run.seen[0]?.acker.ack(0, 4);
        expect(run.ended).toBe('complete');
      });
    }));

  it('ends at a nack, and with what the function throws, once what is out is settled', () => {
    running(letter, { perSecond: 1_000 }, (run, _, at) => {
      at(2, () => run.seen[1]?.nack(new SinkError('RXF_SINK_WRITE', 'busy')));
      at(5, () => {
        expect([run.seen.length, run.ended]).toEqual([2, '']);
        run.seen[0]?.ack();
        expect(run.end).toBe('error RXF_SOURCE_NACKED');
        expect(run.error?.message).toContain('generates all records again, from the first one on');
      });
    });
    const record = (seq: number) => {
      if (seq === 2) throw new Error('no third');
      return seq;
    };
    running(record, { perSecond: 1_000 }, (run, _, at) =>
      at(5, () => {
        run.seen[0]?.acker.ack(0, 2);
        expect(run.end).toBe('error Error: no third');
      }),
    );
  });

  it('begins again at each subscription, with the same records of the same seed', () => {
    const record = (seq: number, random: () => number) => `${seq} ${random()} ${random()}`;
    const recordsOf = (seed: number) => {
      let values: readonly string[] = [];
      running(record, { count: 50, seed, perSecond: Number.POSITIVE_INFINITY }, (run, _, at) =>
        at(5, () => {
          values = run.seen.map(({ value }) => value);
        }),
      );
      return values;
    };
    expect(recordsOf(7)).toEqual(recordsOf(7));
    expect(recordsOf(7).filter((value) => recordsOf(8).includes(value))).toEqual([]);
  });

  it('draws numbers that are spread evenly, and of a record alike whatever others drew', () =>
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.maxSafeNat(), (seed, from) => {
        const first = Array.from({ length: 256 }, (_, n) => recordRandom(seed, Math.max(0, from - n))());
        if (from >= 256) expect(new Set(first.map((one) => Math.floor(one * 10))).size).toBe(10);
        expect(first.every((one) => one >= 0 && one < 1)).toBe(true);
        expect(recordRandom(seed, from)()).toBe(first[0]);
      }),
      { numRuns: 50 },
    ));

  it('takes size, time, key and headers from functions of the record', () =>
    running(letter, { sizeOf: () => 7, factsOf: () => ({ key: Buffer.from('k') }), count: 1 }, (run, _, at) =>
      at(1, () => {
        const { byteLength, timestamp, key, stream } = run.seen[0]?.origin ?? {};
        expect({ byteLength, timestamp, key, stream }).toEqual({
          byteLength: 7,
          timestamp: 0,
          key: Buffer.from('k'),
          stream: 'generate:g',
        });
      }),
    ));

  it('promises at least once, and says what is stored twice', () => {
    const { traits } = generateSource(letter, { name: 'g' });
    expect(guaranteeOf({ source: traits, ledger: undefined })).toEqual({
      level: 'at-least-once',
      because: [expect.stringContaining('begins at its first record at each start'), expect.stringContaining('ledger')],
    });
  });

  it.each([
    ['perSecond', 0],
    ['perSecond', Number.NaN],
    ['burst', 0],
    ['count', -1],
    ['seed', 2 ** 32],
    ['name', ''],
  ])('checks `%s`: %d', (option, value) => {
    expect(() => generateSource(letter, { name: 'g', [option]: value })).toThrow(`Expected \`${option}\``);
  });
});
