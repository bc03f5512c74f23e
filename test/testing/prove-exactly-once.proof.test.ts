import { describe, expect, it } from '@jest/globals';
import { concat } from 'rxjs';
import { decode, filterValue, mapValue, retryConnect } from '../../operators/index.js';
import { OptionError } from '../../src/core/errors.js';
import type { Source } from '../../src/delivery/source.js';
import { flow } from '../../src/flow/flow.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { type BuildCollector, ProofError, type ProofOptions, proveExactlyOnce } from '../../src/testing/index.js';
import { type FaultKind, USUAL_FAULT_KINDS } from '../../src/testing/proof/schedule.js';
import {
  doubling,
  doublingIn,
  exact,
  INPUT,
  inPlace,
  locking,
  losing,
  type Store,
  storeEach,
  stuttering,
  toyFlow,
  withdrawing,
} from './toy-sinks.js';

function failureOf(build: BuildCollector, options: ProofOptions = {}, input = INPUT): ProofError {
  try {
    proveExactlyOnce(build, input, { schedules: 200, ...options });
  } catch (error) {
    if (error instanceof ProofError) return error;
    throw error;
  }
  throw new Error('nothing was found');
}

function quiet(value: string): string {
  if (value.endsWith('!')) throw new Error('too loud');
  return value;
}

describe('proveExactlyOnce', () => {
  it('accepts an exact sink, after every kind of fault has struck', () => {
    const report = proveExactlyOnce(toyFlow(exact), INPUT, { schedules: 200, seed: 3 });
    expect(report).toMatchObject({ lines: 8, commits: 'checked' });
    expect(report.schedules).toBeGreaterThan(500);
    expect(report.steps).toBeGreaterThan(8 * 3);
    const fewest = (kind: FaultKind) => (kind === 'hang' ? 8 : 20);
    expect(USUAL_FAULT_KINDS.filter((kind) => report.faults[kind] < fewest(kind))).toEqual([]);
  });

  it('finds a sink that stores twice, and says which value, in which files, and what went wrong', () => {
    const { message, findings, replay } = failureOf(toyFlow(doubling));
    expect(findings[0]).toMatch(
      /^stored twice: a0 of chat\/0 offset 0 in \/lake\/kafka-chat-0-0-\w+ and \/lake\/kafka-chat-0-0-\w+$/,
    );
    expect(message).toContain(`  ${findings[0]}`);
    expect(message).toMatch(/What went wrong on the way:\n {2}.*step \d+ \(.+\)/);
    expect(message).toContain(`replay: '${replay}'`);
  });

  it('finds a sink that commits before it has stored', () => {
    const { findings } = failureOf(toyFlow(losing));
    expect(findings[0]).toMatch(
      /^committed before it was stored: chat\/\d was committed up to \d when \w\d \(\d\) was not stored$/,
    );
  });

  it('finds a sink that loses', () => {
    const { findings } = failureOf(toyFlow(losing), { commits: 'unchecked' });
    expect(findings[0]).toMatch(/^lost: \w\d of chat\/\d offset \d expected in \/lake$/);
  });

  it('finds a sink that sticks', () => {
    const { findings, message } = failureOf(toyFlow(locking));
    expect(findings.at(-1)).toMatch(
      /^stuck: with nothing going wrong any more, c\d failed: .*not settled within 2000 ms/,
    );
    expect(message).toContain('crash');
  });

  it('finds a sink that makes a value into another', () => {
    const { findings } = failureOf(toyFlow(stuttering()));
    expect(findings).toContainEqual(expect.stringMatching(/^foreign: \w\d again in \/lake\/kafka-chat/));
    expect(findings).toContainEqual(expect.stringMatching(/^lost: /));
  });

  it('finds a sink whose files can be seen in part, or are taken away, also without any fault', () => {
    const half = failureOf(toyFlow(inPlace));
    expect(half.findings[0]).toMatch(/^written where it is visible: \/lake\/kafka-chat-0-0$/);
    expect(half.replay).toBe('seed 1 pace 0: no fault');
    expect(failureOf(toyFlow(withdrawing)).findings[0]).toMatch(/^taken away after it was visible: \/lake\/kafka-chat/);
  });

  it('finds a sink that stores everything twice, also without any fault', () => {
    const both: Store = (fs, delivery) => concat(doubling(fs, delivery), doubling(fs, delivery));
    const { findings, replay } = failureOf(toyFlow(both));
    expect(findings[0]).toMatch(/^stored twice: a0 /);
    expect(replay).toBe('seed 1 pace 0: no fault');
  });

  it('replays one schedule, with the same failure and all that happened', () => {
    const found = failureOf(toyFlow(doubling), { seed: 9, singleFaults: 'none' });
    const again = failureOf(toyFlow(doubling), { replay: found.replay });
    expect(again.findings).toEqual(found.findings);
    expect(again.message).toMatch(/What happened:\n.* ms {2}c1 /);
    expect(again.message).toMatch(/ms {2}c\d FAULT /);
    expect(proveExactlyOnce(toyFlow(exact), INPUT, { replay: found.replay }).schedules).toBe(1);
  });

  it('replays to the millisecond where the flow retries with the jitter of its defaults', () => {
    const replay = 'seed 1 pace 1: fail at 1, crash before 10';
    const messages = [1, 2, 3].map(() => failureOf(toyFlow(doubling), { replay }).message);
    expect(messages[0]).toMatch(/Retrying in \d+ ms/);
    expect(new Set(messages).size).toBe(1);
  });

  it('runs the same schedules for the same seed, others for another', () => {
    const build = toyFlow(doubling);
    const options = { singleFaults: 'none' } as const;
    const messages = [1, 1, 2].map((seed) => failureOf(build, { ...options, seed }).message);
    expect(messages[0]).toBe(messages[1]);
    expect(messages[0]).not.toBe(messages[2]);
    const counts = [1, 1, 2].map(
      (seed) => proveExactlyOnce(toyFlow(exact), INPUT, { ...options, seed, schedules: 20 }).faults,
    );
    expect(counts[0]).toEqual(counts[1]);
    expect(counts[0]).not.toEqual(counts[2]);
  });

  it('shrinks what it found to the faults that are needed', () => {
    const { replay } = failureOf(toyFlow(doubling), { singleFaults: 'none', maxFaults: 6, seed: 4 });
    expect(replay).toMatch(/^seed 4 pace \d: [^,]+(, [^,]+)?$/);
  });

  it('tries only the kinds of faults that `faults` lists', () => {
    const { faults } = proveExactlyOnce(toyFlow(exact), INPUT, {
      schedules: 30,
      faults: ['crash', 'late'],
    });
    expect(
      Object.entries(faults)
        .filter(([, count]) => count > 0)
        .map(([kind]) => kind),
    ).toEqual(['crash', 'late']);
  });

  it('takes flows of other shapes: several topics, a filter, dead letters in another sink', () => {
    const input = {
      chat: [
        ['a', 'b!', 'c'],
        ['d', 'e'],
      ],
      news: [['n', 'o!', 'p', '-']],
    };
    const shape: BuildCollector = ({ kafka, fs, monitor }) => {
      const redeliver = { maxAttempts: 100, firstDelayMs: 20, maxDelayMs: 50 };
      const letters = storeEach(fs, doublingIn('/bad'));
      return flow(
        'shapes',
        kafkaSource(kafka, { topics: /^(chat|news)$/, groupId: 'shapes', redeliver, monitor }).pipe(
          retryConnect({ firstDelayMs: 10, monitor }),
        ),
        mapValue((value) => String(value)),
        filterValue((value) => value !== '-'),
        decode(quiet, {
          deadLetter: (bad) =>
            bad.pipe(
              mapValue((letter) => String(letter.value)),
              letters,
            ),
        }),
        storeEach(fs, exact),
      );
    };
    const report = proveExactlyOnce(shape, input, { schedules: 100, atLeastOnceRoot: '/bad' });
    expect(report).toMatchObject({ lines: 8, commits: 'checked' });
    expect(failureOf(shape, {}, input).findings[0]).toContain('name its sink in `root` or `atLeastOnceRoot`');
  });

  it('rejects what is no flow, no input, no option', () => {
    const rejected = (run: () => unknown, part: string) => {
      expect(run).toThrow(OptionError);
      expect(run).toThrow(part);
    };
    const build = toyFlow(exact);
    rejected(() => proveExactlyOnce((() => undefined) as unknown as BuildCollector, INPUT), 'a flow');
    rejected(() => proveExactlyOnce(undefined as unknown as BuildCollector, INPUT), '`build`');
    rejected(() => proveExactlyOnce(build, { chat: ['a'] as unknown as [] }), '`input.chat`');
    rejected(() => proveExactlyOnce(build, INPUT, { roots: '/lake' } as ProofOptions), '`roots`');
    rejected(() => proveExactlyOnce(build, INPUT, { root: 'lake' }), '`root`');
    rejected(() => proveExactlyOnce(build, INPUT, { faults: ['crush'] as never }), '`faults`');
    rejected(() => proveExactlyOnce(build, INPUT, { replay: 'crash before 17' }), '`replay`');
    rejected(() => proveExactlyOnce(build, INPUT, { quietMs: 10 }), '`quietMs`');
  });

  it('says so where a flow fails, or stores nothing, without any fault', () => {
    const broken: BuildCollector = ({ kafka }) =>
      kafkaSource(kafka, { topics: ['none'], groupId: 'g' }) as unknown as Source<never>;
    expect(failureOf(broken).findings).toEqual([
      expect.stringMatching(/^waiting in the end: chat\/0 offset 0 \(of 4\) was not committed for \d+ ms/),
      expect.stringMatching(/^waiting in the end: chat\/1 offset 0 /),
      expect.stringMatching(/^stuck: .*There is no topic none/),
    ]);
    expect(failureOf(toyFlow(exact), { root: '/elsewhere' }).findings[0]).toContain('in none of the roots');
  });
});
