import { BernoulliCusum, type ClassifierError, observedShare } from '../../src/alerts/cusum.js';
import { SurgeKey } from '../../src/alerts/surge-key.js';

/** Whether the next value, a hit or not, makes an alarm. Begins anew at each alarm. */
export type Alarm = (isHit: boolean) => boolean;

export const PERFECT: ClassifierError = { sensitivity: 1, specificity: 1 };

/** Numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  const { imul } = Math;
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A CUSUM that knows the usual share. */
export function knownCusum(p0: number, p1: number, classifier: ClassifierError, distance: number): () => Alarm {
  const threshold = Math.log(distance);
  return () => {
    const cusum = new BernoulliCusum();
    cusum.set(observedShare(p0, classifier), observedShare(p1, classifier));
    return (isHit) => cusum.add(isHit) >= threshold;
  };
}

/** A key as `surge` has it, which learns the usual share first; at a hundred values a second. */
export function learntCusum(
  rise: number,
  classifier: ClassifierError,
  minCount: number,
  distance: number,
): () => Alarm {
  const threshold = Math.log(distance);
  return () => {
    const baseline = { windowMs: 86_400_000, minCount };
    const key = new SurgeKey({ rise, minVolume: 30, baseline, classifier }, 0);
    let now = 0;
    return (isHit) => {
      now += 10;
      return key.add(isHit, now, now, () => threshold) === 'fired';
    };
  };
}

/** What is done by hand: the share of each window, in standard errors above the usual one, more than three. */
export function zScore(p0: number, perWindow: number): () => Alarm {
  return () => {
    let count = 0;
    let hits = 0;
    return (isHit) => {
      count += 1;
      if (isHit) hits += 1;
      if (count < perWindow) return false;
      const z = (hits / count - p0) / Math.sqrt((p0 * (1 - p0)) / count);
      count = 0;
      hits = 0;
      return z > 3;
    };
  };
}

/** Values between false alarms, and how many alarms there were among `values`. */
export function falseAlarms(begin: () => Alarm, share: number, learn: number, values: number, seed: number) {
  const random = seeded(seed);
  let alarm = begin();
  let alarms = 0;
  for (let at = 0; at < learn; at += 1) alarm(random() < share);
  for (let at = 0; at < values; at += 1) {
    if (!alarm(random() < share)) continue;
    alarms += 1;
    alarm = begin();
    for (let more = 0; more < learn; more += 1) alarm(random() < share);
  }
  return { alarms, distance: values / Math.max(1, alarms) };
}

/** Values from the change until the alarm: on average, in the median and in the slowest run. */
export function delay(
  begin: () => Alarm,
  before: number,
  after: number,
  learn: number,
  runs: number,
  seed: number,
): { readonly mean: number; readonly median: number; readonly longest: number } {
  const random = seeded(seed);
  const delays: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const alarm = begin();
    for (let at = 0; at < learn; at += 1) alarm(random() < before);
    let waited = 1;
    while (!alarm(random() < after) && waited < 100_000) waited += 1;
    delays.push(waited);
  }
  delays.sort((a, b) => a - b);
  return {
    mean: delays.reduce((sum, one) => sum + one, 0) / runs,
    median: delays[Math.floor(runs / 2)] as number,
    longest: delays.at(-1) as number,
  };
}
