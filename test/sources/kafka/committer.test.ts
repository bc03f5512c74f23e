import { describe, expect, it } from '@jest/globals';
import { from, Subject } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { SourceLifecycle } from '../../../src/lifecycle/source-lifecycle.js';
import type { KafkaConsumer } from '../../../src/ports/kafka-consumer.js';
import { Assignment } from '../../../src/sources/kafka/assignment.js';
import { Committer } from '../../../src/sources/kafka/committer.js';
import { SessionState } from '../../../src/sources/kafka/session-state.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { batchOf, partitionOf } from './setting.js';

/** Commits of one partition, of which each is answered by hand. */
function commits(count = 100) {
  const { own } = partitionOf(0);
  const answers: Subject<void>[] = [];
  const offsets: number[] = [];
  const verbs = {
    commit: (_: number, reported: readonly { offset: number }[]) => {
      const answer = new Subject<void>();
      answers.push(answer);
      offsets.push(...reported.map(({ offset }) => offset));
      return answer;
    },
  };
  const state = new SessionState({ isRunning: true, fail: () => undefined } as unknown as SourceLifecycle);
  state.consumer = verbs as unknown as KafkaConsumer;
  state.assignment = new Assignment(1, [own]);
  const committer = new Committer(state, { count, intervalMs: 1_000 }, new Monitor(), {});
  own.enqueue(batchOf([0, 1, 2, 3, 4, 5]));
  const deliveries = Array.from({ length: 6 }, () => own.take());
  const done: string[] = [];
  return {
    committer,
    offsets,
    done,
    ack: (at: number) => {
      deliveries[at]?.ack();
      committer.acked(1);
    },
    answer: (at: number) => answers[at]?.complete(),
    fail: (at: number) => answers[at]?.error(new Error('the coordinator moves')),
    all: (name: string, then = () => {}) =>
      from(committer.all()).subscribe({
        error: () => done.push(`${name} failed`),
        complete: () => {
          done.push(name);
          then();
        },
      }),
  };
}

describe('several who wait for the commit that is under way', () => {
  it.each(['answer', 'fail'] as const)('make one commit between them, after it: %s', (outcome) =>
    inVirtualTime(() => {
      const { all, ack, answer, committer, done, offsets, ...seen } = commits();
      ack(0);
      all('first');
      ack(1);
      all('revoking');
      all('leaving');
      if (outcome === 'answer') answer(0);
      else seen.fail(0);
      expect(offsets).toEqual([1, 2]);
      answer(1);
      expect(offsets).toEqual([1, 2]);
      expect(done.sort()).toEqual([outcome === 'answer' ? 'first' : 'first failed', 'leaving', 'revoking']);
      committer.end();
    }),
  );

  it('are all answered where the epoch ends with its answer', () =>
    inVirtualTime(() => {
      const { all, ack, answer, committer, done } = commits();
      ack(0);
      all('first');
      ack(1);
      // The group assigns anew as soon as it has its answer.
      all('revoking', () => committer.epochEnded());
      all('leaving');
      answer(0);
      answer(1);
      expect(done.sort()).toEqual(['first', 'leaving', 'revoking']);
      committer.end();
    }));

  it('do not pile up while one is slow', () =>
    inVirtualTime(() => {
      const { all, ack, answer, committer, offsets } = commits(1);
      ack(0);
      all('revoking');
      ack(1);
      answer(0);
      for (const at of [2, 3, 4, 5]) ack(at);
      expect(offsets).toEqual([1, 2]);
      answer(1);
      expect(offsets).toEqual([1, 2, 6]);
      answer(2);
      expect(offsets).toEqual([1, 2, 6]);
      committer.end();
    }));
});
