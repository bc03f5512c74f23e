import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Estimate,
  exactly,
  type FittedScaling,
  type Interval,
  isNotMeasured,
  littleConcurrency,
  meanOf,
  type PlanInputs,
  plan,
  seedThroughput,
  usl,
} from '../../src/planner/index.js';

/** A generator of chance by seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const numberOf = (estimate: Estimate): number => {
  if (isNotMeasured(estimate)) throw new Error(estimate.notMeasured);
  return estimate.value;
};

const BAD = [Number.NaN, -1, Number.POSITIVE_INFINITY, '5' as unknown as number, undefined as unknown as number];

describe('littleConcurrency', () => {
  it.each([
    [0.2, 3],
    [0.7, 4],
    [0.9, 1],
  ])('is the mean number inside a simulated M/D/c at %d of its load, %i servers', (load, servers) => {
    const random = chance(7);
    const service = 0.05;
    const rate = (load * servers) / service;
    const free = Array.from({ length: servers }, () => 0);
    const begins: number[] = [];
    const ends: number[] = [];
    let now = 0;
    for (let n = 0; n < 200_000; n += 1) {
      now -= Math.log(1 - random()) / rate;
      const at = free.indexOf(Math.min(...free));
      free[at] = Math.max(now, free[at] as number) + service;
      begins.push(now);
      ends.push(free[at] as number);
    }
    // Looked at from outside, at fixed times: who has come, less who has gone. All leave in the order they came.
    const looks = 100_000;
    let [come, gone, inside] = [0, 0, 0];
    for (let look = 0; look < looks; look += 1) {
      const time = (now * look) / looks;
      while ((begins[come] as number) <= time) come += 1;
      while ((ends[gone] as number) <= time) gone += 1;
      inside += come - gone;
    }
    const { value: seconds } = meanOf(ends.map((end, n) => end - (begins[n] as number)));
    const law = littleConcurrency({ ratePerSecond: rate, seconds });
    expect(Math.abs(law / (inside / looks) - 1)).toBeLessThan(0.02);
  });

  it.each(BAD)('rejects %p', (bad) => {
    expect(() => littleConcurrency({ ratePerSecond: bad, seconds: 1 })).toThrow(/`ratePerSecond`/);
    expect(() => littleConcurrency({ ratePerSecond: 1, seconds: bad })).toThrow(/`seconds`/);
  });
});

describe('seedThroughput', () => {
  it('is 1,999 for the example, at any n, and says so', () => {
    for (const n of [1, 2, 400, 1e300]) {
      const { value, note } = seedThroughput({ k: 2_000, n, t: 1 });
      expect(value).toBeCloseTo(1_999.0005, 3);
      expect(note).toMatch(/n cancels.*1,999 at any n, not 999\.5/);
    }
  });

  it('is the formula as it is written', () => {
    const whole = (least: number, most: number) => fc.double({ min: least, max: most, noNaN: true });
    fc.assert(
      fc.property(whole(0.1, 1e4), whole(1, 1e3), whole(0, 100), (k, n, t) => {
        const written = (k * n * t) / (n + (n / k) * (1 - Math.exp(-k * t)));
        expect(Math.abs(seedThroughput({ k, n, t }).value - written)).toBeLessThanOrEqual(1e-9 * written + 1e-300);
      }),
    );
  });

  it.each([...BAD, 0])('rejects %p', (bad) => {
    expect(() => seedThroughput({ k: bad, n: 1, t: 1 })).toThrow(/`k`/);
    expect(() => seedThroughput({ k: 1, n: bad, t: 1 })).toThrow(/`n`/);
  });
});

describe('usl.fit', () => {
  const lawOf = (gamma: number, alpha: number, beta: number) => (n: number) =>
    (gamma * n) / (1 + alpha * (n - 1) + beta * n * (n - 1));
  const fitted = (points: readonly { n: number; perSecond: number }[]): FittedScaling => {
    const scaling = usl.fit(points);
    if (scaling.kind !== 'fitted') throw new Error(scaling.why);
    return scaling;
  };

  it('finds γ, α, β of points without noise, and where the most is', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.double({ min: 1e-5, max: 0.01, noNaN: true }),
        (gamma, alpha, beta) => {
          const law = lawOf(gamma, alpha, beta);
          const scaling = fitted([1, 2, 4, 8, 16].map((n) => ({ n, perSecond: law(n) })));
          expect(scaling.gamma / gamma).toBeCloseTo(1, 6);
          expect(scaling.alpha).toBeCloseTo(alpha, 6);
          expect(scaling.beta).toBeCloseTo(beta, 6);
          expect(scaling.bestN / Math.sqrt((1 - alpha) / beta)).toBeCloseTo(1, 2);
          expect(scaling.at(32).value / law(32)).toBeCloseTo(1, 4);
        },
      ),
    );
  });

  it('has the law in its interval 95 times of 100, with 2 % of noise', () => {
    const random = chance(3);
    const law = lawOf(1_000, 0.05, 0.002);
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const points = [1, 2, 3, 4, 6, 8, 12, 16].map((n) => ({ n, perSecond: law(n) * (1 + 0.02 * normal(random)) }));
      const { low, high } = fitted(points).at(10);
      if (low <= law(10) && law(10) <= high) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.91);
    expect(held / trials).toBeLessThan(0.995);
  });

  it('never has a negative coefficient: points that rise faster than their number are linear', () => {
    const scaling = fitted([1, 2, 4, 8].map((n) => ({ n, perSecond: 100 * n ** 1.1 })));
    expect([scaling.alpha, scaling.beta, scaling.bestN]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
    expect(scaling.deviation).toBeGreaterThan(0.05);
  });

  it('has its most at one worker where all others do harm', () => {
    expect(fitted([1, 2, 3, 4].map((n) => ({ n, perSecond: 100 / n }))).bestN).toBe(1);
  });

  it.each([
    [[{ n: 1, perSecond: 100 }], [100, 400, 400]],
    [
      [
        { n: 1, perSecond: 100 },
        { n: 2, perSecond: 97 },
      ],
      [100, 94, 400],
    ],
    [
      [
        { n: 1, perSecond: 100 },
        { n: 2, perSecond: 160 },
        { n: 2, perSecond: 160 },
        { n: 2, perSecond: 160 },
      ],
      [100, 228.57, 400],
    ],
  ])('gives bounds and says why for fewer than four different n: %j', (points, [low, value, high]) => {
    const scaling = usl.fit(points);
    expect(scaling).toMatchObject({ kind: 'bounded', why: expect.stringContaining('points at 4 different n') });
    const at = scaling.at(4);
    expect([at.low, at.high]).toEqual([low, high]);
    // Of two that are slower than one: contention of all, by which nothing is gained.
    expect(at.value).toBeCloseTo(Math.max(value as number, low as number), 1);
  });

  it.each([
    [[], /`points`/],
    [[{ n: 0, perSecond: 1 }], /`points\[0\]\.n`/],
    [[{ n: 1.5, perSecond: 1 }], /`points\[0\]\.n`/],
    [[{ n: 1, perSecond: 0 }], /`points\[0\]\.perSecond`/],
    [[{ n: 1, perSecond: Number.NaN }], /`points\[0\]\.perSecond`/],
    [[{ n: 1, perSecond: 1e300 }], /`points\[0\]\.perSecond`/],
  ])('rejects %j', (points, message) => {
    expect(() => usl.fit(points)).toThrow(message);
    expect(() => usl.fit([{ n: 1, perSecond: 1 }]).at(Number.NaN)).toThrow(/`n`/);
  });
});

describe('meanOf', () => {
  it('has the mean in its interval 95 times of 100', () => {
    const random = chance(11);
    const trials = 2_000;
    let held = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const { low, high } = meanOf(Array.from({ length: 7 }, () => 5 + normal(random)));
      if (low <= 5 && 5 <= high) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.935);
    expect(held / trials).toBeLessThan(0.965);
  });

  it.each([[[]], [[1]], [[1, Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])('rejects %j', (measurements) => {
    expect(() => meanOf(measurements)).toThrow(/`measurements`/);
  });
});

/** 50,000 records of 200 bytes a second, over 12 partitions in 2 buckets, to files of 128 MiB or 5 min. */
const INPUTS: PlanInputs = {
  ratePerSecond: exactly(50_000),
  recordBytes: exactly(200),
  cpu: [
    { name: 'source', secondsPerRecord: exactly(1e-5) },
    { name: '1 decode', secondsPerRecord: { value: 1.5e-5, low: 1e-5, high: 2e-5 } },
  ],
  writeSeconds: { value: 0.02, low: 0.01, high: 0.03 },
  commitSeconds: exactly(0.1),
  storedBytes: exactly(50),
  callsPerFile: exactly(4),
  streams: exactly(12),
  bucketsPerStream: exactly(2),
  rollSeconds: exactly(300),
  rollBytes: exactly(128 * 2 ** 20),
  chunkBytes: exactly(256 * 2 ** 10),
  chunkSeconds: exactly(1),
  maxOpenFiles: exactly(128),
  baseBytes: exactly(100 * 2 ** 20),
  windowBytes: exactly(64 * 2 ** 20),
  maxUnacked: exactly(20_000_000),
  maxPartitionBytes: exactly(2 ** 20),
  backlogRecords: exactly(3_600_000),
  headroomSeconds: exactly(3_600),
};

describe('plan', () => {
  it('is what the formulas say, worked out by hand', () => {
    const { estimates, scaling, warnings } = plan(INPUTS);
    const all = Object.fromEntries(Object.entries(estimates).map(([name, one]) => [name, numberOf(one)]));
    // 24 files; a chunk would take 0.63 s to fill: 262,144 × 24 / 10 MB/s. Each file gets 31 MB in 300 s.
    expect(all).toEqual({
      cpuSecondsPerRecord: 2.5e-5,
      recordsPerSecondOfAProcess: 40_000,
      processes: 2,
      recordsPerSecondOfAll: 80_000,
      writesInFlight: expect.closeTo((50_000 * 200 * 0.02) / 262_144, 9),
      windowCount: expect.closeTo(50_000 * ((262_144 * 24) / 1e7 + 0.02), 6),
      windowBytes: expect.closeTo(200 * 50_000 * ((262_144 * 24) / 1e7 + 0.02), 3),
      rollSeconds: 300,
      maxUnacked: expect.closeTo(50_000 * 300.1, 3),
      fileBytes: 31_250_000,
      filesPerDay: 24 * 288,
      nameNodeCallsPerSecond: expect.closeTo((24 * 4) / 300, 9),
      memoryBytes: (100 + 64 + 12 + 24 + 40) * 2 ** 20 + 10_000_000,
      catchUpSeconds: 120,
    });
    expect(scaling).toBeNull();
    expect(warnings).toEqual([
      expect.stringContaining('How processes add up is not measured'),
      expect.stringContaining('Retention may delete records'),
    ]);
  });

  it('carries intervals through: each value is between its bounds, and wider inputs give wider results', () => {
    const spread = fc.double({ min: 0, max: 0.3, noNaN: true });
    fc.assert(
      fc.property(spread, spread, (less, more) => {
        const [narrow, wide] = [Math.min(less, more), Math.max(less, more)].map((share) => {
          const estimates: Record<string, Estimate> = Object.fromEntries(
            Object.entries(INPUTS)
              .filter(([name]) => name !== 'cpu')
              .map(([name, one]) => {
                const { value } = one as Interval;
                return [name, { value, low: Math.max(1e-3, value * (1 - share)), high: value * (1 + share) }];
              }),
          );
          for (const name of ['streams', 'bucketsPerStream']) estimates[name] = INPUTS[name as 'streams'] as Interval;
          return plan({ ...INPUTS, ...estimates }).estimates;
        }) as unknown as [Record<string, Estimate>, Record<string, Estimate>];
        for (const [name, one] of Object.entries(narrow)) {
          const [inner, outer] = [one, wide[name]] as [Interval, Interval];
          expect([name, inner.low <= inner.value && inner.value <= inner.high]).toEqual([name, true]);
          expect([name, outer.low <= inner.low && inner.high <= outer.high]).toEqual([name, true]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('says of each number why it is missing, and what to give', () => {
    const { estimates } = plan({});
    const reasons = Object.values(estimates).map((one) => (isNotMeasured(one) ? one.notMeasured : 'none'));
    expect(new Set(reasons).size).toBeGreaterThan(4);
    expect(reasons).not.toContain('none');
    expect(estimates.cpuSecondsPerRecord).toEqual({ notMeasured: 'no CPU was measured (--sample)' });
    expect(
      plan({ cpu: [{ name: '1 f', secondsPerRecord: { notMeasured: 'it failed' } }] }).estimates.processes,
    ).toEqual(expect.objectContaining({ notMeasured: expect.any(String) }));
  });

  it('takes the number of processes from a fitted law, and says where none is enough', () => {
    const points = [1, 2, 4, 8].map((n) => ({ n, perSecond: (30_000 * n) / (1 + 0.1 * (n - 1)) }));
    // 0.7 · X(n) ≥ 50,000: X(3) = 75,000.
    expect(plan({ ...INPUTS, points }).estimates.processes).toMatchObject({ value: 3 });
    expect(plan({ ...INPUTS, points }).warnings.join(' ')).not.toContain('How processes add up');
    const slow = plan({ ...INPUTS, points, ratePerSecond: exactly(1e9) });
    expect(slow.estimates.processes).toEqual({
      notMeasured: expect.stringContaining('no number of processes up to 12'),
    });
  });

  it('is never in time where the processes only just keep up, and at once where there is no backlog', () => {
    const busy = { ...INPUTS, maxLoad: 1, cpu: [{ name: 'all', secondsPerRecord: exactly(1 / 50_000) }] };
    expect(plan(busy).estimates.catchUpSeconds).toMatchObject({ value: Number.POSITIVE_INFINITY });
    expect(plan({ ...busy, backlogRecords: exactly(0) }).estimates.catchUpSeconds).toEqual(exactly(0));
  });

  it('takes no CPU from a difference that is below 0 by chance', () => {
    const cpu = [{ name: '1 f', secondsPerRecord: { value: -1e-9, low: -1e-7, high: 1e-7 } }];
    expect(plan({ cpu }).estimates.cpuSecondsPerRecord).toEqual({ notMeasured: expect.stringContaining('--records') });
  });

  it.each([
    [{ ratePerSecond: exactly(Number.NaN) }, /`ratePerSecond`/],
    [{ ratePerSecond: exactly(-1) }, /`ratePerSecond`/],
    [{ ratePerSecond: exactly(1e300) }, /`ratePerSecond`/],
    [{ recordBytes: { value: 1, low: 2, high: 3 } }, /`recordBytes`/],
    [{ rollBytes: exactly(0) }, /`rollBytes`/],
    [{ rollSeconds: exactly(0) }, /`rollSeconds`/],
    [{ streams: 4 as never }, /`streams`/],
    [{ maxLoad: 0 }, /`maxLoad`/],
    [{ maxLoad: 1.1 }, /`maxLoad`/],
    [{ cpu: [{ name: '', secondsPerRecord: exactly(1) }] }, /`cpu\[0\]\.name`/],
    [{ points: [{ n: -1, perSecond: 1 }] }, /`points\[0\]\.n`/],
    [{ rate: exactly(1) } as never, /`rate`/],
  ] as [PlanInputs, RegExp][])('rejects %j', (inputs, message) => {
    expect(() => plan(inputs)).toThrow(message);
  });

  it('holds for inputs at their bounds: a number or a reason, never NaN', () => {
    const some = fc.constantFrom(0, 1e-9, 1, 1e18);
    fc.assert(
      fc.property(fc.array(some, { minLength: 18, maxLength: 18 }), (numbers) => {
        const names = Object.keys(INPUTS).filter((name) => name !== 'cpu');
        const least: Record<string, number> = { rollSeconds: 0.001 };
        for (const name of ['streams', 'bucketsPerStream', 'rollBytes', 'chunkBytes', 'maxOpenFiles']) least[name] = 1;
        const given = names.map((name, at) => [name, exactly(Math.max(least[name] ?? 0, numbers[at] ?? 1))]);
        for (const one of Object.values(plan({ ...INPUTS, ...Object.fromEntries(given) }).estimates)) {
          if (!isNotMeasured(one)) expect([one.value, one.low, one.high].some(Number.isNaN)).toBe(false);
        }
      }),
    );
  });
});
