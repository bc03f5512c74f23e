import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, type Observable, of, Subject, throwError } from 'rxjs';
import { SinkError } from '../../../../src/core/errors.js';
import type { FileStatus, FileSystem } from '../../../../src/ports/file-system.js';
import { lengthsOf } from '../../../../src/sinks/files/ledger/lengths.js';

const file = (path: string, bytes: number): FileStatus => ({ path, kind: 'file', bytes, modifiedMs: 0 });

/** A file system of these files that counts what it is asked. */
function asked(
  files: readonly FileStatus[],
  list: (folder: string) => Observable<readonly FileStatus[]> = () => of(files),
) {
  const calls = { status: [] as string[], list: [] as string[] };
  const fs = {
    status: (path: string) => {
      calls.status.push(path);
      return of(files.find((one) => one.path === path) ?? null);
    },
    list: (folder: string) => {
      calls.list.push(folder);
      return list(folder);
    },
  } as unknown as FileSystem;
  return { fs, calls };
}

const many = (folder: string, count: number) => Array.from({ length: count }, (_, n) => `${folder}/f${n}`);

describe('the lengths of files', () => {
  it('are asked for one by one where a folder has few of them, and only of files', async () => {
    const folder = { ...file('/lake/b/f2', 0), kind: 'folder' as const };
    const { fs, calls } = asked([file('/lake/a/f0', 5), file('/f1', 7), folder]);
    const lengths = await firstValueFrom(lengthsOf(fs, ['/lake/a/f0', '/f1', '/lake/b/f2', '/lake/b/f3']));
    expect([...lengths]).toEqual([
      ['/lake/a/f0', 5],
      ['/f1', 7],
    ]);
    expect(calls).toEqual({ status: ['/lake/a/f0', '/f1', '/lake/b/f2', '/lake/b/f3'], list: [] });
    expect([...(await firstValueFrom(lengthsOf(fs, [])))]).toEqual([]);
  });

  it('are listed from 32 of a folder on, of those that were asked for', async () => {
    const paths = many('/lake/a', 32);
    const existing = [...paths.slice(0, 30).map((path, n) => file(path, n)), file('/lake/a/other', 9)];
    const folder = { ...file(paths[30] as string, 0), kind: 'folder' as const };
    const { fs, calls } = asked([...existing, folder]);
    const lengths = await firstValueFrom(lengthsOf(fs, paths));
    expect([
      lengths.size,
      lengths.get('/lake/a/f29'),
      lengths.has('/lake/a/other'),
      lengths.has('/lake/a/f30'),
    ]).toEqual([30, 29, false, false]);
    expect(calls).toEqual({ status: [], list: ['/lake/a'] });
    const few = asked(existing);
    await firstValueFrom(lengthsOf(few.fs, paths.slice(1)));
    expect([few.calls.status.length, few.calls.list.length]).toEqual([31, 0]);
  });

  it('are asked for after all where a listing is too large, and fail with any other error', async () => {
    const paths = many('/lake/a', 40);
    const existing = paths.map((path) => file(path, 1));
    const rejecting = (code: 'RXF_FILES_PROTOCOL' | 'RXF_FILES_DENIED') =>
      asked(existing, () => throwError(() => new SinkError(code, 'no')));
    const large = rejecting('RXF_FILES_PROTOCOL');
    expect((await firstValueFrom(lengthsOf(large.fs, paths))).size).toBe(40);
    expect(large.calls.status.length).toBe(40);
    await expect(firstValueFrom(lengthsOf(rejecting('RXF_FILES_DENIED').fs, paths))).rejects.toMatchObject({
      code: 'RXF_FILES_DENIED',
    });
    const foreign = asked(existing, () => throwError(() => ({ code: 'RXF_FILES_PROTOCOL' })));
    await expect(firstValueFrom(lengthsOf(foreign.fs, paths))).rejects.toEqual({ code: 'RXF_FILES_PROTOCOL' });
  });

  it('are asked for eight at once, and listed two at once', () => {
    const answers: Subject<never>[] = [];
    const never = () => {
      const answer = new Subject<never>();
      answers.push(answer);
      return answer;
    };
    const fs = { status: never, list: never } as unknown as FileSystem;
    lengthsOf(fs, many('/lake', 20)).subscribe();
    expect(answers.length).toBe(8);
    answers.length = 0;
    lengthsOf(
      fs,
      ['a', 'b', 'c'].flatMap((name) => many(`/lake/${name}`, 32)),
    ).subscribe();
    expect(answers.length).toBe(2);
  });
});
