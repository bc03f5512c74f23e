import { describe, expect, it } from '@jest/globals';
import { Observable, of } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { inFlowScope } from '../../../src/core/flow-scope.js';
import { FlowSources } from '../../../src/core/flow-sources.js';
import type { TailOrigin } from '../../../src/sources/tail/file-stream.js';
import { MemoryLocalFiles } from '../../../src/testing/index.js';
import { scene } from './setting.js';

const retryable = new SinkError('RXF_SINK_WRITE', 'busy');

describe('tailSource', () => {
  it('gives each line that is written, with its bytes in the file, and waits for the end of the last one', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'one\r\n\nthr');
      const { seen } = tailing.start();
      at(500, () => files.append('/log/a.log', 'ee\n'));
      at(2_000, () => {
        expect(tailing.lines).toEqual(['one', '', 'three']);
        expect(seen.map(({ origin: { offset, lastOffset, byteLength } }) => [offset, lastOffset, byteLength])).toEqual([
          [0, 4, 5],
          [5, 5, 1],
          [6, 11, 6],
        ]);
        const origin = seen[0]?.origin as TailOrigin;
        expect([origin.path, origin.stream]).toEqual(['/log/a.log', expect.stringMatching(/^tail:memory\/\w+-\w{8}$/)]);
      });
    }));

  it('resumes behind what was acked, also in the middle, and redelivers the rest', () =>
    scene({}, (tailing, at) => {
      tailing.files.append('/log/a.log', 'a\nb\nc\n');
      tailing.start(false);
      at(300, () => {
        tailing.run.seen[0]?.ack();
        tailing.run.seen[2]?.ack();
      });
      at(3_000, () => tailing.run.leave());
      at(3_100, () => tailing.start());
      at(5_000, () => {
        expect(tailing.lines).toEqual(['a', 'b', 'c', 'b', 'c']);
        expect(tailing.run.seen[0]?.origin.stream).toBe(tailing.runs[0]?.seen[0]?.origin.stream);
      });
    }));

  it('follows a renamed file to its end, beside the one that takes its name', () =>
    scene({ paths: ['/log/a.log'], goneAfterMs: 5_000 }, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', '1\n');
      tailing.start();
      at(1_500, () => {
        files.rename('/log/a.log', '/log/old');
        files.append('/log/a.log', '3\n');
        files.append('/log/old', '2\n');
      });
      at(4_000, () => files.append('/log/old', '2b\nlast'));
      at(20_000, () => {
        expect([...tailing.lines].sort()).toEqual(['1', '2', '2b', '3', 'last']);
        expect(tailing.sample('rxflume_source_followed_files')).toBe(1);
        expect(files.openFiles).toBe(1);
      });
    }));

  it('reads a file that was cut from its beginning, under another name', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'one\ntwo\n');
      tailing.start();
      at(1_500, () => {
        files.truncate('/log/a.log');
        files.append('/log/a.log', 'x\n');
      });
      at(4_000, () => {
        expect(tailing.lines).toEqual(['one', 'two', 'x']);
        expect(new Set(tailing.run.seen.map(({ origin }) => origin.stream)).size).toBe(2);
        expect(tailing.events).toContain('tail.rewritten');
      });
    }));

  it('detects that a file was cut and has grown beyond where it was, whatever it begins with', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'head\none\n');
      tailing.start();
      at(1_500, () => {
        files.truncate('/log/a.log');
        files.append('/log/a.log', 'head\ntwo\nthree\n');
      });
      at(4_000, () => expect(tailing.lines).toEqual(['head', 'one', 'head', 'two', 'three']));
    }));

  it('detects at the start that a file was cut, or that its inode has another file, meanwhile', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'head\none\n');
      files.append('/log/b.log', 'b1\n');
      tailing.start();
      at(2_500, () => {
        tailing.run.leave();
        files.truncate('/log/a.log');
        files.append('/log/a.log', 'head\ntwo\nthree\n');
        files.remove('/log/b.log');
        files.append('/log/c.log', 'b1\nc2\n');
      });
      at(3_000, () => tailing.start());
      at(6_000, () => {
        const lines = tailing.run.seen.map(({ value }) => value.toString()).sort();
        expect(lines).toEqual(['b1', 'c2', 'head', 'three', 'two']);
      });
    }));

  it('detects at the start that a file was cut whose beginning is as before, by the bytes before the position', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      const head = `${'same '.repeat(300)}\n`;
      files.append('/log/a.log', `${head}one\n`);
      tailing.start();
      at(2_500, () => {
        tailing.run.leave();
        files.truncate('/log/a.log');
        files.append('/log/a.log', `${head}two\nthree\n`);
      });
      at(3_000, () => tailing.start());
      at(6_000, () => expect(tailing.lines.slice(2)).toEqual([head.trimEnd().padEnd(1_500), 'two', 'three']));
    }));

  it('finds a file again under another name, and one that was away', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', '1\n');
      files.append('/log/b.log', 'b\n');
      tailing.start();
      at(2_500, () => {
        tailing.run.leave();
        files.rename('/log/a.log', '/log/a.log.1');
        files.rename('/log/b.log', '/log/away');
        files.append('/log/a.log.1', '2\n');
      });
      at(3_000, () => tailing.start());
      at(6_000, () => files.rename('/log/away', '/log/b.log'));
      at(6_000, () => files.append('/log/b.log', 'b2\n'));
      at(9_000, () => expect(tailing.lines.sort()).toEqual(['1', '2', 'b', 'b2']));
    }));

  it('tells files without birth times apart by what they begin with, and does not trust the device', () =>
    scene(
      {},
      (tailing, at) => {
        const { files } = tailing;
        files.append('/log/a.log', 'same head\n1\n');
        files.append('/log/b.log', 'same head\n2\n');
        tailing.start();
        at(1_500, () => {
          files.dev = 7n;
        });
        at(3_000, () => files.append('/log/a.log', '3\n'));
        at(5_000, () => {
          tailing.run.leave();
          files.dev = 8n;
          files.append('/log/b.log', '4\n');
        });
        at(6_000, () => tailing.start());
        at(9_000, () => expect([...tailing.lines].sort()).toEqual(['1', '2', '3', '4', 'same head', 'same head']));
      },
      new MemoryLocalFiles({ hasBirthTimes: false }),
    ));

  it('reads a file once that several names lead to', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', '1\n');
      files.link('/log/a.log', '/log/hard.log');
      files.symlink('/log/a.log', '/log/soft.log');
      tailing.start();
      at(3_000, () => expect(tailing.lines).toEqual(['1']));
    }));

  it('reports a file that it may not read once, reads the others, and reads it when it may', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'a\n');
      files.append('/log/b.log', 'b\n');
      files.deny('/log/a.log');
      tailing.start();
      at(5_500, () => {
        expect(tailing.lines).toEqual(['b']);
        expect(tailing.events.filter((what) => what === 'tail.unreadable')).toHaveLength(1);
        expect(tailing.sample('rxflume_source_unreadable_files')).toBe(1);
        files.deny('/log/a.log', false);
      });
      at(8_000, () =>
        expect([tailing.lines, tailing.sample('rxflume_source_unreadable_files')]).toEqual([['b', 'a'], 0]),
      );
    }));

  it('starts at the end of what is there at first, but at the beginning of what comes later, also while it is away', () =>
    scene({ startAt: 'end' }, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'old\nhalf');
      tailing.start();
      at(1_500, () => {
        files.append('/log/a.log', ' whole\n');
        files.append('/log/b.log', 'b\n');
      });
      at(5_000, () => tailing.run.leave());
      at(5_100, () => {
        files.append('/log/c.log', 'c\n');
        tailing.start();
      });
      at(8_000, () => expect(tailing.lines).toEqual(['half whole', 'b', 'c']));
    }));

  it('reads a file again from what was nacked, after a wait; the others go on', () =>
    scene({}, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', '1\n2\n3\n');
      files.append('/log/b.log', 'b\n');
      tailing.start(false);
      at(300, () => {
        const ofA = tailing.run.seen.filter(({ origin }) => (origin as TailOrigin).path === '/log/a.log');
        ofA[0]?.ack();
        ofA[1]?.nack(retryable);
        ofA[2]?.ack();
      });
      at(900, () => expect(tailing.lines).toHaveLength(4));
      at(3_000, () => expect(tailing.lines.slice(4)).toEqual(['2', '3']));
    }));

  it('fails where what was nacked is no longer there', () =>
    scene({}, (tailing, at) => {
      tailing.files.append('/log/a.log', '1\n');
      tailing.start(false);
      at(300, () => tailing.files.truncate('/log/a.log'));
      at(3_000, () => tailing.run.seen[0]?.nack(retryable));
      at(5_000, () => expect(tailing.run.end).toBe('error RXF_TAIL_DATA_LOST'));
    }));

  it('stops at a line that is too long, and has given what is before it', () =>
    scene({ maxRecordBytes: 16 }, (tailing, at) => {
      tailing.files.append('/log/a.log', `ok\n${'x'.repeat(17)}\nafter\n`);
      tailing.start();
      at(2_000, () => expect([tailing.lines, tailing.run.end]).toEqual([['ok'], 'error RXF_TAIL_TOO_LONG']));
    }));

  it('gives a line that is too long in pieces', () =>
    scene({ maxRecordBytes: 16, tooLong: 'cut' }, (tailing, at) => {
      tailing.files.append('/log/a.log', `${'x'.repeat(16)}${'y'.repeat(16)}zz\nafter\n`);
      tailing.start();
      at(2_000, () => expect(tailing.lines).toEqual(['x'.repeat(16), 'y'.repeat(16), 'zz', 'after']));
    }));

  it('sets the beginning of a line aside that is longer than any chunk, and goes on behind it', () => {
    const letters: string[] = [];
    const deadLetter = (deliveries: Observable<{ value: { value: string | null; code: string }; ack(): void }>) =>
      new Observable<never>((subscriber) => {
        subscriber.add(
          deliveries.subscribe(({ value, ack: _, ...rest }) => {
            letters.push(`${value.code} ${value.value}`);
            void rest;
          }),
        );
      });
    scene({ maxRecordBytes: 16, tooLong: 'deadLetter', deadLetter: deadLetter as never }, (tailing, at) => {
      tailing.files.append('/log/a.log', `ok\n${'x'.repeat(600_000)}`);
      tailing.start();
      at(1_000, () => tailing.files.append('/log/a.log', `${'y'.repeat(300_000)}\nafter\n`));
      at(4_000, () => {
        expect(tailing.lines).toEqual(['ok', 'after']);
        expect(letters).toEqual([`RXF_DECODE_TOO_LARGE ${'x'.repeat(16)}`]);
        expect(tailing.run.seen[1]?.origin.offset).toBe(900_004);
      });
    });
  });

  it('gives a last line without an end once the file is idle, with `lastLine: deliver`', () =>
    scene({ lastLine: 'deliver', idleMs: 2_000 }, (tailing, at) => {
      tailing.files.append('/log/a.log', 'one\ntw');
      tailing.start();
      at(1_500, () => expect(tailing.lines).toEqual(['one']));
      at(5_000, () => {
        expect(tailing.lines).toEqual(['one', 'tw']);
        tailing.files.append('/log/a.log', 'o\n');
      });
      at(8_000, () => expect(tailing.lines).toEqual(['one', 'tw', 'o']));
    }));

  it('joins the lines of one value, whose end is the next beginning, or time', () =>
    scene({ multiline: { start: /^\d/ } }, (tailing, at) => {
      tailing.files.append('/log/a.log', '1 error\n at x\n2 ok\n');
      tailing.start();
      at(900, () => expect(tailing.lines).toEqual(['1 error\n at x']));
      at(950, () => tailing.files.append('/log/a.log', ' more\n'));
      at(5_000, () => {
        expect(tailing.lines).toEqual(['1 error\n at x', '2 ok\n more']);
        expect(tailing.run.seen[1]?.origin).toMatchObject({ offset: 14, lastOffset: 24 });
      });
    }));

  it('joins what is written in one go where no beginning is given', () =>
    scene({ multiline: { maxWaitMs: 500 } }, (tailing, at) => {
      tailing.files.append('/log/a.log', 'a\nb\n');
      tailing.start();
      at(2_000, () => tailing.files.append('/log/a.log', 'c\n'));
      at(4_000, () => expect(tailing.lines).toEqual(['a\nb', 'c']));
    }));

  it('does not let a file that never ends keep the others waiting', () =>
    scene(
      { window: { count: 100 } },
      (tailing, at) => {
        tailing.files.append('/log/a.log', `${'hot'.padEnd(999)}\n`.repeat(3_000));
        for (let n = 0; n < 20; n += 1) tailing.files.append(`/log/cold-${n}.log`, 'cold\n');
        tailing.start(true);
        at(5_000, () => {
          const last = tailing.lines.lastIndexOf('cold');
          expect(tailing.lines).toHaveLength(3_020);
          expect(tailing.lines.filter((line) => line === 'cold')).toHaveLength(20);
          // Each turn is one chunk of 256 KiB.
          expect(last).toBeLessThan(3 * 263);
        });
      },
      new MemoryLocalFiles({ latencyMs: 1 }),
    ));

  it('keeps no more files open than it may, and reads all of them', () =>
    scene(
      { maxOpenFiles: 4 },
      (tailing, at) => {
        for (let n = 0; n < 50; n += 1) tailing.files.append(`/log/${n}.log`, `${n}\n`);
        tailing.start();
        at(5_000, () => {
          for (let n = 0; n < 50; n += 1) tailing.files.append(`/log/${n}.log`, `again ${n}\n`);
        });
        at(20_000, () => {
          expect(tailing.lines).toHaveLength(100);
          expect(tailing.files.openFiles).toBeLessThanOrEqual(4);
          // And eight that it looks into.
          expect(tailing.files.mostOpen).toBeLessThanOrEqual(4 + 8);
        });
      },
      new MemoryLocalFiles({ latencyMs: 1 }),
    ));

  it('reads no more than `maxFiles`, and says so once', () =>
    scene({ maxFiles: 2 }, (tailing, at) => {
      for (const name of ['a', 'b', 'c']) tailing.files.append(`/log/${name}.log`, `${name}\n`);
      tailing.start();
      at(5_000, () => {
        expect([...tailing.lines].sort()).toEqual(['a', 'b']);
        expect(tailing.events.filter((what) => what === 'tail.beyond')).toHaveLength(1);
      });
    }));

  it('fails where its position file is damaged, and reads nothing', () =>
    scene({}, (tailing, at) => {
      tailing.files.append('/state/tail.json', '{"version":1,"files":[{}]}');
      tailing.files.append('/log/a.log', '1\n');
      tailing.start();
      at(1_000, () => expect([tailing.lines, tailing.run.end]).toEqual([[], 'error RXF_TAIL_DAMAGED']));
    }));

  it('does not share its position file: a second source fails, and may start once the first has ended', () =>
    scene({}, (tailing, at) => {
      tailing.files.append('/log/a.log', 'a\n');
      const first = tailing.start();
      at(500, () => tailing.start());
      at(1_000, () => {
        expect([tailing.run.end, tailing.run.error?.message]).toEqual([
          'error RXF_TAIL_IN_USE',
          expect.stringContaining('/state/tail.json is in use by another source'),
        ]);
        first.drain();
      });
      at(2_000, () => tailing.start());
      at(4_000, () => expect([first.ended, tailing.run.ended, tailing.lines]).toEqual(['complete', '', ['a']]));
    }));

  it('gives nothing of a file before its name is kept, and fails where that cannot be', () =>
    scene({}, (tailing, at) => {
      tailing.files.replaceError = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' });
      tailing.files.append('/log/a.log', '1\n');
      tailing.start();
      at(1_000, () => expect([tailing.lines, tailing.run.end]).toEqual([[], 'error RXF_TAIL_POSITION']));
    }));

  it('believes the ledger that it resumes from, and asks it again before it reads again', () => {
    const asked: string[][] = [];
    const resumeFrom = (streams: readonly string[]) => {
      asked.push([...streams]);
      return of(new Map(streams.map((stream) => [stream, 2])));
    };
    scene({ resumeFrom }, (tailing, at) => {
      tailing.files.append('/log/a.log', '1\n2\n3\n');
      tailing.start(false);
      at(500, () => {
        expect(tailing.lines).toEqual(['2', '3']);
        tailing.run.seen[0]?.nack(retryable);
      });
      at(3_000, () => {
        expect(tailing.lines).toEqual(['2', '3', '2', '3']);
        expect(asked).toHaveLength(2);
      });
    });
  });

  it('pauses and resumes with its flow, says where it is, and has its holders settle when the flow is rolled', () =>
    scene({}, (tailing, at) => {
      const sources = new FlowSources();
      tailing.files.append('/log/a.log', '1\n2\n');
      inFlowScope({ flow: 'f', sources }, () => tailing.start(false));
      const [source] = sources.all;
      at(1_000, () => {
        tailing.run.seen[0]?.ack();
        source?.settle();
        expect(tailing.run.asked).toEqual(['settle']);
        const { stream = '' } = tailing.run.seen[0]?.origin ?? {};
        expect([...(source?.positions() ?? [])]).toEqual([{ stream, logEnd: 4, read: 4, released: 2, acked: 2 }]);
        expect(source?.locate(stream, 2)).toMatchObject({ state: 'in flight', isReleased: false });
        sources.setPaused(true);
        tailing.files.append('/log/a.log', '3\n');
      });
      at(5_000, () => {
        expect(tailing.lines).toEqual(['1', '2']);
        sources.setPaused(false);
      });
      at(6_000, () => expect(tailing.lines).toEqual(['1', '2', '3']));
    }));
});

describe('tailSource after the TAILDIR source of Flume', () => {
  const options = { importPositions: '/flume/taildir_position.json' };
  const inode = (files: MemoryLocalFiles, path: string) => {
    let ino = 0n;
    files.stat(path).subscribe((stats) => {
      ino = stats.ino;
    });
    return ino;
  };
  /** Writes Flume's file, as Gson does. */
  const stop = (
    files: MemoryLocalFiles,
    ...positions: readonly (readonly [path: string, pos: number, inode?: bigint])[]
  ) =>
    files.append(
      options.importPositions,
      `[${positions.map(([file, pos, ino]) => `{"inode":${ino ?? inode(files, file)},"pos":${pos},"file":"${file}"}`).join(',')}]`,
    );

  it('goes on where Flume has ended, also in a file that was renamed since, and reads others as `startAt` says', () =>
    scene(options, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'a1\na2\n');
      files.append('/log/b.log', 'b1\nb2\n');
      files.append('/log/idle.log', 'no end');
      files.append('/log/all.log', 'read\n');
      stop(files, ['/log/a.log', 3], ['/log/b.log', 6], ['/log/idle.log', 6], ['/log/all.log', 5]);
      files.append('/log/a.log', 'a3\n');
      files.rename('/log/a.log', '/log/a.log.1');
      files.append('/log/a.log', 'a4\n');
      tailing.start();
      at(1_000, () => files.append('/log/idle.log', ' yet\n'));
      at(2_000, () => {
        expect([...tailing.lines].sort()).toEqual([' yet', 'a2', 'a3', 'a4']);
        expect(tailing.events.filter((what) => what === 'tail.imported')).toHaveLength(4);
        expect(tailing.events).not.toContain('tail.notImported');
        expect(files.text('/state/tail.json')).not.toContain('imported');
        tailing.run.drain();
      });
      at(3_000, () => {
        files.append('/log/b.log', 'b3\n');
        tailing.start();
      });
      at(5_000, () => expect(tailing.lines.slice(4)).toEqual(['b3']));
    }));

  it.each([
    ['was cut', (files: MemoryLocalFiles) => files.truncate('/log/a.log', 2), 'fewer than the 6 that Flume has read'],
    [
      'was deleted, and its inode is in use again',
      (files: MemoryLocalFiles) => {
        files.remove('/log/a.log');
        files.append('/log/a.log', 'x\ny\nz\nabc\n');
      },
      'made after Flume last wrote',
    ],
    [
      'was removed',
      (files: MemoryLocalFiles) => files.remove('/log/a.log'),
      'no file that matches `paths` has its inode',
    ],
  ])('does not believe the position of a file that %s, and says why', (_, change, why) =>
    scene(options, (tailing, at) => {
      const { files } = tailing;
      const said: string[] = [];
      tailing.monitor.logEvents$.subscribe(({ what, message }) => what === 'tail.notImported' && said.push(message));
      files.append('/log/a.log', '1\n2\n3\n');
      files.append('/log/b.log', 'b\n');
      stop(files, ['/log/a.log', 6], ['/log/b.log', 2]);
      change(files);
      tailing.start();
      at(3_000, () => {
        expect(said).toEqual([expect.stringContaining(why)]);
        expect(said[0]).toContain('Flume has read /log/a.log (inode ');
        expect(tailing.lines).toEqual(
          why.startsWith('no file') ? [] : why.startsWith('fewer') ? ['1'] : ['x', 'y', 'z', 'abc'],
        );
      });
    }),
  );

  it('does not believe a position in the middle of a line, nor another name where no birth time is known', () => {
    scene(options, (tailing, at) => {
      tailing.files.append('/log/a.log', 'abc\ndef\n');
      stop(tailing.files, ['/log/a.log', 6]);
      tailing.start();
      at(2_000, () =>
        expect([tailing.lines, tailing.events]).toEqual([['abc', 'def'], expect.arrayContaining(['tail.notImported'])]),
      );
    });
    const files = new MemoryLocalFiles({ hasBirthTimes: false });
    scene(
      options,
      (tailing, at) => {
        files.append('/log/a.log', 'abc\ndef\n');
        files.append('/log/b.log', 'abc\ndef\n');
        stop(files, ['/log/a.log', 4], ['/log/b.log', 4]);
        files.rename('/log/a.log', '/log/a.log.1');
        tailing.start();
        at(2_000, () => expect([...tailing.lines].sort()).toEqual(['abc', 'def', 'def']));
      },
      files,
    );
  });

  it('keeps a position for a file that cannot be read yet, or is empty, over a restart', () =>
    scene(options, (tailing, at) => {
      const { files } = tailing;
      files.append('/log/a.log', 'a1\na2\n');
      files.append('/log/b.log', 'b1\nb2\n');
      stop(files, ['/log/a.log', 3], ['/log/b.log', 3]);
      files.deny('/log/b.log');
      tailing.start();
      at(2_000, () => {
        expect(tailing.lines).toEqual(['a2']);
        tailing.run.leave();
      });
      at(3_000, () => tailing.start());
      at(5_000, () => files.deny('/log/b.log', false));
      at(8_000, () => expect(tailing.lines).toEqual(['a2', 'b2']));
    }));

  it('knows an inode that a number does not hold exactly', () =>
    scene(options, (tailing, at) => {
      tailing.files.append('/log/a.log', 'a1\na2\n');
      stop(tailing.files, ['/log/a.log', 3], ['/log/gone.log', 3, -9_007_199_254_740_993n]);
      const said: string[] = [];
      tailing.monitor.logEvents$.subscribe(({ what, message }) => what === 'tail.notImported' && said.push(message));
      tailing.start();
      at(2_000, () => {
        expect(tailing.lines).toEqual(['a2']);
        expect(said[0]).toContain('inode 18437736874454810623');
      });
    }));

  it.each([
    ['no such file', undefined],
    ['no list', '{}'],
    ['entry 2 has no `inode`', '[{"inode":1,"pos":0,"file":"/log/a.log"},{"inode":2,"file":"/x"}]'],
    ['JSON', ''],
  ])('fails before it reads anything where Flume has no positions: %s', (why, text) =>
    scene(options, (tailing, at) => {
      if (text !== undefined) tailing.files.append(options.importPositions, text);
      tailing.files.append('/log/a.log', 'a\n');
      tailing.start();
      at(2_000, () => {
        expect([tailing.run.end, tailing.lines]).toEqual(['error RXF_TAIL_DAMAGED', []]);
        expect(tailing.run.error?.message).toContain(why);
        expect(tailing.run.error?.message).toContain('leave `importPositions` out');
      });
    }),
  );
});
