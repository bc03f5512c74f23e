import { describe, expect, it } from '@jest/globals';
import { concat, defer, EMPTY, NEVER, of } from 'rxjs';
import { mapValue } from '../../../operators/map-value.js';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import type { OffsetStore } from '../../../src/offsets/offset-store.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { amqpStreamSource } from '../../../src/sources/amqp/amqp-stream-source.js';
import type { AmqpStreamSourceOptions } from '../../../src/sources/amqp/stream-options.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { run } from './support.js';

type Moment = 'last' | 'next';

const optionsOf = (options: Partial<AmqpStreamSourceOptions>): AmqpStreamSourceOptions => ({
  queues: ['s'],
  monitor: new Monitor(),
  reconnect: { firstDelayMs: 100, maxDelayMs: 1_000, jitter: 0 },
  ...options,
});

function broker(values: readonly string[]) {
  const own = new MemoryAmqp();
  own.createQueue('s', 'stream');
  own.send('s', values);
  return own;
}

/** Long enough for a start to be looked up in a stream without messages. */
const LOOKED_UP_MS = 2_500;

describe.each<Moment>(['last', 'next'])('a stream that is read from `%s`', (startAt) => {
  describe.each([
    ['that is empty', []],
    ['that holds messages', ['0', '1']],
  ])('%s', (_, before) => {
    const expected = (after: readonly string[]) => (startAt === 'last' ? [...before, ...after] : after);

    it('keeps its start over a channel that is lost before the first message, and before the first ack', () => {
      inVirtualTime((at) => {
        const own = broker(before);
        const { seen } = run(amqpStreamSource(own, optionsOf({ startAt })));
        at(LOOKED_UP_MS, () => {
          own.cut();
          own.send('s', ['a', 'b']);
        });
        at(LOOKED_UP_MS + 300, () => {
          expect(seen.slice(-2)).toEqual(['a', 'b']);
          seen.length = 0;
          own.cut();
          own.send('s', ['c']);
        });
        at(LOOKED_UP_MS + 900, () => expect(seen).toEqual(expected(['a', 'b', 'c'])));
      });
    });

    it('keeps its start in the ledger over restarts before the first commit, also where nothing was published', () => {
      inVirtualTime((at) => {
        const own = broker(before);
        const fs = memoryFileSystem({ latencyMs: 1 });
        const start = () => {
          const lake = fileSink<string>(fs, {
            root: '/lake',
            format: jsonLines(),
            roll: { count: 100, intervalMs: 2_000, idleMs: 1_000 },
            chunk: { maxWaitMs: 5 },
            monitor: new Monitor(),
          });
          return amqpStreamSource(own, optionsOf({ startAt, resumeFrom: lake.offsetStore }))
            .pipe(
              mapValue((value) => value.toString()),
              lake.write(),
            )
            .subscribe();
        };
        let running = start();
        for (const [nth, value] of ['a', 'b', 'c'].entries()) {
          at(LOOKED_UP_MS * (nth + 1), () => {
            running.unsubscribe();
            own.send('s', [value]);
            running = start();
          });
        }
        at(LOOKED_UP_MS * 6, () => {
          running.unsubscribe();
          const values = Object.keys(fs.files())
            .filter((path) => !path.includes('_rxflume'))
            .flatMap((path) => fs.text(path).trim().split('\n'))
            .map((line) => JSON.parse(line) as string);
          expect(values.sort()).toEqual(expected(['a', 'b', 'c']));
        });
      });
    });
  });

  describe('all of whose messages have expired', () => {
    const expired = () => {
      const own = broker(['0', '1', '2']);
      own.trim('s', 3);
      return own;
    };

    it('begins at the next message, whatever its offset: nothing that was to be read is missing', () => {
      inVirtualTime((at) => {
        const own = expired();
        const { ended, seen } = run(amqpStreamSource(own, optionsOf({ startAt })));
        at(LOOKED_UP_MS, () => own.send('s', ['a', 'b']));
        at(LOOKED_UP_MS + 100, () => {
          expect([ended(), seen]).toEqual(['', ['a', 'b']]);
          own.cut();
          own.send('s', ['c']);
        });
        // From its first message on that is not acked.
        at(LOOKED_UP_MS + 900, () => expect([ended(), seen.slice(-3)]).toEqual(['', ['a', 'b', 'c']]));
      });
    });

    it('is stored and resumed by the ledger from its first message on', () => {
      inVirtualTime((at) => {
        const own = expired();
        const fs = memoryFileSystem({ latencyMs: 1 });
        const errors: unknown[] = [];
        const start = () => {
          const lake = fileSink<string>(fs, {
            root: '/lake',
            format: jsonLines(),
            roll: { count: 1 },
            monitor: new Monitor(),
          });
          return amqpStreamSource(own, optionsOf({ startAt, resumeFrom: lake.offsetStore }))
            .pipe(
              mapValue((value) => value.toString()),
              lake.write(),
            )
            .subscribe({ error: (error: unknown) => errors.push(error) });
        };
        let running = start();
        at(LOOKED_UP_MS, () => own.send('s', ['a', 'b']));
        at(LOOKED_UP_MS + 1_000, () => {
          running.unsubscribe();
          own.send('s', ['c']);
          running = start();
        });
        at(LOOKED_UP_MS + 3_000, () => {
          running.unsubscribe();
          const values = Object.keys(fs.files())
            .filter((path) => !path.includes('_rxflume'))
            .flatMap((path) => fs.text(path).trim().split('\n'));
          expect([errors, values.sort()]).toEqual([[], ['"a"', '"b"', '"c"']]);
        });
      });
    });

    it('fails after a lost channel or a restart, where it cannot be known whether more has expired meanwhile', () => {
      inVirtualTime((at) => {
        const own = expired();
        const { ended, seen } = run(amqpStreamSource(own, optionsOf({ startAt })));
        const resumeFrom: OffsetStore = () => of(new Map([['amqp:s', 0]]));
        const restarted = run(amqpStreamSource(own, optionsOf({ startAt, resumeFrom })));
        at(LOOKED_UP_MS, () => {
          own.cut();
          own.send('s', ['a', 'b']);
          own.trim('s', 4);
        });
        at(LOOKED_UP_MS + 300, () => {
          expect([ended(), seen]).toEqual(['RXF_AMQP_DATA_LOST', []]);
          expect([restarted.ended(), restarted.seen]).toEqual(['RXF_AMQP_DATA_LOST', []]);
        });
      });
    });
  });

  it('reads nothing before the start is noted, and from where another has begun', () => {
    inVirtualTime((at) => {
      const own = broker(['0', '1', '2', '3']);
      let noted: number | undefined;
      let isSlow = true;
      const resumeFrom: OffsetStore = Object.assign(
        (streams: readonly string[]) => of(new Map(noted === undefined ? [] : streams.map((one) => [one, 1]))),
        {
          begin: (_: string, start: number) =>
            concat(
              defer(() => {
                noted = start;
                return isSlow ? NEVER : EMPTY;
              }),
            ),
        },
      );
      const first = run(amqpStreamSource(own, optionsOf({ startAt, resumeFrom })));
      at(LOOKED_UP_MS, () => {
        expect([first.seen, noted]).toEqual([[], startAt === 'last' ? 0 : 4]);
        first.running.unsubscribe();
        noted = undefined;
        isSlow = false;
        const second = run(amqpStreamSource(own, optionsOf({ startAt, resumeFrom })));
        at(200, () => expect(second.seen).toEqual(['1', '2', '3']));
      });
    });
  });

  it.each([
    [
      'that fails',
      (): never => {
        throw new SinkError('RXF_FILES_UNREACHABLE', 'away');
      },
    ],
    ['that never answers', () => NEVER],
  ])('ends with an error where the ledger has a start %s', (_, begin) => {
    inVirtualTime((at) => {
      const own = broker(['0']);
      const resumeFrom: OffsetStore = Object.assign(() => of(new Map<string, number>()), { begin });
      const { ended, seen } = run(amqpStreamSource(own, optionsOf({ startAt, resumeFrom })));
      at(700_000, () => expect([ended(), seen]).toEqual(['RXF_AMQP_RESUME', []]));
    });
  });

  it('rejects a queue that is no stream, and leaves its messages', () => {
    inVirtualTime((at) => {
      const own = new MemoryAmqp();
      own.createQueue('s');
      own.send('s', ['a']);
      const { ended } = run(amqpStreamSource(own, optionsOf({ startAt })));
      at(100, () => expect([ended(), own.ready('s')]).toEqual(['RXF_AMQP_MISMATCH', ['a']]));
    });
  });
});

describe('a ledger that a stream is resumed from', () => {
  it.each<[string, () => unknown]>([
    ['ends without an answer', () => EMPTY],
    ['answers no map', () => of('x')],
    ['answers no offset', () => of(new Map([['amqp:s', -1]]))],
    ['never answers', () => NEVER],
  ])('that %s is an error', (_, resumeFrom) => {
    inVirtualTime((at) => {
      const { ended } = run(amqpStreamSource(broker(['0']), optionsOf({ resumeFrom: resumeFrom as OffsetStore })));
      at(700_000, () => expect(ended()).toBe('RXF_AMQP_RESUME'));
    });
  });
});
