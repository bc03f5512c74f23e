import { describe, expect, it } from '@jest/globals';
import {
  concat,
  delayWhen,
  filter,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type ObservableInput,
  of,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { decode } from '../../../../operators/index.js';
import { SinkError } from '../../../../src/core/errors.js';
import { Monitor } from '../../../../src/core/monitor.js';
import type { Delivery } from '../../../../src/delivery/delivery.js';
import { jsonLines } from '../../../../src/formats/json-lines.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import { fileSink } from '../../../../src/sinks/files/file-sink.js';
import { ledgerPath, temporaryPath } from '../../../../src/sinks/files/names.js';
import { kafkaSource } from '../../../../src/sources/kafka/kafka-source.js';
import { memoryFileSystem } from '../../../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../../support/virtual-time.js';
import { collect, ledgerOf, put, putEntry, STREAM, stored, temporaries } from '../collecting.js';

function chat(...values: string[]): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 1);
  kafka.produce('chat', 0, values);
  return kafka;
}

const unreachable = () => new SinkError('RXF_FILES_UNREACHABLE', 'no answer');

describe('the ledger of a file sink', () => {
  it('has an entry a roll, each from where the one before ends, and leaves nothing behind', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const run = collect(kafka, fs, { sink: { path: (value) => `of=${value}` } });
      at(300, () => kafka.produce('chat', 0, ['d', 'e'], 10));
      at(600, () => run.stop());
      at(900, () => {
        expect(run.ended).toBe('complete');
        expect(stored(fs).sort()).toEqual([...'abcde']);
        // The second entry ends behind the gap of ten offsets and its values, with the first where they began.
        expect(ledgerOf(fs)).toEqual(['0-3(3)', '3-15(2)']);
        expect(temporaries(fs)).toEqual([]);
        expect(kafka.committed('lake', 'chat', 0)).toBe(15);
        expect(run.receipts).toHaveLength(5);
      });
    }));

  it('is not kept where the source does not resume from it', () =>
    inVirtualTime((at) => {
      const kafka = chat('a');
      const fs = memoryFileSystem();
      const run = collect(kafka, fs, { source: { resumeFrom: () => of(new Map()) } });
      at(300, () => run.stop());
      at(600, () => {
        expect(run.ended).toBe('complete');
        expect([stored(fs), ledgerOf(fs)]).toEqual([['a'], []]);
      });
    }));

  it('wins over the broker, whichever is ahead', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abcdef');
      const fs = memoryFileSystem();
      putEntry(fs, { from: 0, next: 2 });
      const before = kafkaSource(kafka, {
        topics: ['chat'],
        groupId: 'lake',
        commit: { count: 1 },
        monitor: new Monitor(),
      })
        .pipe(tap((delivery) => delivery.origin.offset < 5 && delivery.ack()))
        .subscribe();
      let run: ReturnType<typeof collect>;
      at(100, () => {
        before.unsubscribe();
        expect(kafka.committed('lake', 'chat', 0)).toBeGreaterThan(2);
        run = collect(kafka, fs, { source: { commit: { intervalMs: 5 } } });
      });
      at(500, () => {
        expect(stored(fs)).toEqual([...'cdef']);
        expect(kafka.commits.map(({ offset }) => offset)).toContain(2);
        run.subscription?.unsubscribe();
        putEntry(fs, { from: 6, next: 8 });
        kafka.produce('chat', 0, [...'ghij']);
        run = collect(kafka, fs, { source: { commit: { intervalMs: 5 } } });
      });
      at(1_000, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual([...'cdefij']);
        expect(kafka.committed('lake', 'chat', 0)).toBe(10);
      });
    }));

  it('goes on after the answer to a commit was lost: its entry exists, and is its own', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      fs.loseNext('rename', unreachable());
      const run = collect(kafka, fs);
      at(400, () => {
        run.subscription?.unsubscribe();
        expect(run.codes()).not.toContain('RXF_SOURCE_NACKED');
        expect([stored(fs), ledgerOf(fs)]).toEqual([[...'abc'], ['0-3(3)']]);
      });
    }));

  it('takes an entry that exists for committed only when a rename was answered: visible is not durable', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const notSynced = new SinkError('RXF_FILES_REMOTE', 'EIO: i/o error, fsync', { retryable: false });
      const renames: string[] = [];
      const unsure = new Proxy(fs, {
        get: (_, verb: keyof FileSystem) => {
          if (verb !== 'rename') return typeof fs[verb] === 'function' ? fs[verb].bind(fs) : fs[verb];
          return (one: string, other: string) => {
            renames.push(other);
            return concat(
              from(fs.rename(one, other)).pipe(ignoreElements()),
              throwError(() => notSynced),
            );
          };
        },
      });
      const run = collect(kafka, unsure);
      at(1_000, () => {
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_NACKED', message: expect.stringContaining('EIO') });
        // Asked for twice, and not believed for standing there.
        expect(renames).toHaveLength(2);
        expect([run.receipts, stored(fs), ledgerOf(fs)]).toEqual([[], [], ['0-3(3)']]);
        expect(kafka.committed('lake', 'chat', 0)).not.toBe(3);
      });
    }));

  it('keeps its files when it is unknown whether the commit will be carried out, and they count when it is', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      let late: (() => void) | undefined;
      const slow = {
        ...fs,
        name: 'slow',
        pathProblem: (path: string) => fs.pathProblem(path),
        makeFolder: (path: string) => fs.makeFolder(path),
        create: (path: string) => fs.create(path),
        rename: (from: string, to: string) => {
          if (late !== undefined || !to.includes('/ledger/')) return fs.rename(from, to);
          late = () => settle(fs.rename(from, to));
          throw unreachable();
        },
        publish: (from: string, to: string) => fs.publish(from, to),
        status: (path: string) => fs.status(path),
        list: (folder: string) => fs.list(folder),
        read: (path: string, maxBytes: number) => fs.read(path, maxBytes),
        remove: (path: string) => fs.remove(path),
      };
      const run = collect(kafka, slow, { source: { redeliver: { firstDelayMs: 50 } } });
      at(140, () => expect(temporaries(fs)).toHaveLength(2));
      // After the values were read again, and before their second commit: the first one is carried out at last.
      at(220, () => late?.());
      at(800, () => {
        run.subscription?.unsubscribe();
        expect(run.codes()).toContain('RXF_LEDGER_FENCED');
        expect([stored(fs), ledgerOf(fs)]).toEqual([[...'abc'], ['0-3(3)']]);
        expect(temporaries(fs)).toEqual([]);
      });
    }));

  it('gives way where another has committed from the same offset, and resumes behind it', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const run = collect(kafka, fs);
      at(50, () => putEntry(fs, { from: 0, next: 2 }));
      at(600, () => {
        run.subscription?.unsubscribe();
        expect(run.codes()).toContain('RXF_LEDGER_FENCED');
        expect([stored(fs), ledgerOf(fs)]).toEqual([['c'], ['0-2(0)', '2-3(1)']]);
      });
    }));

  it('resumes where its temporary files were removed under it, as of a writer that was asleep', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const run = collect(kafka, fs);
      at(50, () => settle(fs.remove('/lake/_rxflume/tmp')));
      at(800, () => {
        run.stop();
        expect(run.codes()).toContain('RXF_FILES_MISSING');
        expect([run.error, stored(fs), ledgerOf(fs)]).toEqual([undefined, [...'abc'], ['0-3(3)']]);
      });
    }));

  it('reads a stream again once, though its nack frees a full window', () =>
    inVirtualTime((at) => {
      const kafka = chat(...Array.from({ length: 60 }, (_, n) => `v${n}`));
      const fs = memoryFileSystem({ latencyMs: 5 });
      const run = collect(kafka, fs, { source: { window: { count: 5 } }, sink: { roll: { intervalMs: 40 } } });
      at(30, () => fs.failNext('write', unreachable()));
      at(5_000, () => {
        run.stop();
        expect(run.codes().filter((code) => code === 'RXF_SOURCE_NACKED')).toHaveLength(1);
        expect(stored(fs)).toHaveLength(60);
        expect(new Set(stored(fs)).size).toBe(60);
      });
    }));

  it('publishes nothing of an entry when later ones exist: its writer was overtaken', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abcdefgh');
      const fs = memoryFileSystem();
      const run = collect(kafka, fs);
      // Others went on while we slept, and folded away the entry from 0.
      at(50, () => putEntry(fs, { from: 5, next: 7 }));
      at(600, () => {
        run.subscription?.unsubscribe();
        expect(run.codes()).toContain('RXF_LEDGER_FENCED');
        expect(stored(fs)).toEqual(['h']);
        expect(ledgerOf(fs)).toEqual(['0-8(8)', '5-7(0)', '7-8(1)']);
      });
    }));

  it('finishes at the start what another has committed and not published, and removes what nobody can commit', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abcdef');
      const fs = memoryFileSystem();
      const [one, other] = [0, 1].map((n) => temporaryPath('/lake', STREAM, 2, 'others-0', n)) as [string, string];
      const final = 'dt=1/kafka+chat~0+0000000000000002+0000000000000003+others-0.jsonl';
      const bare = final.slice(5).replace('others', 'thirds');
      put(fs, one, '"c"\n');
      put(fs, `/lake/${bare}`, '"d"\n');
      put(fs, temporaryPath('/lake', STREAM, 0, 'old-0', 0), 'old');
      put(fs, temporaryPath('/lake', STREAM, 2, 'others-9', 0), 'lost the race');
      put(fs, temporaryPath('/lake', STREAM, 4, 'silent-0', 0), 'may still be committed');
      const file = { bytes: 4, values: 1, first: 2, last: 3 };
      const below = (path: string) => path.slice('/lake/'.length);
      putEntry(fs, {
        from: 2,
        next: 4,
        files: [
          { ...file, temporary: below(one), final },
          { ...file, temporary: below(other), final: bare },
        ],
      });
      const run = collect(kafka, fs);
      at(50, () => {
        expect(stored(fs).sort()).toEqual(['c', 'd']);
        // What the silent one wrote, and the file that is open now.
        expect(temporaries(fs)).toHaveLength(2);
        expect(temporaries(fs)).toContain(temporaryPath('/lake', STREAM, 4, 'silent-0', 0));
        expect(temporaries(fs).every((path) => path.includes('/0000000000000004/'))).toBe(true);
      });
      at(400, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs).sort()).toEqual([...'cdef']);
        // The commit from 4 stands now, so what the silent one wrote for it can go.
        expect(temporaries(fs)).toEqual([]);
      });
    }));

  it('reports a committed file that is at neither path, and goes on', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const file = {
        temporary: '_rxflume/tmp/kafka+chat~0/0000000000000000/others-0-0',
        final: 'kafka+chat~0+0000000000000000+0000000000000001+others-0.jsonl',
        bytes: 8,
        values: 2,
        first: 0,
        last: 1,
      };
      putEntry(fs, { from: 0, next: 2, files: [file] });
      const run = collect(kafka, fs);
      at(400, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual(['c']);
        expect(run.logEvents).toContainEqual(
          expect.objectContaining({ level: 'warn', what: 'ledger.gone', message: expect.stringContaining(file.final) }),
        );
      });
    }));

  it('overwrites nothing that is at a final path with another length, and goes on', () =>
    inVirtualTime((at) => {
      const kafka = chat('a');
      const fs = memoryFileSystem();
      const final = 'kafka+chat~0+0000000000000000+0000000000000000+others-0.jsonl';
      const temporary = temporaryPath('/lake', STREAM, 0, 'others-0', 0);
      put(fs, temporary, '"a"\n');
      put(fs, `/lake/${final}`, 'something else');
      const file = { temporary: temporary.slice(6), final, bytes: 4, values: 1, first: 0, last: 0 };
      putEntry(fs, { from: 0, next: 1, files: [file] });
      const run = collect(kafka, fs);
      at(300, () => {
        run.subscription?.unsubscribe();
        expect(run.error).toBeUndefined();
        expect(run.codes()).toContain('files.quarantined');
        expect(fs.text(`/lake/${final}`)).toBe('something else');
        expect(fs.text('/lake/_rxflume/quarantine/kafka+chat~0/others-0-0')).toBe('"a"\n');
      });
    }));

  it('reads nothing while the newest entry cannot be used', () =>
    inVirtualTime((at) => {
      const kafka = chat('a');
      const fs = memoryFileSystem();
      put(fs, ledgerPath('/lake', STREAM, 0), '{"version":1,');
      const run = collect(kafka, fs);
      at(300, () => {
        expect(run.error).toMatchObject({ code: 'RXF_KAFKA_RESUME', retryable: false });
        expect(run.error?.message).toContain(ledgerPath('/lake', STREAM, 0));
        expect(stored(fs)).toEqual([]);
      });
    }));

  it('says what to do when the topic was made anew and is shorter than the ledger', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      putEntry(fs, { from: 900, next: 1_000 });
      const run = collect(kafka, fs);
      at(300, () => {
        expect(run.error).toMatchObject({ code: 'RXF_KAFKA_DATA_LOST' });
        expect(run.error?.message).toContain('/lake/_rxflume/ledger/kafka+chat~0');
        expect([stored(fs), kafka.committed('lake', 'chat', 0)]).toEqual([[], -1]);
      });
    }));

  it('moves on by entries without files while everything is filtered out', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const drop = filterOut((value) => value > 'a');
      const run = collect(kafka, fs, { through: drop, sink: { roll: { intervalMs: 100 } } });
      at(150, () => kafka.produce('chat', 0, [...'defg']));
      at(1_000, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual(['a']);
        expect(ledgerOf(fs)).toEqual(['0-3(1)', '3-7(0)']);
      });
    }));

  it('keeps the last hundred entries', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const fs = memoryFileSystem();
      const run = collect(kafka, fs, { sink: { roll: { count: 1 } } });
      for (let n = 0; n < 130; n += 1) at(10 + n * 5, () => kafka.produce('chat', 0, [`v${n}`]));
      at(1_000, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toHaveLength(130);
        expect(ledgerOf(fs)).toHaveLength(100);
        expect(ledgerOf(fs).at(-1)).toBe('129-130(1)');
      });
    }));

  it('resumes from ten thousand entries and a thousand orphans in a handful of calls', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'ab');
      kafka.produce('chat', 0, ['c'], 10_000);
      const fs = memoryFileSystem();
      for (let from = 0; from < 10_000; from += 1) putEntry(fs, { from, next: from + 1 });
      for (let n = 0; n < 1_000; n += 1) put(fs, temporaryPath('/lake', STREAM, n * 10, 'killed-0', n), 'x');
      const before = fs.calls.length;
      const run = collect(kafka, fs, { sink: { roll: { intervalMs: 50 } } });
      let calls: string[] = [];
      at(2, () => {
        calls = fs.calls.slice(before);
      });
      at(300, () => {
        run.subscription?.unsubscribe();
        expect(calls.findIndex((call) => call.startsWith('remove'))).toBeLessThan(5);
        expect(temporaries(fs)).toEqual([]);
        expect(ledgerOf(fs)).toHaveLength(9_901);
        expect(stored(fs)).toEqual(['c']);
      });
    }));
});

describe('a commit', () => {
  it('waits for what came before it and is elsewhere: a dead letter, which is asked to hurry', () =>
    inVirtualTime((at) => {
      const kafka = chat('1', 'x', '3');
      const fs = memoryFileSystem();
      const bad = fileSink(fs, {
        root: '/bad',
        format: jsonLines(),
        roll: { intervalMs: 60_000, idleMs: 60_000 },
        monitor: new Monitor(),
      });
      const parse = decode((value: Buffer | null) => Buffer.from(String(Number(JSON.parse(String(value))))), {
        deadLetter: bad.write(),
      });
      const run = collect(kafka, fs, { through: parse });
      at(100, () => expect(stored(fs)).toEqual([]));
      at(1_000, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual(['1', '3']);
        expect(stored(fs, '/bad')).toHaveLength(1);
        expect(ledgerOf(fs)).toEqual(['0-3(2)']);
        // The dead letters keep no ledger of their own.
        expect(Object.keys(fs.files()).filter((path) => path.includes('/bad/_rxflume/ledger'))).toEqual([]);
      });
    }));

  it('takes in what others overtook on the way', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abcd');
      const fs = memoryFileSystem();
      const lateB = delayWhen((delivery: Delivery<Buffer | null>) => timer(String(delivery.value) === 'b' ? 250 : 1));
      const run = collect(kafka, fs, { through: lateB });
      at(150, () => {
        expect(stored(fs)).toEqual([]);
        kafka.produce('chat', 0, ['e']);
      });
      at(600, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual(['a', 'c', 'd', 'b', 'e']);
        expect(ledgerOf(fs)).toEqual(['0-4(4)', '4-5(1)']);
      });
    }));

  it('does not wait forever for a delivery that an operator has lost', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abc');
      const fs = memoryFileSystem();
      const lossy = filter((delivery: Delivery<Buffer | null>) => String(delivery.value) !== 'b');
      const run = collect(kafka, fs, { through: lossy, source: { redeliver: { maxAttempts: 0 } } });
      at(119_000, () => expect(run.ended).toBe(''));
      at(160_000, () => {
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_NACKED' });
        expect(run.error?.message).toMatch(/waited 120000 ms for offset 1/);
        expect(stored(fs)).toEqual([]);
      });
    }));

  it('nacks a value that comes a second time after its commit', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'ab');
      const fs = memoryFileSystem();
      const twice = mergeMap((delivery: Delivery<Buffer | null>) =>
        merge(of(delivery), timer(110).pipe(map(() => delivery))),
      );
      const run = collect(kafka, fs, {
        through: twice,
        source: { redeliver: { maxAttempts: 0 } },
        sink: { roll: { intervalMs: 50 } },
      });
      at(500, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual([...'ab']);
      });
    }));

  it('closes the files it waits with, though others wait for a slot among the open ones', () =>
    inVirtualTime((at) => {
      const kafka = chat(...'abcdef');
      const fs = memoryFileSystem();
      const lateA = delayWhen((delivery: Delivery<Buffer | null>) => timer(String(delivery.value) === 'a' ? 30 : 1));
      const run = collect(kafka, fs, {
        through: lateA,
        sink: { path: (value) => `of=${value}`, maxOpenFiles: 2, roll: { intervalMs: 10_000 } },
      });
      at(500, () => run.stop());
      at(1_000, () => {
        expect(run.ended).toBe('complete');
        expect(stored(fs).sort()).toEqual([...'abcdef']);
      });
    }));
});

/** Drops what the predicate says, acking it. */
function filterOut(isOut: (value: string) => boolean) {
  return filter((delivery: Delivery<Buffer | null>) => {
    if (!isOut(String(delivery.value))) return true;
    delivery.ack();
    return false;
  });
}

function settle(answer: ObservableInput<unknown>): void {
  from(answer).subscribe();
}
