import { describe, expect, it } from '@jest/globals';
import { concat, firstValueFrom, from, type Observable } from 'rxjs';
import { SinkError } from '../../../../src/core/errors.js';
import { auditLedger } from '../../../../src/sinks/files/ledger/audit.js';
import { entryBytes, type LedgerEntry } from '../../../../src/sinks/files/ledger/entry.js';
import { lengthsOf } from '../../../../src/sinks/files/ledger/lengths.js';
import { ledgerStreams, readLedger } from '../../../../src/sinks/files/ledger/reading.js';
import { ledgerFolder, ledgerPath, offsetText, temporaryPath } from '../../../../src/sinks/files/names.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../../../src/testing/memory/memory-file-system.js';

const stream = 'kafka:chat/3';

function put(fs: MemoryFileSystem, path: string, content: string | Uint8Array): void {
  const writer = fs.create(path);
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  concat(from(writer.write(bytes)), from(writer.close())).subscribe();
}

/** Writes an entry, and so many files of it of three bytes at their final paths. */
function putEntry(fs: MemoryFileSystem, start: number, next: number, files = 1, root = '/lake'): void {
  const entry: LedgerEntry = {
    writer: `w${start}-0`,
    stream,
    from: start,
    next,
    files: Array.from({ length: files }, (_, n) => ({
      temporary: temporaryPath('', stream, start, `w${start}-0`, n).slice(1),
      final: `good/kafka+chat~3+${offsetText(start)}+${n}`,
      bytes: 3,
      values: 1,
      first: start,
      last: next - 1,
    })),
  };
  put(fs, ledgerPath(root, stream, start), entryBytes(entry));
  for (const { final } of entry.files) put(fs, `${root}/${final}`, 'abc');
}

function answerOf<T>(answer$: Observable<T>): T {
  let found: T | undefined;
  answer$.subscribe((value) => {
    found = value;
  });
  return found as T;
}

describe('ledgerStreams', () => {
  it('names the streams that have a ledger, and what else is there', () => {
    const fs = memoryFileSystem();
    for (const name of ['kafka:chat/3', 'kafka:chat-ü/0', 'a=b%c~d+e']) put(fs, ledgerPath('/lake', name, 0), 'x');
    put(fs, '/lake/_rxflume/ledger/notes', 'x');
    put(fs, '/lake/_rxflume/ledger/of=zz/0', 'x');
    put(fs, '/lake/_rxflume/ledger/kafka%2Fchat/0', 'x');
    const { streams, others } = answerOf(ledgerStreams(fs, '/lake'));
    expect([...streams].sort()).toEqual(['a=b%c~d+e', 'kafka:chat-ü/0', 'kafka:chat/3']);
    expect([...others].sort()).toEqual(['kafka%2Fchat', 'notes', 'of=zz']);
    expect(answerOf(ledgerStreams(fs, '/other'))).toEqual({ streams: [], others: [] });
  });
});

describe('readLedger', () => {
  it('reads entries, temporary files and the lengths of final ones, also at the root of a file system', () => {
    for (const root of ['/lake', '']) {
      const fs = memoryFileSystem();
      putEntry(fs, 0, 10, 2, root);
      putEntry(fs, 10, 20, 1, root);
      put(fs, temporaryPath(root, stream, 20, 'w-1', 0), 'half');
      put(fs, `${ledgerFolder(root, stream)}/README`, 'not an entry');
      const read = answerOf(readLedger(fs, root, stream));
      expect([read.entries.length, read.temporaries, read.finals.size]).toEqual([
        2,
        [{ from: 20, path: temporaryPath(root, stream, 20, 'w-1', 0), bytes: 4 }],
        3,
      ]);
      expect(auditLedger(read)).toMatchObject({ entries: 2, from: 0, next: 20, files: 3, bytes: 9, problems: [] });
      expect(fs.calls.filter((call) => /^(write|rename|remove)/.test(call)).length).toBe(7);
    }
  });

  it('names what is wrong with an entry that cannot be used, and passes over one that is folded away meanwhile', () => {
    const fs = memoryFileSystem();
    putEntry(fs, 20, 30);
    put(fs, ledgerPath('/lake', stream, 0), '{"version":9}');
    put(fs, ledgerPath('/lake', stream, 10), 'cut sho');
    put(fs, ledgerPath('/lake', stream, 15), new Uint8Array(65 * 1024 * 1024));
    const damages = answerOf(readLedger(fs, '/lake', stream)).entries.map((one) =>
      'damage' in one ? one.damage : null,
    );
    expect(damages).toEqual([
      'its version is 9, known is 1',
      expect.stringContaining('JSON'),
      expect.stringContaining('68157440 bytes'),
      null,
    ]);
    const folding = {
      ...fs,
      list: (folder: string) => fs.list(folder),
      status: (path: string) => fs.status(path),
      read: (path: string, most: number) => {
        from(fs.remove(path)).subscribe();
        return fs.read(path, most);
      },
    };
    expect(answerOf(readLedger(folding, '/lake', stream)).entries).toEqual([]);
  });

  it('fails as the file system does where something could not be looked at', async () => {
    const fs = memoryFileSystem();
    putEntry(fs, 0, 10);
    fs.failNext('read', new SinkError('RXF_FILES_DENIED', 'no right'));
    await expect(firstValueFrom(readLedger(fs, '/lake', stream))).rejects.toThrow('no right');
  });

  it('looks at temporary files before final ones, so that a file that is published meanwhile is not gone', () => {
    const fs = memoryFileSystem();
    putEntry(fs, 0, 10);
    answerOf(readLedger(fs, '/lake', stream));
    const [temporary, final] = ['list /lake/_rxflume/tmp', 'status /lake/good'].map((start) =>
      fs.calls.findIndex((call) => call.startsWith(start)),
    );
    expect([temporary, final].includes(-1)).toBe(false);
    expect(temporary).toBeLessThan(final as number);
  });
});

describe('lengthsOf', () => {
  const paths = Array.from({ length: 40 }, (_, n) => `/lake/many/${n}`);

  it('asks for each of a few, lists a folder of many once, and leaves out what is no file', () => {
    const fs = memoryFileSystem();
    for (const path of [...paths.slice(1), '/lake/many/other', '/lake/few/a', '/lake/few/b/c']) put(fs, path, 'abc');
    const before = fs.calls.length;
    const found = answerOf(lengthsOf(fs, [...paths, '/lake/few/a', '/lake/few/b']));
    expect([...found.keys()].sort()).toEqual([...paths.slice(1), '/lake/few/a'].sort());
    expect(fs.calls.slice(before)).toEqual(['status /lake/few/a', 'status /lake/few/b', 'list /lake/many']);
    expect(answerOf(lengthsOf(fs, []))).toEqual(new Map());
  });

  it('asks for each where the listing is more than the driver takes', () => {
    const fs = memoryFileSystem();
    put(fs, paths[3] as string, 'abcd');
    fs.failNext('list', new SinkError('RXF_FILES_PROTOCOL', 'too large'));
    expect(answerOf(lengthsOf(fs, paths))).toEqual(new Map([[paths[3], 4]]));
  });
});
