import { Subject, type Subscription } from 'rxjs';
import { SinkError } from '../core/errors.js';
import { expectFunction, expectKnown, expectMs, expectOption } from '../core/options.js';
import type { FlushSignal } from '../delivery/acker.js';
import type { Delivery } from '../delivery/delivery.js';
import type { Source } from '../delivery/source.js';
import { expectThat, type It, inVirtualTime, itOf } from './contracts/contract-run.js';

/** A source over a store in memory, with what a check must do to that. */
export interface SourceUnderTest {
  readonly source: Source<Delivery<unknown>>;
  /** Puts so many more values where the source reads, into one stream; with `commits: 'files'` as one file. */
  produce(count: number): void;
  /** How many values of that stream, from the first on, need not be redelivered: what is committed at the store. */
  committed(): number;
}

export interface SourceSetting {
  /** Made anew for each check. All its time must be RxJS's. */
  readonly make: () => SourceUnderTest;
  /**
   * How a value is known when it is redelivered. Default: by its offset, as where it is read again from there; a queue gives a
   * offset of its own to what it redelivers.
   */
  readonly nameOf?: (delivery: Delivery<unknown>) => unknown;
  /**
   * What it commits at its store: the offset up to which all is acked, a file once all of it is acked, or nothing, where only the
   * ledger of a sink remembers. Default `offsets`.
   */
  readonly commits?: 'offsets' | 'files' | 'nothing';
  /** The longest that reading, committing and draining may take, in virtual milliseconds. Default 10,000. */
  readonly withinMs?: number;
  /** The runner's `it`. Default: the global one. */
  readonly it?: It;
}

/** What is to be committed at the store when the first `acked` values, of all that were produced at once, are acked. */
function due(commits: NonNullable<SourceSetting['commits']>, acked: number, produced: number): number {
  if (commits === 'offsets') return acked;
  return commits === 'files' && acked === produced ? acked : 0;
}

interface Running extends SourceUnderTest {
  readonly out: Delivery<unknown>[];
  readonly ended: () => string;
  readonly running: Subscription;
  drain(): void;
}

/**
 * The contract of a source as tests, for a source of your own whose values are redelivered until they are acked: what
 * operators and sinks rely on.
 *
 * ```ts
 * import { it } from '@jest/globals';
 * import { kafkaSource } from 'rxflume';
 * import { describeSource, MemoryKafka } from 'rxflume/testing';
 *
 * export function testMySource(): void {
 *   describeSource('my source', {
 *     make: () => {
 *       const kafka = new MemoryKafka();
 *       kafka.createTopic('t');
 *       return {
 *         source: kafkaSource(kafka, { topics: ['t'], groupId: 'g' }),
 *         produce: (count) => kafka.produce('t', 0, Array.from({ length: count }, (_, n) => `value ${n}`)),
 *         committed: () => kafka.committed('g', 't', 0),
 *       };
 *     },
 *     it,
 *   });
 * }
 * ```
 */
export function describeSource(name: string, setting: SourceSetting): void {
  expectKnown('describeSource setting', setting, ['make', 'nameOf', 'commits', 'withinMs', 'it']);
  expectFunction('make', setting.make);
  const { withinMs = 10_000, nameOf = ({ origin }) => origin.offset, commits = 'offsets' } = setting;
  expectOption(
    'commits',
    commits,
    ['offsets', 'files', 'nothing'].includes(commits),
    '`offsets`, `files` or `nothing`',
  );
  expectFunction('nameOf', nameOf);
  expectMs('withinMs', withinMs, 1);
  expectOption('name', name, typeof name === 'string', 'a text');
  const it = itOf(setting.it);
  const check = (what: string, run: (running: Running, at: (ms: number, action: () => void) => void) => void) =>
    it(`${name} ${what}`, () => inVirtualTime((at) => run(start(setting.make()), at)));

  check('gives each value once, with where it comes from', ({ produce, out, running }, at) => {
    produce(4);
    at(withinMs, () => {
      expectThat(out.length === 4, '4 values', out.length);
      for (const [at, { origin, acker, seq }] of out.entries()) {
        const isInSeq = typeof origin.stream === 'string' && Number.isSafeInteger(origin.offset);
        expectThat(isInSeq, 'a stream, and an offset that is a safe integer', origin);
        expectThat(origin.byteLength >= 0, 'a size', origin.byteLength);
        expectThat(seq === at, `sequence number ${at}, dense in order of arrival`, seq);
        expectThat(acker.flush$ === out[0]?.acker.flush$, 'one `flush$` for all of an epoch', at);
        const before = out[at - 1]?.origin.offset ?? Number.NEGATIVE_INFINITY;
        expectThat(origin.offset > before, 'offsets that rise', origin.offset);
      }
      running.unsubscribe();
    });
  });

  const expectCommitted = (committed: number, acked: number, produced: number) => {
    const expected = due(commits, acked, produced);
    expectThat(committed === expected, `${expected} values to be committed`, committed);
  };

  check('commits the unbroken run of acks, and nothing beyond it', ({ produce, out, committed, running }, at) => {
    produce(4);
    at(withinMs, () => {
      for (const one of [out[1], out[0], out[3]]) one?.ack();
    });
    at(2 * withinMs, () => {
      expectCommitted(committed(), 2, 4);
      out[2]?.ack();
    });
    at(3 * withinMs, () => {
      expectCommitted(committed(), 4, 4);
      running.unsubscribe();
    });
  });

  check(
    'redelivers what is nacked and may pass, and commits nothing of it',
    ({ produce, out, committed, running }, at) => {
      produce(2);
      at(withinMs, () => out[0]?.nack(new SinkError('RXF_SINK_WRITE', 'busy.')));
      at(10 * withinMs, () => {
        expectThat(committed() <= 0, 'nothing to be committed', committed());
        const again = out.slice(2).map(nameOf);
        const rejected = nameOf(out[0] as Delivery<unknown>);
        expectThat(again.includes(rejected), 'the nacked value to be redelivered', again);
        running.unsubscribe();
      });
    },
  );

  check('fails at what is nacked for good, with all before it committed', ({ produce, out, committed, ended }, at) => {
    produce(3);
    at(withinMs, () => {
      out[0]?.ack();
      out[1]?.nack(new SinkError('RXF_SINK_FORMAT', 'no object.'));
      out[2]?.ack();
    });
    at(10 * withinMs, () => {
      expectThat(ended() === 'error', 'it to fail', ended());
      expectCommitted(committed(), 1, 3);
    });
  });

  check(
    'drains: takes no more, asks to settle, commits, completes',
    ({ produce, out, committed, ended, drain }, at) => {
      produce(2);
      const flushListeners: FlushSignal[] = [];
      at(withinMs, () => {
        out[0]?.acker.flush$.subscribe((signal) => {
          flushListeners.push(signal);
          for (const one of out) one.ack();
        });
        drain();
        produce(2);
      });
      at(10 * withinMs, () => {
        expectThat(flushListeners.includes('settle'), 'to be asked to settle', flushListeners);
        expectThat(ended() === 'complete', 'it to complete', ended());
        expectThat(out.length === 2, '2 values', out.length);
        expectCommitted(committed(), 2, 2);
      });
    },
  );

  check('ends a drain also where nobody settles', ({ produce, ended, drain }, at) => {
    produce(2);
    at(withinMs, () => drain());
    at(100 * withinMs, () => expectThat(ended() !== '', 'it to end', ended()));
  });

  check(
    'is silent once it is left: no values, no commits, and its epoch is over',
    ({ produce, out, committed, running }, at) => {
      produce(2);
      let isOver = false;
      at(withinMs, () => {
        out[0]?.acker.flush$.subscribe({
          complete: () => {
            isOver = true;
          },
        });
        running.unsubscribe();
        for (const one of out) one.ack();
        produce(2);
      });
      at(2 * withinMs, () => {
        expectThat(isOver, 'the epoch to be over', isOver);
        expectThat(out.length === 2 && committed() <= 0, 'no more values and no commit', [out.length, committed()]);
      });
    },
  );
}

function start(test: SourceUnderTest): Running {
  const out: Delivery<unknown>[] = [];
  const stop$ = new Subject<void>();
  let ended = '';
  const running = test.source.drainedBy(stop$).subscribe({
    next: (delivery) => {
      out.push(delivery);
    },
    error: () => {
      ended = 'error';
    },
    complete: () => {
      ended = 'complete';
    },
  });
  return {
    source: test.source,
    produce: (count) => test.produce(count),
    committed: () => test.committed(),
    out,
    ended: () => ended,
    running,
    drain: () => stop$.next(),
  };
}
