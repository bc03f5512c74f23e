import { describe, expect, it } from '@jest/globals';
import { type BuildCollector, ProofError, type ProofOptions, proveExactlyOnce } from '../../src/testing/index.js';
import { USUAL_FAULT_KINDS } from '../../src/testing/proof/schedule.js';
import { byThrees, firstFirst, forgiving, lateLane, queueing } from './slow-toys.js';
import { exact, INPUT, toyFlow } from './toy-sinks.js';

/** Two partitions that have much at once. */
const MUCH = { chat: ['a', 'b'].map((letter) => Array.from({ length: 60 }, (_, n) => `${letter}${n}`)) };
const AT_ONCE = { produceIntervalMs: 0, singleFaults: 'none', schedules: 5 } as const;

function failureOf(build: BuildCollector, options: ProofOptions = {}, input = INPUT): ProofError {
  try {
    proveExactlyOnce(build, input, { schedules: 100, ...options });
  } catch (error) {
    if (error instanceof ProofError) return error;
    throw error;
  }
  throw new Error('nothing was found');
}

describe('proveExactlyOnce asks that nothing waits', () => {
  it('accepts what serves all partitions, well within the time', () => {
    const faults = USUAL_FAULT_KINDS.filter((kind) => kind !== 'hang');
    const options = { faults, schedules: 100, seed: 5, maxWaitMs: 400 };
    const { longestWaitMs } = proveExactlyOnce(toyFlow(exact), INPUT, options);
    expect(longestWaitMs).toBeGreaterThan(10);
    expect(longestWaitMs).toBeLessThan(400);
    proveExactlyOnce(toyFlow(exact), MUCH, { ...AT_ONCE, schedules: 0, maxWaitMs: 400 });
  });

  it('accepts a flow whose calls are never answered: each is given up and made again', () => {
    const { faults, longestWaitMs } = proveExactlyOnce(toyFlow(exact), INPUT, { faults: ['hang'], schedules: 20 });
    expect(faults.hang).toBeGreaterThan(5);
    expect(longestWaitMs).toBeGreaterThan(50_000);
  });

  it('finds what empties the first partition first, and says what moved on meanwhile', () => {
    const { message, findings, replay } = failureOf(firstFirst, { ...AT_ONCE, maxWaitMs: 400 }, MUCH);
    expect(findings).toEqual([
      expect.stringMatching(
        /^waited too long: chat\/1 offset \d+ \(of 60\) was not committed for \d+ ms, from \d+ ms on; meanwhile others moved on: chat\/0 by \d+$/,
      ),
    ]);
    expect(message).toMatch(/^Something waits too long, found by schedule \d+:/);
    expect(replay).toMatch(/^seed 1 pace \d: no fault$/);
    expect(message).toContain(`replay: '${replay}'`);
  });

  it('finds what waits for a flush that nobody asks for', () => {
    const { findings } = failureOf(byThrees);
    expect(findings[0]).toMatch(
      /^waited too long: chat\/\d offset \d \(of 4\) was not committed for 120\d\d\d ms, .* no other partition moved on$/,
    );
    expect(findings.at(-1)).toMatch(/^stuck: .*drainTimeoutMs/);
  });

  it('finds a queue that is served after all others, though a drain serves it in time', () => {
    const { findings } = failureOf(lateLane, { singleFaults: 'none', maxWaitMs: 1_000 });
    expect(findings).toEqual([expect.stringMatching(/^waited too long: chat\/1 offset 0 .* moved on: chat\/0 by \d$/)]);
    proveExactlyOnce(lateLane, INPUT, { singleFaults: 'none', schedules: 20, maxWaitMs: 6_000 });
  });

  it('finds a failed commit that is not made again, shrinks it, and replays it', () => {
    const { findings, message, replay } = failureOf(forgiving, { singleFaults: 'none', seed: 2 });
    expect(findings[0]).toMatch(/^waited too long: chat\/\d offset \d \(of \d\) was not committed for/);
    expect(replay).toMatch(/^seed 2 pace \d: [^,]+(, [^,]+)?$/);
    expect(message).toMatch(/step \d+ \(commit .*\) (fails|seems to fail)/);
    expect(failureOf(forgiving, { replay }).findings).toEqual(findings);
  });

  it('finds commits that wait forever behind one that is never answered', () => {
    const { findings, message } = failureOf(queueing, { faults: ['hang'] });
    expect(findings[0]).toMatch(/^waited too long: chat\/\d offset \d \(of \d\) was not committed for 120\d\d\d ms/);
    expect(message).toMatch(/step \d+ \(commit .*\) is not carried out and never answered/);
  });
});
