import { describe, expect, it } from '@jest/globals';
import { of, throwError } from 'rxjs';
import { mapValue } from '../../../operators/map-value.js';
import { ConnectError, SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { flow } from '../../../src/flow/flow.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import type { OffsetStore } from '../../../src/offsets/offset-store.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { amqpStreamSource } from '../../../src/sources/amqp/amqp-stream-source.js';
import type { AmqpStreamSourceOptions } from '../../../src/sources/amqp/stream-options.js';
import { MemoryAmqp, type MemoryAmqpOptions } from '../../../src/testing/memory/memory-amqp.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { monitored, run } from './support.js';

const busy = () => new SinkError('RXF_SINK_WRITE', 'busy');

function broker(values: readonly string[] = [], options: MemoryAmqpOptions = {}) {
  const own = new MemoryAmqp(options);
  own.createQueue('s', 'stream');
  own.send('s', values);
  return own;
}

function optionsOf(options: Partial<AmqpStreamSourceOptions>): AmqpStreamSourceOptions {
  const reconnect = { firstDelayMs: 100, maxDelayMs: 1_000, jitter: 0, ...options.reconnect };
  return { queues: ['s'], monitor: new Monitor(), ...options, reconnect };
}

const read = (own: MemoryAmqp, options: Partial<AmqpStreamSourceOptions> = {}) =>
  run(amqpStreamSource(own, optionsOf(options)));

const ledger = (position: number | undefined): { offsetStore: OffsetStore; asked: () => number } => {
  let asked = 0;
  const offsetStore = (streams: readonly string[]) => {
    asked += 1;
    return of(new Map(position === undefined ? [] : streams.map((stream) => [stream, position])));
  };
  return { offsetStore, asked: () => asked };
};

describe('amqpStreamSource', () => {
  it('is as drawn: credit for what is released, and read again from what is not acked', () => {
    const own = broker(['0', '1', '2', '3']);
    inVirtualTime((at) => {
      const { out, seen } = read(own, { prefetch: 4, ack: { count: 1 } });
      at(10, () => {
        expect(seen).toEqual(['0', '1', '2', '3']);
        for (const delivery of out.slice(0, 2)) delivery.release();
      });
      at(20, () => {
        expect(own.settlements.map(({ contents }) => contents)).toEqual([['0'], ['1']]);
        for (const delivery of out.slice(0, 2)) delivery.ack();
        out[2]?.nack(busy());
      });
      at(1_000, () => expect(seen).toHaveLength(4));
      at(1_100, () => {
        expect(seen.slice(4)).toEqual(['2', '3']);
        expect(out[4]?.origin).toMatchObject({ stream: 'amqp:s', offset: 2, epoch: 2 });
      });
    });
  });

  it.each<[AmqpStreamSourceOptions['startAt'], string[]]>([
    [undefined, ['0', '1', '2', '3']],
    ['first', ['0', '1', '2', '3']],
    ['last', ['2', '3']],
    ['next', []],
    [3, ['3']],
  ])('begins at %s', (startAt, expected) => {
    const own = new MemoryAmqp();
    own.createQueue('s', 'stream');
    inVirtualTime((at) => {
      own.send('s', ['0', '1']);
      at(1, () => own.send('s', ['2', '3']));
      at(2, () => {
        const { seen, running } = read(own, startAt === undefined ? {} : { startAt });
        at(9, () => {
          expect(seen).toEqual(expected);
          running.unsubscribe();
        });
      });
    });
  });

  it('resumes where the ledger says, and drops what comes before it in its chunk', () => {
    const { offsetStore } = ledger(3);
    inVirtualTime((at) => {
      // All of one moment, so one chunk; in real time a millisecond may pass between two of them.
      const own = broker(['0', '1', '2', '3', '4'], { givesChunks: true });
      const { out, seen } = read(own, { resumeFrom: offsetStore, prefetch: 2, ack: { count: 1 } });
      at(20, () => {
        // The three before it gave their credit back.
        expect(seen).toEqual(['3', '4']);
        expect(out[0]?.acker.resumeTracker).toMatchObject({ resumeFrom: offsetStore, start: 3, horizon: 3 });
        out[0]?.release();
      });
      at(30, () => {
        expect(own.settlements.at(-1)?.contents).toEqual(['3']);
        expect(own.settlements.flatMap(({ contents }) => contents)).toEqual(['0', '1', '2', '3']);
      });
    });
  });

  it('asks the ledger again at each channel, and before it reads again what was nacked', () => {
    const own = broker(['0', '1', '2']);
    const { offsetStore, asked } = ledger(1);
    inVirtualTime((at) => {
      const { out, seen } = read(own, { resumeFrom: offsetStore });
      at(10, () => own.cut());
      at(200, () => {
        expect([seen, asked()]).toEqual([['1', '2', '1', '2'], 2]);
        out[2]?.ack();
        out[3]?.nack(busy());
      });
      at(1_500, () => expect([seen.slice(4), asked()]).toEqual([['1', '2'], 3]));
    });
  });

  it('goes on after a lost channel where it was, also behind what it began with', () => {
    const own = broker(['0', '1', '2']);
    inVirtualTime((at) => {
      const { out, seen } = read(own, { startAt: 'last' });
      at(10, () => {
        out[0]?.ack();
        own.cut();
        out[1]?.ack();
        own.send('s', ['3']);
      });
      at(200, () => expect(seen).toEqual(['0', '1', '2', '1', '2', '3']));
    });
  });

  it('tries again where the ledger cannot be asked after a reconnect, and fails at once at the first', () => {
    const own = broker(['0']);
    let isAway = true;
    const away = new SinkError('RXF_FILES_UNREACHABLE', 'away');
    const resumeFrom = () => (isAway ? throwError(() => away) : of(new Map()));
    inVirtualTime((at) => {
      const first = read(own, { resumeFrom });
      at(5, () => expect(first.ended()).toBe('RXF_AMQP_RESUME'));
      at(6, () => (isAway = false));
      at(7, () => {
        const { seen, ended } = read(own, { resumeFrom });
        at(5, () => {
          isAway = true;
          own.cut();
        });
        at(250, () => (isAway = false));
        at(900, () => expect([seen, ended()]).toEqual([['0', '0'], '']));
      });
    });
  });

  it('fails where retention removed what was to be next, and says what to do', () => {
    const own = broker(['0', '1', '2', '3']);
    own.trim('s', 2);
    const { offsetStore } = ledger(1);
    const resumeFrom = Object.assign(offsetStore, { recoveryHint: (stream: string) => `See the ledger of ${stream}.` });
    inVirtualTime((at) => {
      const { ended, seen, error } = read(own, { resumeFrom });
      at(20, () => {
        expect([ended(), seen]).toEqual(['RXF_AMQP_DATA_LOST', []]);
        expect((error() as Error).message).toContain('from offset 1, but the stream begins at 2');
        expect((error() as Error).message).toContain('See the ledger of amqp:s.');
      });
    });
  });

  it('takes an offset that is asked for and is no more for a wish, and a gap in the middle for a gap', () => {
    const own = broker(['0', '1', '2', '3']);
    own.trim('s', 2);
    inVirtualTime((at) => {
      const { seen } = read(own, { startAt: 1 });
      at(20, () => expect(seen).toEqual(['2', '3']));
    });
    // The stream still holds its first message; what is asked for was no message.
    const gap = broker(['0', '1', '2', '3']);
    const consume = gap.consume.bind(gap);
    gap.consume = (consumption, listener) =>
      consume(consumption, {
        ...listener,
        message: (message) => {
          const offset = Number(message.properties.headers?.['x-stream-offset']);
          if (consumption.prefetch !== 1 && offset === 1) return;
          listener.message(message);
        },
      });
    inVirtualTime((at) => {
      const { seen } = read(gap, { resumeFrom: ledger(1).offsetStore });
      at(20, () => expect(seen).toEqual(['2', '3']));
    });
  });

  describe('where the stream was made anew, and ends below where it is to be resumed', () => {
    const SILENT_MS = 10_000;
    const remake = (own: MemoryAmqp, values: readonly string[]) => {
      own.deleteQueue('s');
      own.createQueue('s', 'stream');
      own.send('s', values);
    };
    const hintOf = (position: number) =>
      Object.assign(ledger(position).offsetStore, { recoveryHint: (stream: string) => `See the ledger of ${stream}.` });

    it.each([false, true])('fails instead of passing its messages over, by chunks: %s', (givesChunks) => {
      const own = broker(['0', '1'], { givesChunks });
      inVirtualTime((at) => {
        const { ended, seen, error } = read(own, { resumeFrom: hintOf(9) });
        // It is written to all the time, and so never silent.
        for (let time = 500; time < SILENT_MS; time += 2_000) at(time, () => own.send('s', [`${time}`]));
        at(SILENT_MS + 100, () => {
          expect([ended(), seen]).toEqual(['RXF_AMQP_DATA_LOST', []]);
          expect(error()).toMatchObject({ details: { stream: 'amqp:s', expected: 9, first: 0 } });
          expect((error() as Error).message).toContain('from offset 9, but the stream ends before 8');
          expect((error() as Error).message).toContain('See the ledger of amqp:s.');
          expect(own.consumers('s')).toBe(0);
        });
      });
    });

    it('fails at its first message where it is empty, however late that comes', () => {
      const own = broker();
      inVirtualTime((at) => {
        const { ended, seen } = read(own, { resumeFrom: hintOf(9) });
        at(SILENT_MS * 30, () => {
          expect([ended(), seen]).toEqual(['', []]);
          own.send('s', ['0']);
        });
        at(SILENT_MS * 30 + 10, () => expect([ended(), seen]).toEqual(['RXF_AMQP_DATA_LOST', []]));
      });
    });

    it('fails too where that happens while it is read', () => {
      const own = broker(['0', '1', '2']);
      inVirtualTime((at) => {
        const { ended, seen, out } = read(own);
        at(10, () => {
          for (const delivery of out) delivery.ack();
          remake(own, ['a']);
        });
        at(SILENT_MS + 200, () => expect([ended(), seen]).toEqual(['RXF_AMQP_DATA_LOST', ['0', '1', '2']]));
      });
    });

    it('does not fail where all is read and nothing new comes, or all that was read has expired', () => {
      const own = broker(['0', '1', '2']);
      inVirtualTime((at) => {
        const { ended, seen, drain } = read(own, { resumeFrom: hintOf(3) });
        at(SILENT_MS * 2, () => own.send('s', ['3']));
        at(SILENT_MS * 2 + 10, () => {
          expect([ended(), seen]).toEqual(['', ['3']]);
          expect(own.consumers('s')).toBe(1);
          drain();
        });
      });
      const expired = broker(['0', '1', '2']);
      expired.trim('s', 3);
      inVirtualTime((at) => {
        const { ended, seen } = read(expired, { resumeFrom: hintOf(3) });
        at(SILENT_MS * 2, () => expired.send('s', ['3']));
        at(SILENT_MS * 2 + 10, () => expect([ended(), seen, expired.consumers('s')]).toEqual(['', ['3'], 1]));
      });
    });

    it('leaves a start that `startAt` names beyond the end alone', () => {
      const own = broker(['0', '1']);
      inVirtualTime((at) => {
        const { ended, seen } = read(own, { startAt: 3 });
        at(SILENT_MS * 2, () => own.send('s', ['2', '3']));
        at(SILENT_MS * 3, () => expect([ended(), seen]).toEqual(['', ['3']]));
      });
    });

    it('drains as ever while it looks', () => {
      const own = broker(['0', '1']);
      inVirtualTime((at) => {
        const { ended, drain } = read(own, { resumeFrom: hintOf(9) });
        at(SILENT_MS - 1, () => drain());
        at(SILENT_MS + 100, () => expect([ended(), own.consumers('s')]).toEqual(['complete', 0]));
      });
    });
  });

  it('says where a queue is read as a stream', () => {
    const own = new MemoryAmqp();
    own.createQueue('s');
    own.send('s', ['a']);
    inVirtualTime((at) => {
      const { ended } = read(own);
      at(10, () => expect([ended(), own.ready('s')]).toEqual(['RXF_AMQP_MISMATCH', ['a']]));
    });
  });

  it('stops at what is nacked for good or too often, with what came before it settled', () => {
    const own = broker(['0', '1', '2']);
    inVirtualTime((at) => {
      const { out, ended, error } = read(own);
      at(10, () => {
        out[0]?.ack();
        out[1]?.nack(new SinkError('RXF_SINK_FORMAT', 'no object'));
        out[2]?.ack();
      });
      at(50, () => {
        expect(ended()).toBe('RXF_SOURCE_NACKED');
        expect((error() as Error).message).toContain('amqp:s offset 1 was nacked: no object');
      });
    });
    const again = broker(['0']);
    inVirtualTime((at) => {
      const { out, ended } = read(again, { redeliver: { maxAttempts: 2, firstDelayMs: 10, maxDelayMs: 10 } });
      for (const nth of [0, 1, 2]) at(30 * (nth + 1), () => out[nth]?.nack(busy()));
      at(85, () => expect(ended()).toBe(''));
      at(200, () => expect([ended(), out.length]).toEqual(['RXF_SOURCE_NACKED', 3]));
    });
  });
});

describe('amqpStreamSource, its window', () => {
  it('has at most the prefetch unreleased, however many are unacked, and asks to release', () => {
    const own = broker(Array.from({ length: 9 }, (_, n) => `${n}`));
    inVirtualTime((at) => {
      const { out } = read(own, { prefetch: 3 });
      const flushListeners: string[] = [];
      at(5, () => out[0]?.acker.flush$.subscribe((signal) => flushListeners.push(signal)));
      at(150, () => {
        expect([out.length, flushListeners]).toEqual([3, ['release']]);
        for (const delivery of out.slice(0, 3)) delivery.release();
      });
      at(200, () => expect(out).toHaveLength(6));
    });
  });

  it('gives no more credit while too much would be redelivered, asks to settle, and goes on once that is done', () => {
    const own = broker(Array.from({ length: 99 }, (_, n) => `${n}`));
    inVirtualTime((at) => {
      const { out } = read(own, { prefetch: 4, maxUnacked: 10 });
      const flushListeners: string[] = [];
      at(5, () => out[0]?.acker.flush$.subscribe((signal) => flushListeners.push(signal)));
      for (let time = 5; time < 2_000; time += 5) at(time, () => out.at(-1)?.acker.release(0, out.length));
      at(1_000, () => {
        expect(out.length).toBeGreaterThanOrEqual(10);
        expect(out.length).toBeLessThanOrEqual(14);
        expect(flushListeners[0]).toBe('settle');
        out[0]?.acker.ack(0, out.length);
      });
      at(1_500, () => expect(out.length).toBeGreaterThan(14));
    });
  });

  it('asks to catch up while a sink waits for what lies before its commit', () => {
    const own = broker(['0', '1']);
    inVirtualTime((at) => {
      const { out } = read(own, { resumeFrom: ledger(undefined).offsetStore });
      const flushListeners: string[] = [];
      let isReached = false;
      at(5, () => {
        const { flush$, resumeTracker } = out[0]?.acker ?? {};
        flush$?.subscribe((signal) => flushListeners.push(signal));
        resumeTracker?.reached(2).subscribe({ complete: () => (isReached = true) });
      });
      at(20, () => {
        expect([flushListeners, isReached]).toEqual([['catchUp'], false]);
        out[0]?.ack();
        out[1]?.acker.hold(1, 2);
        expect(isReached).toBe(true);
      });
    });
  });

  it('tells a sink that waits for what was nacked, and does not pass that off as drained', () => {
    const own = broker(['0', '1']);
    inVirtualTime((at) => {
      const { out, ended, drain } = read(own, { resumeFrom: ledger(undefined).offsetStore });
      let failure = '';
      at(5, () => {
        out[0]?.acker.resumeTracker?.reached(2).subscribe({ error: ({ code }: { code: string }) => (failure = code) });
        out[0]?.nack(busy());
        expect(failure).toBe('RXF_SINK_STOPPED');
      });
      at(20, () => drain());
      at(50, () => expect(ended()).toBe('RXF_SOURCE_NACKED'));
    });
  });

  it('drains, and is silent once it is left', () => {
    const own = broker(['0']);
    inVirtualTime((at) => {
      const { out, ended, drain } = read(own);
      at(10, () => {
        out[0]?.acker.flush$.subscribe(() => out[0]?.ack());
        drain();
      });
      at(20, () => expect([ended(), own.consumers('s')]).toEqual(['complete', 0]));
      at(21, () => {
        const left = read(own);
        at(10, () => {
          left.running.unsubscribe();
          left.out[0]?.nack(busy());
          own.send('s', ['1']);
        });
        at(5_000, () => expect([left.seen, left.ended(), own.consumers('s')]).toEqual([['0'], '', 0]));
      });
    });
  });
});

describe('amqpStreamSource into files', () => {
  const lakeOf = (fs: ReturnType<typeof memoryFileSystem>) =>
    fileSink<string>(fs, {
      root: '/lake',
      format: jsonLines(),
      roll: { count: 7, intervalMs: 200, idleMs: 100 },
      chunk: { maxWaitMs: 5 },
      monitor: new Monitor(),
    });

  it('is exactly once by what the flow says, and only with the ledger', () => {
    const own = broker();
    const lake = lakeOf(memoryFileSystem());
    const text = mapValue((value: Buffer) => value.toString());
    const guarantee = (options: Partial<AmqpStreamSourceOptions>) =>
      flow('a', amqpStreamSource(own, optionsOf(options)), text, lake.write()).guarantee;
    expect(guarantee({ resumeFrom: lake.offsetStore }).level).toBe('exactly-once');
    expect(guarantee({}).because[0]).toContain('give it `resumeFrom: lake.offsetStore`');
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('has each value once, through cuts and restarts: schedule %s', (seed) => {
    const own = broker();
    const fs = memoryFileSystem({ latencyMs: 1 });
    const { monitor } = monitored();
    // A small generator, so that a schedule can be run again.
    let state = seed * 7_919;
    const chance = (most: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % most;
    };
    inVirtualTime((at) => {
      let running = collect();
      function collect() {
        const lake = lakeOf(fs);
        return amqpStreamSource(own, optionsOf({ resumeFrom: lake.offsetStore, prefetch: 1 + chance(20), monitor }))
          .pipe(
            mapValue((value) => value.toString()),
            lake.write(),
          )
          .subscribe({ error: (error: unknown) => expect(error).toBeInstanceOf(ConnectError) });
      }
      let sent = 0;
      for (let time = 1; time < 4_000; time += 1 + chance(40)) {
        at(time, () => {
          own.send(
            's',
            Array.from({ length: 1 + chance(5) }, () => `v${sent++}`),
          );
        });
      }
      for (let time = 50; time < 4_000; time += 50 + chance(400)) {
        at(time, () => {
          if (chance(3) > 0) own.cut();
          else {
            running.unsubscribe();
            running = collect();
          }
        });
      }
      at(20_000, () => {
        running.unsubscribe();
        const values = Object.keys(fs.files())
          .filter((path) => !path.includes('_rxflume'))
          .flatMap((path) => fs.text(path).split('\n'))
          .filter((line) => line !== '');
        expect(values.length).toBeGreaterThan(200);
        expect([values.length, new Set(values).size]).toEqual([sent, sent]);
      });
    });
  });
});

describe('amqpStreamSource, its options', () => {
  it.each<[string, object, string]>([
    ['another start', { startAt: 'earliest' }, "`startAt` to be 'first', 'last', 'next' or an offset from 0"],
    ['an offset below 0', { startAt: -1 }, '`startAt` to be'],
    ['another kind', { declare: { kind: 'quorum' } }, "`declare.kind` to be 'stream'"],
    ['what is only for queues', { whenNacked: 'stop' }, 'got `whenNacked`'],
    ['no function', { resumeFrom: 1 }, '`resumeFrom` to be a function'],
  ])('rejects %s', (_, options, message) => {
    expect(() => amqpStreamSource(new MemoryAmqp(), { queues: ['s'], ...options })).toThrow(message);
  });
});
