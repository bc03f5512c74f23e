import { expect, it } from '@jest/globals';
import { observedShare } from '../../src/alerts/cusum.js';
import { delay, falseAlarms, knownCusum, learntCusum, PERFECT, zScore } from './surge-simulation.js';

const P0 = 0.1;
const P1 = 0.2;
const DISTANCE = 100_000;

/** Rows of the table in docs/guides/alerts.md: npm run proof -- surge */
it('keeps its budget of false alarms, and finds a doubled share as fast as theory has it', () => {
  const rows = [84, 77].map((percent) => ({ sensitivity: percent / 100, specificity: percent / 100 }));
  const ways = [
    {
      name: 'CUSUM, share known',
      begin: knownCusum(P0, P1, PERFECT, DISTANCE),
      classifier: PERFECT,
      learn: 0,
      values: 8e6,
    },
    ...rows.map((classifier) => ({
      name: `CUSUM, share known, classifier ${classifier.sensitivity * 100} % right`,
      begin: knownCusum(P0, P1, classifier, DISTANCE),
      classifier,
      learn: 0,
      values: 8e6,
    })),
    ...[1_000, 5_000].map((learn) => ({
      name: `CUSUM, share learnt from ${learn}`,
      begin: learntCusum(P1 / P0, PERFECT, learn, DISTANCE),
      classifier: PERFECT,
      learn,
      values: 8e6,
    })),
    ...rows.slice(0, 1).map((classifier) => ({
      name: 'CUSUM, share learnt from 5000, classifier 84 % right',
      begin: learntCusum(P1 / P0, classifier, 5_000, DISTANCE),
      classifier,
      learn: 5_000,
      values: 8e6,
    })),
    { name: 'z > 3 in windows of 20', begin: zScore(P0, 20), classifier: PERFECT, learn: 0, values: 1e6 },
    { name: 'z > 3 in windows of 1000', begin: zScore(P0, 1_000), classifier: PERFECT, learn: 0, values: 8e6 },
  ].map(({ name, begin, classifier, learn, values }, at) => {
    const before = observedShare(P0, classifier);
    const after = observedShare(P1, classifier);
    const { alarms, distance } = falseAlarms(begin, before, learn, values, 42 + at);
    const { mean, median, longest } = delay(begin, before, after, learn, 200, 7 + at);
    return { name, alarms, distance: Math.round(distance), delay: Math.round(mean), median, longest };
  });
  const lines = tableOf(ways);
  console.log(lines.join('\n'));
  const [known, , , , learnt] = ways;
  // Lorden's bound, and the delay h / KL(q1 ‖ q0) = 259.
  expect(known?.distance).toBeGreaterThan(DISTANCE);
  expect(known?.delay).toBeGreaterThan(200);
  expect(known?.delay).toBeLessThan(300);
  for (const { name, distance } of ways) if (name.startsWith('CUSUM')) expect(distance).toBeGreaterThan(DISTANCE);
  expect(learnt?.delay).toBeLessThan(400);
  expect(ways.at(-1)?.distance).toBeLessThan(DISTANCE * 10);
});

interface Way {
  readonly name: string;
  readonly alarms: number;
  readonly distance: number;
  readonly delay: number;
  readonly median: number;
  readonly longest: number;
}

function tableOf(ways: readonly Way[]): string[] {
  return ways.map(
    ({ name, alarms, distance, delay: mean, median, longest }) =>
      `| ${name} | ${mean} | ${median} | ${longest} | ${distance} (${alarms} alarms) |`,
  );
}
