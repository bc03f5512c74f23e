import { describe, expect, it } from '@jest/globals';
import { RxflumeError } from '../../src/core/errors.js';
import { describeSink } from '../../src/testing/index.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { MEMORY_SINKS } from '../support/memory-sinks.js';
import { SinkRun } from '../support/sink-run.js';
import { inVirtualTime } from '../support/virtual-time.js';

describe.each(Object.entries(MEMORY_SINKS))('%s', (name, { sink, unanswered, value, ...given }) => {
  describeSink(name, { sink, value, it });

  const put = (run: SinkRun<unknown>, names: string, acker = run.acker) => {
    for (const letter of names) run.put(value(letter.charCodeAt(0)), {}, acker, letter);
  };
  const codeOf = (run: SinkRun<unknown>, letter: string) => (run.acker.causes[letter] as RxflumeError).code;

  if ('bad' in given) {
    it('nacks a value that cannot be written, and no other', () =>
      inVirtualTime((at) => {
        const run = new SinkRun(sink());
        put(run, 'a');
        run.put(given.bad, {}, run.acker, 'bad');
        put(run, 'c');
        run.complete();
        at(10_000, () => {
          expect([run.acker.acks, run.acker.nacks, run.ended]).toEqual([['a', 'c'], ['bad'], 'complete']);
          expect([codeOf(run, 'bad'), (run.acker.causes.bad as RxflumeError).retryable]).toEqual([
            'RXF_SINK_FORMAT',
            false,
          ]);
        });
      }));
  }

  // The null sink writes nowhere, so it waits for nobody.
  if (name === 'nullSink') return;

  it('acks nothing that is not answered, and nacks it as stopped when it is left', () =>
    inVirtualTime((at) => {
      const run = new SinkRun(unanswered());
      put(run, 'abc');
      at(500, () => {
        expect([run.acker.acks, run.receipts, run.ended]).toEqual([[], [], '']);
        run.leave();
        expect(run.acker.unsettled).toEqual([]);
        for (const letter of 'abc') expect(run.acker.causes[letter]).toBeInstanceOf(RxflumeError);
        expect([codeOf(run, 'c'), (run.acker.causes.c as RxflumeError).retryable]).toEqual(['RXF_SINK_STOPPED', true]);
      });
    }));

  it('does not complete while something is unanswered', () =>
    inVirtualTime((at) => {
      const run = new SinkRun(unanswered());
      put(run, 'abc');
      run.complete();
      at(500, () => {
        expect([run.acker.acks, run.ended]).toEqual([[], '']);
        run.leave();
        expect(run.acker.unsettled).toEqual([]);
      });
    }));

  it('settles each value of an epoch that ended at most once, whatever comes after it', () =>
    inVirtualTime((at) => {
      const run = new SinkRun(unanswered());
      const next = new RecordingAcker(run.acker.stream);
      put(run, 'abc');
      at(100, () => {
        run.acker.flush$.complete();
        put(run, 'abc', next);
      });
      at(500, () => {
        run.leave();
        expect([run.acker.unsettled, next.unsettled, next.acks]).toEqual([[], [], []]);
        const settled = run.acker.log.filter((line) => !line.startsWith('release'));
        expect(settled.sort()).toEqual(['nack a', 'nack b', 'nack c']);
      });
    }));
});
