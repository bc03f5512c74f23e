import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import type { FileSinkOptions } from '../../../src/sinks/files/options.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type At = (ms: number, action: () => void) => void;

function start<T = string>(fs: FileSystem, options: Partial<FileSinkOptions<T>> = {}) {
  const monitor = new Monitor();
  const sink = fileSink<T>(fs, { root: '/lake', format: jsonLines(), monitor, ...options });
  return Object.assign(new SinkRun<T>(sink.write(), 'kafka:chat/3'), { monitor });
}

function visible(fs: MemoryFileSystem): Record<string, string> {
  const files = Object.entries(fs.files()).filter(([path]) => !path.includes('/_rxflume/'));
  return Object.fromEntries(
    files.map(([path, bytes]) => [path.replace(/\+[a-z0-9]{8}-/, '+writer-'), Buffer.from(bytes).toString()]),
  );
}

/** The same files with some verbs of the test's own. */
function overriding(fs: MemoryFileSystem, verbs: Partial<FileSystem>): FileSystem {
  return {
    name: fs.name,
    pathProblem: (path) => fs.pathProblem(path),
    makeFolder: (path) => fs.makeFolder(path),
    create: (path) => fs.create(path),
    rename: (from, to) => fs.rename(from, to),
    publish: (from, to) => fs.publish(from, to),
    status: (path) => fs.status(path),
    list: (folder) => fs.list(folder),
    read: (path, maxBytes) => fs.read(path, maxBytes),
    remove: (path) => fs.remove(path),
    ...verbs,
  };
}

function temporary(fs: MemoryFileSystem): string[] {
  return Object.keys(fs.files()).filter((path) => path.includes('/_rxflume/'));
}

function whileRunning(run: { leave(): void }, at: At, ms: number, check: () => void) {
  at(ms, () => {
    try {
      check();
    } finally {
      run.leave();
    }
  });
}

describe('fileSink', () => {
  it('takes the value that fills a file whose storage answers at once', () => {
    inVirtualTime(() => {
      const run = start(memoryFileSystem(), { roll: { bytes: 3 }, chunk: { bytes: 3 } });
      run.send('a', 'b', 'c');
      run.complete();
      expect(run.acker.nacks).toEqual([]);
      expect(run.receipts.map(({ values, lastOffset }) => [values, lastOffset])).toEqual([
        [1, 0],
        [1, 1],
        [1, 2],
      ]);
      expect(run.ended).toBe('complete');
    });
  });

  it('releases when handed over, acks after the rename, then emits a receipt', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 2 });
      const run = start(fs, { roll: { intervalMs: 100 }, chunk: { maxWaitMs: 10 } });
      run.send('a', 'b');
      at(5, () => expect(run.acker.log).toEqual([]));
      at(20, () => {
        expect(run.acker.log).toEqual(['release a', 'release b']);
        expect(visible(fs)).toEqual({});
        expect(temporary(fs)).toHaveLength(1);
        expect(temporary(fs)[0]).toMatch(/^\/lake\/_rxflume\/tmp\/kafka\+chat~3\/0000000000000000\/[a-z0-9]{8}-0-0$/);
      });
      whileRunning(run, at, 150, () => {
        expect(run.acker.acks).toEqual(['a', 'b']);
        expect(visible(fs)).toEqual({
          '/lake/kafka+chat~3+0000000000000000+0000000000000001+writer-0-0.jsonl': '"a"\n"b"\n',
        });
        expect(temporary(fs)).toEqual([]);
        expect(run.receipts).toMatchObject([
          { sink: 'files', values: 2, bytes: 8, stream: 'kafka:chat/3', firstOffset: 0, lastOffset: 1 },
        ]);
      });
    }));

  it('acks nothing before the rename of every file of the roll has answered', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: (verb, path) => (verb === 'rename' && path.endsWith('-1') ? 500 : 1) });
      const run = start(fs, { path: (value) => `v=${value}`, roll: { count: 2 } });
      run.send('a', 'b');
      at(200, () => {
        expect(fs.calls.filter((call) => call.startsWith('rename'))).toHaveLength(2);
        expect(run.acker.acks).toEqual([]);
      });
      whileRunning(run, at, 700, () => expect(run.acker.acks).toEqual(['a', 'b']));
    }));

  it('rolls by count, and writes on in new files while the old close', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 5 });
      const run = start(fs, { roll: { count: 2 } });
      run.send('a', 'b', 'c', 'd', 'e');
      whileRunning(run, at, 100, () => {
        expect(Object.values(visible(fs))).toEqual(['"a"\n"b"\n', '"c"\n"d"\n']);
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd']);
        expect(run.acker.unsettled).toEqual(['e']);
      });
    }));

  it('rolls by stored bytes', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const run = start(fs, { roll: { bytes: 20 }, chunk: { bytes: 10 } });
      run.send('aaaaaaaa', 'bbbbbbbb', 'cccccccc');
      whileRunning(run, at, 100, () => {
        expect(run.receipts.length).toBeGreaterThanOrEqual(1);
        expect(run.receipts[0]?.bytes).toBeGreaterThanOrEqual(20);
      });
    }));

  it('rolls by interval from the first value, and when nothing came for a while', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const run = start(fs, { roll: { intervalMs: 1_000, idleMs: 200 } });
      at(50, () => run.send('a'));
      at(150, () => run.send('b'));
      at(260, () => run.send('c'));
      at(420, () => run.send('d'));
      at(500, () => expect(run.receipts).toHaveLength(0));
      at(900, () => expect(run.receipts.map(({ values }) => values)).toEqual([4]));
      for (let ms = 1_000; ms < 3_000; ms += 100) at(ms, () => run.send(`n${ms}`));
      whileRunning(run, at, 2_050, () => expect(run.receipts).toHaveLength(2));
    }));

  it('rolls when the source wants settling, and hands over when it wants release', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const run = start(fs, { chunk: { maxWaitMs: 10_000 } });
      run.send('a');
      at(10, () => run.acker.flush$.next('release'));
      at(20, () => {
        expect(run.acker.log).toEqual(['release a']);
        run.acker.flush$.next('settle');
        run.acker.flush$.next('settle');
      });
      whileRunning(run, at, 30, () => {
        expect(run.acker.acks).toEqual(['a']);
        expect(run.receipts).toHaveLength(1);
      });
    }));

  it('rolls everything at completion, and completes when it is published', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 3 });
      const run = start(fs);
      run.send('a');
      run.complete();
      expect(run.ended).toBe('');
      at(100, () => {
        expect(run.ended).toBe('complete');
        expect(run.acker.acks).toEqual(['a']);
        const empty = start(fs);
        empty.complete();
        expect(empty.ended).toBe('complete');
      });
    }));

  it('keeps one open file for each stream and bucket, made from the value and its time', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const run = start(fs, { path: 'dt={yyyy}-{MM}-{dd}/hour={HH}' });
      const other = new RecordingAcker('kafka:chat/4');
      const time = (text: string) => ({ timestamp: Date.parse(text) });
      run.put('a', time('2026-11-23T09:59:59.999Z'));
      run.put('b', time('2026-11-23T10:00:00.000Z'));
      run.give(other.deliver('c', time('2026-11-23T10:30:00Z')));
      run.put('d', time('2026-11-23T09:00:00Z'));
      run.complete();
      at(10, () =>
        expect(visible(fs)).toEqual({
          '/lake/dt=2026-11-23/hour=09/kafka+chat~3+0000000000000000+0000000000000002+writer-0-0.jsonl': '"a"\n"d"\n',
          '/lake/dt=2026-11-23/hour=10/kafka+chat~3+0000000000000001+0000000000000001+writer-0-1.jsonl': '"b"\n',
          '/lake/dt=2026-11-23/hour=10/kafka+chat~4+0000000000000000+0000000000000000+writer-1-0.jsonl': '"c"\n',
        }),
      );
    }));

  it('bounds the open files: waits for one to close, loses nothing, settles each once', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 2 });
      const run = start(fs, { path: (value) => `v=${value}`, maxOpenFiles: 2, chunk: { maxWaitMs: 1 } });
      const values = Array.from({ length: 30 }, (_, n) => `${n % 7}`);
      let most = 0;
      for (const value of values) {
        run.put(value, {}, run.acker, `${value}#${run.acker.unsettled.length}`);
        most = Math.max(most, run.monitor.total('rxflume_sink_open_files'));
      }
      run.complete();
      at(2_000, () => {
        expect(most).toBe(2);
        expect(run.ended).toBe('complete');
        expect(run.acker.acks).toHaveLength(30);
        const lines = Object.values(visible(fs)).join('').trim().split('\n');
        expect(lines.sort()).toEqual(values.map((value) => JSON.stringify(value)).sort());
        expect(run.monitor.total('rxflume_sink_open_files')).toBe(0);
      });
    }));

  it.each([
    ['says once a minute that files are closed early and hold few values', 2, ['files.crowded', 'files.crowded']],
    ['says nothing of it where all buckets can be open', 128, []],
  ] as const)('%s', (_, maxOpenFiles, logEvents) =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const run = start(fs, {
        path: (value) => `v=${value}`,
        maxOpenFiles,
        chunk: { maxWaitMs: 1 },
        roll: { intervalMs: 5_000 },
      });
      const seen: string[] = [];
      const messages: string[] = [];
      run.monitor.logEvents$.subscribe(({ what, message }) => {
        seen.push(what);
        messages.push(message);
      });
      for (let n = 0; n < 900; n += 1) at(n * 100, () => run.send(`${n % 40}`));
      at(90_000, () => run.complete());
      at(100_000, () => {
        expect(run.acker.acks).toHaveLength(900);
        expect(seen).toEqual(logEvents);
        for (const message of messages) {
          expect(message).toBe(
            '/lake: files are closed early because 2 are open, the most that `maxOpenFiles` allows. The last 100 files hold ' +
              '1 values each on average. Raise `maxOpenFiles`, or give values fewer buckets by a coarser `path`.',
          );
        }
      });
    }),
  );

  it('writes many values at once, compressed in members that read as one', async () => {
    const fs = memoryFileSystem();
    const run = start(fs, { format: jsonLines({ compression: 'gzip' }), chunk: { bytes: 100 } });
    const values = Array.from({ length: 200 }, (_, n) => `value ${n}`);
    run.send(...values);
    run.complete();
    while (run.ended === '') await new Promise((resolve) => setTimeout(resolve, 5));
    const [[path, bytes] = ['', new Uint8Array()]] = Object.entries(fs.files());
    expect(path).toMatch(/\.jsonl\.gz$/);
    expect(gunzipSync(bytes).toString()).toBe(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    const writes = fs.calls.filter((call) => call.startsWith('write'));
    expect(writes.length).toBeGreaterThan(5);
    expect(writes.length).toBeLessThan(60);
  });

  it.each(['write', 'close', 'rename'] as const)(
    'nacks the whole roll when %s fails, acks nothing of it, removes its files',
    (verb) =>
      inVirtualTime((at) => {
        const fs = memoryFileSystem({ latencyMs: 1 });
        const run = start(fs, { path: (value) => `v=${value}`, roll: { count: 3 }, chunk: { maxWaitMs: 5 } });
        fs.failNext(verb, new SinkError('RXF_FILES_FULL', 'no space left'));
        run.send('a', 'b', 'c');
        at(100, () => {
          expect(run.acker.acks).toEqual([]);
          expect(run.acker.nacks.sort()).toEqual(['a', 'b', 'c']);
          expect(run.acker.causes.a).toMatchObject({ code: 'RXF_FILES_FULL' });
          expect(temporary(fs)).toEqual([]);
          expect(run.ended).toBe('');
          run.send('d', 'e', 'f');
        });
        whileRunning(run, at, 300, () => {
          expect(run.acker.acks.sort()).toEqual(['d', 'e', 'f']);
        });
      }),
  );

  it('nacks what comes after a failing roll of the same stream too, and leaves other streams alone', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: (verb) => (verb === 'close' ? 20 : 1) });
      const run = start(fs, { roll: { count: 2, intervalMs: 50 }, chunk: { maxWaitMs: 1 } });
      const other = new RecordingAcker('kafka:chat/4');
      run.give(other.deliver('x'));
      run.send('a', 'b', 'c');
      fs.failNext('close', new SinkError('RXF_FILES_UNREACHABLE', 'gone'));
      whileRunning(run, at, 300, () => {
        expect(run.acker.nacks).toEqual(['a', 'b', 'c']);
        expect(other.acks).toEqual(['x']);
      });
    }));

  it('compares the length stored with the length sent', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const create = (path: string) => {
        const writer = fs.create(path);
        const close = () => [{ bytes: 3 }];
        return { write: (chunk: Uint8Array) => writer.write(chunk), close, abort: () => writer.abort() };
      };
      const run = start(overriding(fs, { create }), { roll: { count: 2 } });
      run.send('a', 'b');
      whileRunning(run, at, 50, () => {
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_FILES_LENGTH' });
        expect(visible(fs)).toEqual({});
      });
    }));

  it('never acks what a rename did not move', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const run = start(overriding(fs, { publish: () => ['missing'] }), { roll: { count: 1 } });
      run.send('a');
      whileRunning(run, at, 50, () => {
        expect(run.acker.acks).toEqual([]);
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_FILES_MISSING', retryable: true });
      });
    }));

  it('publishes under another name when a rename was carried out, its answer lost, and the values were redelivered', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const run = start(fs, { roll: { count: 2 } });
      fs.loseNext('rename', new SinkError('RXF_FILES_UNREACHABLE', 'the answer was lost'));
      run.send('a', 'b');
      at(50, () => {
        expect(run.acker.nacks).toEqual(['a', 'b']);
        run.acker.flush$.complete();
        run.acker = new RecordingAcker('kafka:chat/3');
        run.send('a', 'b');
      });
      whileRunning(run, at, 100, () => {
        expect(run.acker.acks).toEqual(['a', 'b']);
        expect(Object.keys(visible(fs))).toHaveLength(2);
      });
    }));

  it('lets go of an assignment that is over: nothing of it is published, later values are a new roll', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const run = start(fs, { chunk: { maxWaitMs: 1 } });
      run.send('a');
      at(10, () => {
        run.acker.flush$.complete();
        expect(run.acker.nacks).toEqual(['a']);
        run.acker = new RecordingAcker('kafka:chat/3');
        run.send('a2');
        run.complete();
      });
      at(50, () => {
        expect(Object.values(visible(fs))).toEqual(['"a2"\n']);
        expect(temporary(fs)).toEqual([]);
        expect(run.ended).toBe('complete');
      });
    }));

  it('gives up at once when it is unsubscribed: aborts, removes, nacks what it holds', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const run = start(fs, { chunk: { maxWaitMs: 1 } });
      run.send('a', 'b');
      at(10, () => run.leave());
      at(50, () => {
        expect(run.acker.nacks).toEqual(['a', 'b']);
        expect(fs.files()).toEqual({});
        expect(run.monitor.total('rxflume_sink_open_files')).toBe(0);
      });
    }));

  it.each([
    ['../etc', '`..`'],
    ['a/../../b', '`..`'],
    ['/etc', 'empty segment'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['.', '`.`'],
    ['a\0b', 'control character'],
    ['a\nb', 'control character'],
    ['a:b', '`:`'],
    ['a\\b', '`\\`'],
    ['_rxflume/ledger', '_rxflume'],
    ['x'.repeat(256), 'longer than 255'],
    ['x/'.repeat(1_100).concat('x'), 'longer than 2048'],
    [undefined, 'not a text'],
  ])('nacks the bucket %j alone, and goes on', (bucket, why) =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const run = start(fs, { path: (value) => (value === 'bad' ? (bucket as string) : 'good') });
      run.send('a', 'bad', 'b');
      run.complete();
      at(50, () => {
        expect(run.acker.nacks).toEqual(['bad']);
        expect(run.acker.causes.bad).toMatchObject({ code: 'RXF_SINK_BUCKET', retryable: false });
        expect((run.acker.causes.bad as Error).message).toContain(why);
        expect(Object.keys(fs.files()).every((path) => path.startsWith('/lake/good/'))).toBe(true);
        expect(Object.values(visible(fs))).toEqual(['"a"\n"b"\n']);
      });
    }),
  );

  it('nacks alone a value that the format cannot encode, or that path throws for', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const run = start<unknown>(fs, {
        path: (value) => {
          if (value === 'boom') throw new Error('no such field');
          return '';
        },
      });
      run.send('a', undefined, 'boom', Number.NaN, 'b');
      run.complete();
      at(50, () => {
        expect(run.acker.nacks).toEqual(['undefined', 'boom', 'NaN']);
        expect(run.acker.causes.undefined).toMatchObject({ code: 'RXF_SINK_FORMAT' });
        expect((run.acker.causes.boom as Error).message).toContain('no such field');
        expect(Object.values(visible(fs))).toEqual(['"a"\n"b"\n']);
      });
    }));

  it.each([
    [{ root: 'lake' }, 'Expected `root` to be an absolute path'],
    [{ root: '/a/../b' }, '`root`'],
    [{ roll: { bytes: 0 } }, 'Expected `roll.bytes` to be a whole number >= 1, got `0` (number).'],
    [{ roll: { size: 5 } }, 'got `size`'],
    [{ path: 'dt={yy}' }, 'got `{yy}`'],
    [{ path: '../{yyyy}' }, 'is not valid'],
    [{ format: 'json' }, '`format`'],
    [{ maxOpenFiles: 0 }, '`maxOpenFiles`'],
  ])('rejects %j at the call', (options, message) => {
    const call = () =>
      fileSink(memoryFileSystem(), { root: '/lake', format: jsonLines(), ...options } as FileSinkOptions<unknown>);
    expect(call).toThrow(message);
  });
});
