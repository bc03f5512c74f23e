import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { from, map } from 'rxjs';
import { trueShare, wilsonInterval } from '../../src/alerts/cusum.js';
import { type AlertEvent, alerts, type SurgeOptions, surge } from '../../src/alerts/index.js';
import { SurgeDetector } from '../../src/alerts/surge-detector.js';
import { TrailingCounts } from '../../src/alerts/trailing-counts.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/index.js';
import { seeded } from './surge-simulation.js';

interface Text {
  readonly product: string;
  readonly bad: boolean;
  readonly text?: string;
}

const options: SurgeOptions<Text> = {
  name: 'Anger',
  key: ({ product }) => product,
  of: ({ bad }) => bad,
};

/** Texts of a product of which a share is bad. */
function texts(random: () => number, count: number, share: number, product = 'tea'): Text[] {
  return Array.from({ length: count }, (_, n) => {
    const bad = random() < share;
    return { product, bad, text: bad ? `no ${n}: write to ann@b.com or 0151 1234567, password=hunter2` : 'fine' };
  });
}

const brief = ({ state, labels }: AlertEvent) => `${labels.key ?? labels.rule} ${state}`;

describe('surge', () => {
  it('fires where the share of one key rises, says why, and resolves when it is usual again', () => {
    const random = seeded(1);
    const seen: AlertEvent[] = [];
    const usual = [...texts(random, 3_000, 0.1), ...texts(random, 3_000, 0.3, 'coffee')];
    const all = [
      ...usual,
      ...texts(random, 1_000, 0.35),
      ...texts(random, 500, 0.3, 'coffee'),
      ...texts(random, 2_000, 0.1),
    ];
    from(all)
      .pipe(surge({ ...options, sample: ({ text = '' }) => text }))
      .subscribe((event) => seen.push(event));
    expect(seen.map(brief)).toEqual(['tea firing', 'tea resolved']);
    const [{ annotations, labels, isFiring }] = seen as [AlertEvent];
    expect([labels, isFiring]).toEqual([{ alertname: 'Anger', severity: 'warning', key: 'tea' }, true]);
    expect(annotations.summary).toMatch(/^tea: 3\d\.\d % \(\d+\.\d % to \d+\.\d %\), usually (9|10)\.\d %\.$/);
    expect(Number(annotations.count)).toBeLessThan(200);
    expect(Number(annotations.learntFrom)).toBeGreaterThanOrEqual(1_000);
    expect(annotations.sample3).toMatch(/^no \d+: write to \*\*\* or \*\*\*, password=\*\*\*$/);
    expect(JSON.stringify(annotations)).not.toMatch(/hunter2|ann@|1234567/);
  });

  it('is silent without a rise, before it has learnt, and of fewer values than `minVolume`', () => {
    const random = seeded(2);
    const run = (all: readonly Text[], more: Partial<SurgeOptions<Text>> = {}) => {
      const seen: string[] = [];
      from(all)
        .pipe(surge({ ...options, ...more }), map(brief))
        .subscribe((text) => seen.push(text));
      return seen;
    };
    expect(run(texts(random, 20_000, 0.1))).toEqual([]);
    expect(run([...texts(random, 500, 0), ...texts(random, 400, 1)])).toEqual([]);
    const short = [...texts(random, 2_000, 0.1), ...texts(random, 25, 1), ...texts(random, 300, 0)];
    const falseAlarms = { count: 1, perMs: 60_000 };
    expect(run(short, { falseAlarms })).toEqual([]);
    expect(run(short, { falseAlarms, minVolume: 1 })).toEqual(['tea firing', 'tea resolved']);
  });

  it('corrects shares for the errors of the classifier', () => {
    const random = seeded(3);
    const classifier = { sensitivity: 0.85, specificity: 0.8 };
    const noisy = (count: number, share: number) =>
      texts(random, count, share).map((one) => ({ ...one, bad: random() < (one.bad ? 0.85 : 0.2) }));
    const seen: AlertEvent[] = [];
    from([...noisy(8_000, 0.1), ...noisy(3_000, 0.4)])
      .pipe(surge({ ...options, classifier }))
      .subscribe((event) => seen.push(event));
    expect(seen.map(brief)).toEqual(['tea firing']);
    expect(Number.parseFloat(seen[0]?.annotations.usual ?? '')).toBeCloseTo(10, -0.7);
    expect(Number.parseFloat(seen[0]?.annotations.share ?? '')).toBeGreaterThan(30);
    expect([trueShare(0.265, classifier), trueShare(0.1, classifier)].map((one) => one.toFixed(3))).toEqual([
      '0.100',
      '0.000',
    ]);
  });

  it('passes deliveries on as they are, whatever its functions do, and counts redelivered ones once', () => {
    const random = seeded(4);
    const acker = new RecordingAcker('kafka:chat/0');
    const monitor = new Monitor();
    const rule = surge<Text>({
      ...options,
      monitor,
      of: ({ bad, text }) => {
        if (text === 'odd') throw new TypeError('no text');
        return bad;
      },
    });
    const seen: string[] = [];
    alerts(from([]), []).subscribe();
    rule.watched(from([])).subscribe((event) => seen.push(brief(event)));
    const passed: Delivery<Text>[] = [];
    const deliver = (values: readonly Text[]) => {
      const deliveries = values.map((value) => acker.deliver(value));
      from(deliveries)
        .pipe(rule.watch())
        .subscribe((delivery) => passed.push(delivery));
      return deliveries;
    };
    const usual = deliver(texts(random, 2_000, 0.1));
    const surged = deliver(texts(random, 25, 1));
    // The same offsets again and again are no surge.
    for (let again = 0; again < 50; again += 1) from(surged).pipe(rule.watch()).subscribe();
    expect(seen).toEqual([]);
    deliver([{ product: 'tea', bad: true, text: 'odd' }]);
    deliver(texts(random, 30, 1));
    expect(passed.length).toBe(2_056);
    expect(passed.slice(0, 2_000)).toEqual(usual);
    expect(acker.log).toEqual([]);
    expect(seen).toEqual(['Anger firing', 'Anger resolved', 'tea firing']);
  });

  it('rejects bad options at the call', () => {
    expect(() => surge({ ...options, rise: 1 })).toThrow(/rise/);
    expect(() => surge({ ...options, classifier: { sensitivity: 0.4, specificity: 0.5 } })).toThrow(
      /better than chance/,
    );
    expect(() => surge({ ...options, falseAlarms: { count: 0, perMs: 1 } })).toThrow(/falseAlarms\.count/);
    expect(() => surge({ ...options, baseline: { minCount: 0 } })).toThrow(/baseline\.minCount/);
  });
});

describe('the detector', () => {
  const rules = {
    name: 'Anger',
    severity: 'warning' as const,
    rise: 2,
    minVolume: 30,
    baseline: { windowMs: 86_400_000, minCount: 100 },
    classifier: { sensitivity: 1, specificity: 1 },
    falseAlarms: { count: 1, perMs: 604_800_000 },
    maxKeys: 3,
  };

  it('counts each part of each offset once, in order or not', () => {
    const position = fc.record({ offset: fc.integer({ min: 0, max: 8 }), part: fc.constantFrom(undefined, '0', '1') });
    fc.assert(
      fc.property(fc.array(position, { maxLength: 40 }), (positions) => {
        const detector = new SurgeDetector(rules);
        const asked: string[] = [];
        for (const { offset, part } of positions) {
          const origin = { stream: 'kafka:chat/0', offset, part };
          const sample = () => `${asked.push(`${offset}.${part}`)}`;
          detector.add({ key: 'a', isHit: true, origin, sample }, 0, 0);
        }
        expect(new Set(asked).size).toBe(asked.length);
        const offsets = asked.map((one) => Number.parseInt(one, 10));
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      }),
    );
  });

  it('forgets the key that was seen least recently, but none that fires', () => {
    const detector = new SurgeDetector(rules);
    let now = 0;
    const add = (key: string, isHit: boolean) => {
      now += 1_000;
      return detector.add({ key, isHit }, now, now)?.state;
    };
    for (const key of ['a', 'b', 'c']) {
      for (let n = 0; n < 300; n += 1) add(key, n % 10 === 0);
      const states = Array.from({ length: 60 }, () => add(key, true)).filter((state) => state !== undefined);
      expect([key, states]).toEqual([key, ['firing']]);
    }
    expect([add('d', true), detector.crowdedOut]).toEqual([undefined, 1]);
    const calm = Array.from({ length: 200 }, () => add('a', false)).filter((state) => state !== undefined);
    expect(calm).toEqual(['resolved']);
    expect([add('d', true), detector.crowdedOut]).toEqual([undefined, 1]);
  });

  it('forgets what is older than the window, and nothing while it is frozen', () => {
    const counts = new TrailingCounts(24_000, 0);
    counts.add(10, 1);
    counts.moveTo(23_999);
    counts.add(5, 5);
    expect([counts.count, counts.hits]).toEqual([15, 6]);
    counts.moveTo(24_000);
    expect([counts.count, counts.hits]).toEqual([5, 5]);
    counts.freeze(100_000);
    counts.moveTo(100_500);
    expect(counts.count).toBe(5);
    counts.moveTo(1_000_000);
    expect(counts.count).toBe(0);
  });

  it('has intervals that hold the share, from 0 to 1', () => {
    expect(wilsonInterval(20, 100).map((one) => one.toFixed(3))).toEqual(['0.133', '0.289']);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
  });
});
