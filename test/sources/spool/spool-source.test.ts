import { describe, expect, it } from '@jest/globals';
import { ignoreElements, map, type Observable, of, tap } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Sink } from '../../../src/delivery/receipt.js';
import { flow } from '../../../src/flow/flow.js';
import type { FlowControl } from '../../../src/flow/flow-control.js';
import { guaranteeOf } from '../../../src/flow/guarantee.js';
import { controlOf } from '../../../src/flow/running-flows.js';
import { text } from '../../../src/formats/text.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { csvRecords } from '../../../src/sources/file/csv-records.js';
import { lineRecords } from '../../../src/sources/file/line-records.js';
import { wholeFile } from '../../../src/sources/file/whole-file.js';
import type { SpoolSourceOptions } from '../../../src/sources/spool/options.js';
import { spoolSource } from '../../../src/sources/spool/spool-source.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type At = (ms: number, action: () => void) => void;

/** A source over a folder in memory that is looked at every 100 ms, and takes files that are 200 ms old. */
function start(options: Partial<SpoolSourceOptions<Buffer>> = {}, fs = memoryFileSystem({ latencyMs: 1 })) {
  const monitor = new Monitor();
  const messages: string[] = [];
  monitor.logEvents$.subscribe(({ message }) => messages.push(message));
  const source = spoolSource(fs, {
    name: 'test',
    folder: '/in',
    records: lineRecords(),
    pollIntervalMs: 100,
    unchangedForMs: 200,
    monitor,
    ...options,
  });
  const run = new SourceRun(source);
  return Object.assign(run, {
    fs,
    source,
    monitor,
    messages,
    values: () => run.seen.map(({ value }) => String(value)),
    of: (value: string) => run.seen.findLast((one) => String(one.value) === value) as Delivery<Buffer>,
    paths: () => Object.keys(fs.files()),
    ackAll: () => {
      for (const delivery of run.seen) delivery.ack();
    },
  });
}

const running = (
  options: Partial<SpoolSourceOptions<Buffer>>,
  check: (run: ReturnType<typeof start>, at: At) => void,
  latencyMs = 1,
) =>
  inVirtualTime((at) => {
    const run = start(options, memoryFileSystem({ latencyMs }));
    check(run, at);
    at(60_000, () => run.leave());
  });

const busy = new SinkError('RXF_SINK_WRITE', 'busy');

describe('spoolSource', () => {
  it('gives the lines of a file as they are, and renames it when the last is durable', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\ny\r\n\nz');
      at(500, () => {
        expect(run.values()).toEqual(['x', 'y', '', 'z']);
        expect(run.seen.map(({ origin }) => origin.offset)).toEqual([0, 1, 2, 3]);
        expect(run.seen[0]?.origin).toMatchObject({ timestamp: 0, headers: { file: Buffer.from('/in/a') } });
        run.seen[1]?.ack();
        run.seen[3]?.ack();
        run.seen[0]?.ack();
      });
      at(800, () => {
        expect(run.paths()).toEqual(['/in/a']);
        run.seen[2]?.ack();
      });
      at(900, () => {
        expect(run.paths()).toEqual(['/in/a.COMPLETED']);
        expect(run.monitor.total('rxflume_source_files_total')).toBe(1);
      });
      at(2_000, () => expect(run.values()).toHaveLength(4));
    }));

  it('finishes an empty file, and leaves names with a dot, .tmp, the suffix, and those not asked for', () =>
    running({ include: /\.log$/g }, (run, at) => {
      for (const name of ['empty.log', '.hidden.log', 'half.log.tmp', 'old.log.COMPLETED', 'readme.md', 'sub/a.log']) {
        run.fs.put(`/in/${name}`, name === 'empty.log' ? '' : 'x\n');
      }
      at(1_000, () => {
        expect(run.values()).toEqual([]);
        expect(run.paths()).toEqual([
          '/in/.hidden.log',
          '/in/empty.log.COMPLETED',
          '/in/half.log.tmp',
          '/in/old.log.COMPLETED',
          '/in/readme.md',
          '/in/sub/a.log',
        ]);
      });
    }));

  it.each([
    ['name', ['a', 'b', 'c']],
    ['oldest', ['b', 'c', 'a']],
    ['newest', ['a', 'c', 'b']],
  ] as const)('reads files by %s', (order, expected) =>
    running({ order, unchangedForMs: 400 }, (run, at) => {
      for (const [n, name] of ['b', 'c', 'a'].entries()) at(1 + n * 100, () => run.fs.put(`/in/${name}`, `${name}\n`));
      at(1_500, () => {
        // Those that are found together.
        if (order === 'name') expect([...run.values()].sort()).toEqual(expected);
        else if (order === 'oldest') expect(run.values()).toEqual(expected);
        run.ackAll();
      });
      at(1_600, () => {
        run.seen.length = 0;
        for (const name of ['a', 'b', 'c'])
          run.fs.put(`/in/${order === 'name' ? '' : `${expected.indexOf(name as never)}`}${name}`, `${name}\n`);
      });
      at(2_600, () => {
        if (order === 'name') expect(run.values()).toEqual(expected);
      });
    }),
  );

  it('reads subfolders where it is asked to, and moves files with their subfolder', () =>
    running({ isRecursive: true, whenDone: 'move', doneFolder: '/done' }, (run, at) => {
      run.fs.put('/in/a', 'x');
      run.fs.put('/in/deep/er/b', 'y');
      run.fs.put('/in/.git/c', 'z');
      at(500, () => run.ackAll());
      at(1_000, () => expect(run.paths()).toEqual(['/done/a', '/done/deep/er/b', '/in/.git/c']));
    }));

  it('deletes where it is asked to', () =>
    running({ whenDone: 'delete' }, (run, at) => {
      run.fs.put('/in/a', 'x');
      at(500, () => run.ackAll());
      at(1_000, () => expect(run.paths()).toEqual([]));
    }));

  it('waits until a file has not changed for a while', () =>
    running({}, (run, at) => {
      for (let n = 1; n <= 10; n += 1) at(n * 90, () => run.fs.put('/in/a', 'x\n'.repeat(n), true));
      at(1_000, () => expect(run.values()).toEqual([]));
      at(1_400, () => expect(run.values()).toHaveLength(10));
    }));

  it('stops only the file that is changed after it was placed', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\n');
      at(500, () => {
        run.fs.put('/in/a', 'x\ny\n', true);
        run.fs.put('/in/b', 'z\n');
        run.ackAll();
      });
      at(1_500, () => {
        expect(run.values()).toEqual(['x', 'z']);
        expect(run.monitor.total('rxflume_source_stopped_files_total')).toBe(1);
        expect(run.messages.join()).toContain('/in/a was changed after it was found with 2 bytes');
        run.ackAll();
      });
      at(2_500, () => expect([run.paths(), run.ended]).toEqual([['/in/a', '/in/b.COMPLETED'], '']));
    }));

  it('stops only the file that cannot be read, where it cannot be', () =>
    running({ records: lineRecords({ maxBytes: 3 }) }, (run, at) => {
      run.fs.put('/in/a', 'x\nlong line\ny\n');
      run.fs.put('/in/b', 'z\n');
      at(500, () => {
        expect(run.values()).toEqual(['x', 'z']);
        expect(run.messages.join()).toContain('Cannot read /in/a behind record 1: Line 2 has more than `maxBytes`');
        run.ackAll();
      });
      at(1_500, () => expect(run.paths()).toEqual(['/in/a', '/in/b.COMPLETED']));
    }));

  it('takes a file of the same name that is placed later for another, and finds it a free name', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\n');
      at(500, () => run.ackAll());
      at(1_000, () => run.fs.put('/in/a', 'x\n'));
      at(1_700, () => {
        expect(run.values()).toEqual(['x', 'x']);
        expect(new Set(run.seen.map(({ origin }) => origin.stream)).size).toBe(2);
        run.ackAll();
      });
      at(2_500, () => expect(run.paths()).toEqual(['/in/a.2-2-rs.COMPLETED', '/in/a.COMPLETED']));
    }));

  it('reads a file again from what was nacked, in a new epoch', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\ny\nz\n');
      at(500, () => {
        run.of('x').ack();
        run.of('z').ack();
        run.of('y').nack(busy);
      });
      at(2_000, () => {
        expect(run.values()).toEqual(['x', 'y', 'z', 'y', 'z']);
        expect(run.seen.map(({ origin }) => origin.epoch)).toEqual([1, 1, 1, 2, 2]);
        run.seen[2]?.ack();
        run.ackAll();
      });
      at(2_200, () => expect(run.paths()).toEqual(['/in/a.COMPLETED']));
    }));

  it('stops at what is nacked for good, and names the record', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\ny\n');
      at(500, () => {
        run.of('x').ack();
        run.of('y').nack(new SinkError('RXF_SINK_FORMAT', 'no object'));
      });
      at(600, () => {
        expect(run.end).toBe('error RXF_SOURCE_NACKED');
        expect(run.error?.message).toContain('Record 1 of /in/a was nacked: no object');
        expect(run.paths()).toEqual(['/in/a']);
      });
    }));

  it('has no more files begun than `maxOpenFiles`, and no more records out than the window', () =>
    running({ maxOpenFiles: 2, window: { count: 3 } }, (run, at) => {
      for (const name of ['a', 'b', 'c']) run.fs.put(`/in/${name}`, `${name}1\n${name}2\n`);
      at(500, () => {
        expect(run.values()).toEqual(['a1', 'a2', 'b1']);
        for (const delivery of run.seen) delivery.release();
      });
      at(600, () => {
        expect(run.values()).toEqual(['a1', 'a2', 'b1', 'b2']);
        run.of('a1').ack();
        run.of('a2').ack();
      });
      at(900, () => expect(run.values()).toHaveLength(6));
    }));

  it('asks to settle a file that was read to its end', () =>
    running({ window: { count: 2 } }, (run, at) => {
      run.fs.put('/in/a', 'x\n');
      at(700, () => expect(run.asked).toEqual(expect.arrayContaining(['settle'])));
    }));

  it('drains: reads no more, and finishes what is settled', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\ny\n');
      at(400, () => {
        run.drain();
        run.fs.put('/in/b', 'z\n');
        expect(run.ended).toBe('');
        run.ackAll();
      });
      at(500, () => expect([run.ended, run.paths()]).toEqual(['complete', ['/in/a.COMPLETED', '/in/b']]));
    }));

  it('tries again what fails for now: to look, to read, to finish', () =>
    running({}, (run, at) => {
      run.fs.put('/in/a', 'x\n');
      at(150, () => run.fs.failNext('scan'));
      at(160, () => run.fs.failNext('readAt'));
      at(3_000, () => {
        expect(run.values()).toEqual(['x']);
        run.fs.failNext('rename');
        run.ackAll();
      });
      at(6_000, () => expect(run.paths()).toEqual(['/in/a.COMPLETED']));
    }));

  it('fails to connect where the first look fails', () =>
    inVirtualTime(() => {
      const fs = memoryFileSystem();
      fs.failNext('scan');
      expect(start({}, fs).end).toBe('error RXF_SOURCE_FILES');
    }));

  it('says what waits, and since when', () =>
    running({ window: { count: 1 } }, (run, at) => {
      at(1_000, () => {
        run.fs.put('/in/a', 'x\ny\n');
        run.fs.put('/in/b', 'zzz\n');
      });
      at(1_600, () => {
        expect(run.monitor.total('rxflume_source_waiting_files')).toBe(2);
        expect(run.monitor.total('rxflume_source_waiting_bytes')).toBe(8);
        expect(run.monitor.total('rxflume_source_oldest_unsettled_timestamp_seconds')).toBe(1);
        expect(run.monitor.total('rxflume_source_in_flight_records')).toBe(1);
      });
    }));

  it('resumes where the ledger says, renames where it says that all is there, and stops where it says more', () =>
    inVirtualTime((at) => {
      const positions = new Map<string, number>();
      const asked: string[] = [];
      const resumeFrom = (streams: readonly string[]) => {
        asked.push(...streams);
        return of(
          new Map(streams.map((stream, n) => [stream, [...positions.values()][asked.length - 1 + n] as number])),
        );
      };
      for (const [n, next] of [2, 3, 4].entries()) positions.set(`${n}`, next);
      const run = start({ resumeFrom, order: 'name' });
      for (const name of ['a', 'b', 'c']) run.fs.put(`/in/${name}`, 'x\ny\nz\n');
      at(600, () => {
        expect(run.values()).toEqual(['z']);
        expect(run.seen[0]?.origin.offset).toBe(2);
        expect(run.seen[0]?.acker.resumeTracker?.start).toBe(2);
        expect(run.paths()).toEqual(['/in/a', '/in/b.COMPLETED', '/in/c']);
        expect(run.messages.join()).toContain('/in/c has 3 records, but the ledger says that 4 of them are stored');
        run.leave();
      });
    }));

  it('is exactly once into a file sink that it resumes from, at least once otherwise', () => {
    const fs = memoryFileSystem();
    const lake = fileSink<Buffer>(fs, { root: '/lake', format: text() });
    const base = { name: 'n', folder: '/in', records: lineRecords() };
    const level = (options: object) =>
      guaranteeOf({ source: spoolSource(fs, { ...base, ...options }).traits, ledger: lake.write().ledger }).level;
    expect([level({ resumeFrom: lake.offsetStore }), level({})]).toEqual(['exactly-once', 'at-least-once']);
  });

  it('gives whole files, and records of CSV with line ends in them', () => {
    running({ records: wholeFile() }, (run, at) => {
      run.fs.put('/in/a', 'x\ny');
      run.fs.put('/in/b', '');
      at(500, () => expect(run.values()).toEqual(['x\ny', '']));
    });
    running({ records: csvRecords() }, (run, at) => {
      run.fs.put('/in/a', '\ufeffid,text\r\n1,"a\nb ""c"""\r\n\r\n2,d');
      at(500, () => expect(run.values()).toEqual(['1,"a\nb ""c"""\r\n', '2,d']));
    });
  });

  it('leaves no file of a sink without its records: many small files through a ledger', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const lake = fileSink<Buffer>(fs, { root: '/lake', format: text(), monitor: new Monitor() });
      const source = spoolSource(fs, {
        name: 'n',
        folder: '/in',
        records: lineRecords(),
        resumeFrom: lake.offsetStore,
        monitor: new Monitor(),
      });
      for (let n = 0; n < 200; n += 1) fs.put(`/in/${n}`, `${n} a\n${n} b\n`);
      const running = source
        .pipe(
          map((delivery) => delivery),
          lake.write(),
        )
        .subscribe();
      at(60_000, () => {
        const stored = Object.keys(fs.files()).filter((path) => path.startsWith('/lake/spool'));
        const lines = stored.flatMap((path) => fs.text(path).trimEnd().split('\n'));
        expect(lines.sort()).toEqual(
          Array.from({ length: 200 }, (_, n) => [`${n} a`, `${n} b`])
            .flat()
            .sort(),
        );
        expect(
          Object.keys(fs.files()).filter((path) => path.startsWith('/in') && !path.endsWith('.COMPLETED')),
        ).toEqual([]);
        running.unsubscribe();
      });
    }));
});

describe('a paused flow from a spool', () => {
  it('reads on no file, finishes one that is durable, and goes on where it was', () =>
    inVirtualTime((at) => {
      const fs = memoryFileSystem({ latencyMs: 1 });
      const times = { pollIntervalMs: 100, unchangedForMs: 200 };
      const source = spoolSource(fs, {
        name: 'p',
        folder: '/in',
        records: lineRecords(),
        window: { count: 2 },
        ...times,
      });
      const seen: Delivery<Buffer>[] = [];
      const sink = ((deliveries: Observable<Delivery<Buffer>>) =>
        deliveries.pipe(
          tap((delivery) => seen.push(delivery)),
          ignoreElements(),
        )) as unknown as Sink<Buffer>;
      const subscription = flow('paused-spool', source, sink).subscribe();
      const control = controlOf('paused-spool') as FlowControl;
      fs.put('/in/a', 'x\ny\nz');
      at(1_000, () => {
        control.pause();
        for (const delivery of seen) delivery.ack();
        fs.put('/in/b', 'w');
      });
      at(9_000, () => {
        expect(seen.map(({ value }) => String(value))).toEqual(['x', 'y']);
        const { stream } = (seen[0] as Delivery<Buffer>).origin;
        expect(control.locate(stream, 1).state).toBe('settled');
        expect(control.locate(stream, 2).state).toBe('not read');
        control.resume();
      });
      at(9_100, () => {
        expect(seen.map(({ value }) => String(value))).toEqual(['x', 'y', 'z', 'w']);
        for (const delivery of seen) delivery.ack();
      });
      at(9_500, () => {
        expect(
          Object.keys(fs.files()).filter((path) => path.startsWith('/in/') && path.endsWith('.COMPLETED')),
        ).toHaveLength(2);
        subscription.unsubscribe();
      });
    }));
});
