import { describe, expect, it } from '@jest/globals';
import { type Observable, of } from 'rxjs';
import { deadLetter } from '../../../operators/index.js';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { Receipt } from '../../../src/delivery/receipt.js';
import { splitDelivery } from '../../../src/delivery/split.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { auditLedger, type LedgerAudit } from '../../../src/sinks/files/ledger/audit.js';
import { ledgerStreams, readLedger } from '../../../src/sinks/files/ledger/reading.js';
import { ledgerPath, temporaryPath } from '../../../src/sinks/files/names.js';
import type { FileSinkOptions } from '../../../src/sinks/files/options.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { type CollectOptions, collect, ledgerOf, put, putEntry, STREAM, stored, temporaries } from './collecting.js';

function chat(...values: string[]): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 1);
  kafka.produce('chat', 0, values);
  return kafka;
}

const COMMIT = { commit: { intervalMs: 5 } };

/** The flow of `collect`, whose nacked values go to dead letters under /bad. */
function collectAside(kafka: MemoryKafka, fs: FileSystem, sink: Partial<FileSinkOptions<string>>, at: FileSystem = fs) {
  const bad = fileSink(at, {
    root: '/bad',
    path: 'dt={yyyy}-{MM}-{dd}',
    format: jsonLines(),
    roll: { intervalMs: 50 },
    chunk: { maxWaitMs: 10 },
    monitor: new Monitor(),
  });
  return collect(kafka, fs, { sink, source: COMMIT, through: deadLetter(bad.write()) });
}

/** So long for all but what the test itself puts there. */
const behind = (ms: number) => (_: unknown, path: string) => (/taken$|of=bad$/.test(path) ? 0 : ms);

function letters(fs: MemoryFileSystem) {
  return Object.entries(fs.files())
    .filter(([path]) => path.startsWith('/bad/') && !path.includes('/_rxflume/'))
    .flatMap(([, bytes]) => Buffer.from(bytes).toString().split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as { value: string; code: string; message: string });
}

function answerOf<T>(answer$: Observable<T>): T {
  let found: T | undefined;
  answer$.subscribe((value) => {
    found = value;
  });
  return found as T;
}

/** What `rxflume ledger` finds in a copy of the store that answers at once. */
function audit(fs: MemoryFileSystem, stream = STREAM): LedgerAudit {
  const copy = memoryFileSystem();
  for (const [path, bytes] of Object.entries(fs.files())) put(copy, path, bytes);
  return auditLedger(answerOf(readLedger(copy, '/lake', stream)));
}

/** The same store with some verbs of the test's own. */
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

/** A store that does not take a name, and says so only when it is asked to move a file there. */
function rejectingAtLast(fs: MemoryFileSystem, isRejected: (path: string) => boolean): FileSystem {
  return overriding(fs, {
    publish: (from, to) => {
      if (isRejected(to)) throw new SinkError('RXF_FILES_NAME', `Nothing can stand at ${to}: ENAMETOOLONG`);
      return fs.publish(from, to);
    },
  });
}

describe('a bucket that the store cannot hold', () => {
  const DEEP = `${'l/'.repeat(1_001)}l`;

  it.each([
    ['an unpaired surrogate', 'lang=\ud800'],
    ["a name that is HDFS's own", '.snapshot'],
    ['over a thousand levels', DEEP],
    ['a file in place of its folder', 'taken'],
    ['a file in place of a folder above', 'taken/below'],
  ])('with %s is nacked alone and set aside, before anything is committed', (_, bucket) =>
    inVirtualTime((at) => {
      const kafka = chat('a', 'bad', 'b', 'bad', 'c');
      const fs = memoryFileSystem({ latencyMs: behind(2) });
      put(fs, '/lake/taken', '');
      const run = collectAside(kafka, fs, { path: (value) => (value === 'bad' ? bucket : `of=${value}`) });
      at(800, () => {
        run.subscription?.unsubscribe();
        expect(run.error).toBeUndefined();
        expect(run.codes()).toEqual(['kafka.assigned']);
        expect(stored(fs).sort()).toEqual(['a', 'b', 'c']);
        expect(letters(fs).map(({ value, code }) => [value, code])).toEqual([
          ['bad', 'RXF_SINK_BUCKET'],
          ['bad', 'RXF_SINK_BUCKET'],
        ]);
        // The ledger and the broker have gone on behind them: nothing waits, and nothing is read again.
        expect(ledgerOf(fs).at(-1)).toMatch(/^\d-5/);
        expect(kafka.committed('lake', 'chat', 0)).toBe(5);
        expect(fs.text('/lake/taken')).toBe('');
        expect(audit(fs).problems).toEqual([]);
        const next = collectAside(kafka, fs, {});
        at(400, () => expect(next.error).toBeUndefined());
      });
    }),
  );

  it('is not passed by a commit before its letter is durable, though its folder is denied only in the middle of it', () =>
    inVirtualTime((at) => {
      const kafka = chat('a', 'bad', 'b');
      // The roll is at 100, the nack at 400; the letter is stored slowly.
      const fs = memoryFileSystem({
        latencyMs: (verb, path) => (verb === 'makeFolder' && path.includes('bad') ? 390 : behind(1)(verb, path)),
      });
      put(fs, '/lake/of=bad', '');
      const letterFs = memoryFileSystem({ latencyMs: (verb) => (verb === 'close' ? 300 : 1) });
      const run = collectAside(kafka, fs, { path: (value) => `of=${value}` }, letterFs);
      const isCommitted = () => ledgerOf(fs).length > 0;
      // 0 is where reading began; nothing beyond it.
      at(390, () => expect([isCommitted(), kafka.committed('lake', 'chat', 0)]).toEqual([false, 0]));
      at(600, () => expect([isCommitted(), letters(letterFs)]).toEqual([false, []]));
      at(2_000, () => {
        run.subscription?.unsubscribe();
        expect(letters(letterFs)).toHaveLength(1);
        expect(stored(fs).sort()).toEqual(['a', 'b']);
        expect(ledgerOf(fs)).toEqual(['0-3(2)']);
        expect(kafka.committed('lake', 'chat', 0)).toBe(3);
      });
    }));

  it('stops the flow where nobody sets it aside, with nothing committed behind it', () =>
    inVirtualTime((at) => {
      const kafka = chat('a', 'bad', 'b');
      const fs = memoryFileSystem({ latencyMs: behind(2) });
      put(fs, '/lake/of=bad', '');
      const run = collect(kafka, fs, { sink: { path: (value) => `of=${value}` } });
      at(800, () => {
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_NACKED', retryable: false });
        expect(run.error?.message).toContain('its folder cannot be made');
        expect(ledgerOf(fs)).toEqual(['0-1(1)']);
        settle(fs.remove('/lake/of=bad'));
        const next = collect(kafka, fs, { sink: { path: (value) => `of=${value}` } });
        at(500, () => {
          next.subscription?.unsubscribe();
          expect(stored(fs).sort()).toEqual(['a', 'b', 'bad']);
        });
      });
    }));

  it('gives the whole stream back where its folder cannot be made for now', () =>
    inVirtualTime((at) => {
      const kafka = chat('a', 'b');
      const fs = memoryFileSystem({ latencyMs: 2 });
      fs.failNext('makeFolder', new SinkError('RXF_FILES_UNREACHABLE', 'no answer'));
      const run = collectAside(kafka, fs, { path: (value) => `of=${value}` });
      at(800, () => {
        run.subscription?.unsubscribe();
        expect(run.codes()).toContain('RXF_FILES_UNREACHABLE');
        expect([stored(fs).sort(), letters(fs)]).toEqual([['a', 'b'], []]);
      });
    }));
});

describe('a committed file that can never be made visible', () => {
  it('is kept in quarantine with the reason, reported, and the stream goes on, after a restart too', () =>
    inVirtualTime((at) => {
      const kafka = chat('a', 'b', 'c');
      const fs = memoryFileSystem({ latencyMs: 1 });
      const rejecting = rejectingAtLast(fs, (to) => to.includes('/of=b/'));
      const options: CollectOptions = { sink: { path: (value) => `of=${value}` }, source: COMMIT };
      const run = collect(kafka, rejecting, options);
      at(400, () => kafka.produce('chat', 0, ['d']));
      at(800, () => {
        run.subscription?.unsubscribe();
        expect([run.error, stored(fs).sort()]).toEqual([undefined, ['a', 'c', 'd']]);
        expect(ledgerOf(fs)).toEqual(['0-3(3)', '3-4(1)']);
        expect(run.receipts.map(({ values }) => values)).toEqual([1, 1, 1]);
        expect(kafka.committed('lake', 'chat', 0)).toBe(4);
        const reported = run.logEvents.filter(({ what }) => what === 'files.quarantined');
        expect(reported).toHaveLength(1);
        expect(reported[0]).toMatchObject({ level: 'error', message: expect.stringContaining('ENAMETOOLONG') });
        const place = String(reported[0]?.details?.place);
        expect(fs.text(place)).toBe('"b"\n');
        expect(JSON.parse(fs.text(`${place}.json`))).toMatchObject({
          stream: STREAM,
          first: 1,
          last: 1,
          code: 'RXF_FILES_NAME',
        });
        expect(audit(fs)).toMatchObject({ quarantined: { files: 1 }, next: 4 });
        expect(audit(fs).problems.map(({ kind, where }) => [kind, where])).toEqual([['quarantined', place]]);
        expect(temporaries(fs)).toEqual([]);
        const next = collect(kafka, rejecting, options);
        kafka.produce('chat', 0, ['e']);
        at(400, () => {
          next.subscription?.unsubscribe();
          expect([next.error, stored(fs).sort()]).toEqual([undefined, ['a', 'c', 'd', 'e']]);
          expect(next.codes()).not.toContain('ledger.gone');
        });
      });
    }));

  it('is found in quarantine by who comes second, and published by who comes after the obstacle is gone', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem();
      const final = 'of=b/kafka+chat~0+0000000000000000+0000000000000000+others-0-0.jsonl';
      const temporary = temporaryPath('/lake', STREAM, 0, 'others-0', 0);
      put(fs, temporary, '"a"\n');
      putEntry(fs, {
        from: 0,
        next: 1,
        files: [{ temporary: temporary.slice(6), final, bytes: 4, values: 1, first: 0, last: 0 }],
      });
      let isRejected = true;
      const rejecting = rejectingAtLast(fs, (to) => isRejected && to.includes('/of=b/'));
      // The reason was written, and then it died.
      put(fs, '/lake/_rxflume/quarantine/kafka+chat~0/others-0-0.json', '{');
      const offsetStore = () => {
        const monitor = new Monitor();
        const logEvents: string[] = [];
        monitor.logEvents$.subscribe(({ what }) => logEvents.push(what));
        const sink = fileSink(rejecting, { root: '/lake', format: jsonLines(), monitor });
        expect(answerOf(sink.offsetStore([STREAM]) as Observable<ReadonlyMap<string, number>>).get(STREAM)).toBe(1);
        return logEvents;
      };
      at(0, () => {
        expect(offsetStore()).toEqual(['files.quarantined']);
        expect(offsetStore()).toEqual([]);
        expect(audit(fs).problems[0]?.what).toContain('cannot be read');
        isRejected = false;
        // By hand, as the notice says.
        settle(fs.rename('/lake/_rxflume/quarantine/kafka+chat~0/others-0-0', `/lake/${final}`));
        expect(offsetStore()).toEqual([]);
        expect(audit(fs).problems).toEqual([]);
      });
    }));

  it('stops nothing where an earlier version committed a path that no store can hold', () =>
    inVirtualTime((at) => {
      const kafka = chat('a', 'b', 'c', 'd', 'e');
      const fs = memoryFileSystem();
      const names = [
        `lang=\ud800/kafka+chat~0+0000000000000000+0000000000000000+others-0.jsonl`,
        `.snapshot/kafka+chat~0+0000000000000001+0000000000000001+others-0.jsonl`,
        `kafka+chat~0+0000000000000002+0000000000000002+others-0.x:y`,
        `kafka+chat~0+0000000000000003+0000000000000003+others-0.${'x'.repeat(300)}`,
      ];
      const files = names.map((final, n) => {
        const temporary = temporaryPath('/lake', STREAM, 0, 'others-0', n);
        put(fs, temporary, `"${'abcd'.charAt(n)}"\n`);
        return { temporary: temporary.slice(6), final, bytes: 4, values: 1, first: n, last: n };
      });
      put(
        fs,
        ledgerPath('/lake', STREAM, 0),
        JSON.stringify({ version: 1, writer: 'others-0', stream: STREAM, from: 0, next: 4, files }),
      );
      const run = collect(kafka, fs);
      at(400, () => {
        run.subscription?.unsubscribe();
        expect([run.error, stored(fs)]).toEqual([undefined, ['e']]);
        expect(run.codes().filter((code) => code === 'files.quarantined')).toHaveLength(4);
        expect(audit(fs).quarantined).toEqual({ files: 4, bytes: 16 });
      });
    }));
});

describe('names that are too long', () => {
  it('are cut: a stream with the longest name is stored, resumed and verified', () =>
    inVirtualTime((at) => {
      const topic = 't'.repeat(249);
      const stream = `kafka:${topic}/0`;
      const kafka = new MemoryKafka();
      kafka.createTopic(topic, 1);
      kafka.produce(topic, 0, ['a']);
      const fs = memoryFileSystem();
      const options: CollectOptions = { source: { topics: [topic] }, sink: { path: (value) => `of=${value}` } };
      const run = collect(kafka, fs, options);
      at(300, () => {
        run.subscription?.unsubscribe();
        kafka.produce(topic, 0, ['b']);
        const next = collect(kafka, fs, options);
        at(300, () => {
          next.subscription?.unsubscribe();
          expect([run.error, next.error, stored(fs).sort()]).toEqual([undefined, undefined, ['a', 'b']]);
          expect(ledgerOf(fs)).toEqual(['0-1(1)', '1-2(1)']);
          expect(answerOf(ledgerStreams(fs, '/lake'))).toEqual({ streams: [stream], others: [] });
          expect(audit(fs, stream)).toMatchObject({ problems: [], values: 2 });
        });
      });
    }));

  it.each(['x:y', 'a/b', '../x', '.x', 'x y', 'é', 'x'.repeat(65), 7])(
    'are rejected at the call, as the extension %j',
    (extension) => {
      const format = { ...jsonLines(), extension: extension as string };
      expect(() => fileSink(memoryFileSystem(), { root: '/lake', format })).toThrow(
        /Expected `format.extension` to be at most 64/,
      );
    },
  );

  it.each([`/${'r'.repeat(256)}`, `/${'r/'.repeat(1_000)}r`, '/lake/.snapshot', '/la:ke', '/la\ud800'])(
    'are rejected at the call, as a root',
    (root) => {
      const call = () => fileSink(memoryFileSystem(), { root, format: jsonLines() });
      expect(call).toThrow(/Expected `root` to be a folder below which memory can hold/);
    },
  );
});

describe('two buckets that are one folder', () => {
  it('have files of two names: each part of a split value is stored once, though all have its offset', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ letterCase: 'folded' });
      const acker = new RecordingAcker(STREAM);
      const receipts: Receipt[] = [];
      const sink = fileSink<string>(fs, { root: '/lake', path: (value) => `lang=${value}`, format: jsonLines() });
      of(...splitDelivery(acker.deliver('both'), ['EN', 'en', 'En']))
        .pipe(sink.write())
        .subscribe((receipt) => receipts.push(receipt));
      at(400, () => {
        expect(new Set(receipts.map(({ target }) => target.toLowerCase())).size).toBe(3);
        expect(stored(fs).sort()).toEqual(['EN', 'En', 'en']);
        expect(acker.acks).toEqual(['both']);
      });
    }));
});

function settle(answer: unknown): void {
  (answer as Observable<unknown>).subscribe();
}
