import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom, from, type ObservableInput } from 'rxjs';
import type { RxflumeError } from '../../../src/core/errors.js';
import { localDisk } from '../../../src/drivers/local-disk/index.js';
import type { FileSystem } from '../../../src/ports/file-system.js';

let folder: string;
let root: string;
let fs: FileSystem;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxflume-disk-'));
  root = join(folder, 'root');
  mkdirSync(root);
  fs = localDisk({ root });
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const once = <T>(answer: ObservableInput<T>): Promise<T> => firstValueFrom(from(answer));

async function put(path: string, text: string): Promise<void> {
  const writer = fs.create(path);
  await once(writer.write(Buffer.from(text)));
  await once(writer.close());
}

async function failure(work: Promise<unknown>): Promise<RxflumeError> {
  return work.then(
    (value) => Promise.reject(new Error(`Expected a failure, got ${JSON.stringify(value)}`)),
    (error: RxflumeError) => error,
  );
}

/** What every open file of this Node is made of. */
async function fileHandle(): Promise<FileHandle> {
  const handle = await open(root, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}

const moves = [
  ['rename', (from: string, to: string) => once(fs.rename(from, to))],
  ['publish', (from: string, to: string) => once(fs.publish(from, to))],
] as const;

describe.each(moves)('local disk, %s', (_, move) => {
  it('finishes what died between the two names', async () => {
    await put('/a', 'text');
    linkSync(join(root, 'a'), join(root, 'b'));
    expect(await move('/a', '/b')).toBe('renamed');
    expect(readdirSync(root)).toEqual(['b']);
    expect(readFileSync(join(root, 'b'), 'utf8')).toBe('text');
  });

  it('does not link again what was linked by another and then taken away by a reader', async () => {
    mkdirSync(join(root, 'taken'));
    writeFileSync(join(root, 'a'), 'text');
    linkSync(join(root, 'a'), join(root, 'b'));
    renameSync(join(root, 'b'), join(root, 'taken/b'));
    expect(await move('/a', '/b')).toBe('missing');
    expect(existsSync(join(root, 'b'))).toBe(false);
  });

  it('moves its own file though a copy by hard links has given it a second name', async () => {
    await put('/a', 'text');
    linkSync(join(root, 'a'), join(folder, 'snapshot'));
    expect(await move('/a', '/b')).toBe('renamed');
    expect(readdirSync(root)).toEqual(['b']);
  });

  it('of two drivers that move one file at once, both come to an end and one file is left', async () => {
    const other = localDisk({ root });
    for (let n = 0; n < 100; n += 1) {
      await put(`/tmp/${n}`, 'text');
      const answers = await Promise.all([move(`/tmp/${n}`, `/d/${n}`), once(other.publish(`/tmp/${n}`, `/d/${n}`))]);
      expect(answers).toContain('renamed');
      expect(answers).not.toContain('exists');
    }
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
    expect(readdirSync(join(root, 'd'))).toHaveLength(100);
  });
});

describe('local disk, moves', () => {
  it('does not take one file reached by two ways for two names of it', async () => {
    await put('/real/a', 'text');
    symlinkSync(join(root, 'real'), join(root, 'way'));
    expect(await once(fs.rename('/real/a', '/way/a'))).toBe('exists');
    linkSync(join(root, 'real/a'), join(root, 'real/second-name'));
    for (const [, move] of moves) expect(await move('/real/a', '/way/a')).toBe('exists');
    expect(readFileSync(join(root, 'real/a'), 'utf8')).toBe('text');
  });

  it('says why where no hard link can be made', async () => {
    if (!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync(folder).dev) return;
    const other = mkdtempSync('/dev/shm/rxflume-');
    try {
      await put('/a', 'text');
      const error = await failure(once(localDisk().rename(join(root, 'a'), join(other, 'b'))));
      expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: false });
      expect(error.message).toMatch(/no hard link can be made there \(EXDEV\).*ext4/);
      const other$ = failure(once(localDisk().publish(join(root, 'a'), join(other, 'b'))));
      expect(await other$).toMatchObject({
        code: 'RXF_FILES_DENIED',
        message: expect.stringMatching(/two file systems/),
      });
      expect(readFileSync(join(root, 'a'), 'utf8')).toBe('text');
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});

describe('local disk, durability', () => {
  it('syncs the file, its name, and the name of each folder above it, before it answers; never, with `fsync: never`', async () => {
    const sync = jest.spyOn(await fileHandle(), 'sync');
    const writer = fs.create('/x/y/a');
    await once(writer.write(Buffer.from('text')));
    const above = root.split('/').filter(Boolean).length;
    expect(sync).toHaveBeenCalledTimes(above + 2);
    sync.mockClear();
    await once(writer.close());
    expect(sync).toHaveBeenCalledTimes(2);
    sync.mockClear();
    // Its folders are known by now.
    await once(fs.publish('/x/y/a', '/x/b'));
    expect(sync).toHaveBeenCalledTimes(1);
    sync.mockClear();
    fs = localDisk({ root, fsync: 'never' });
    await put('/z/a', 'text');
    await once(fs.rename('/z/a', '/q/b'));
    await once(fs.list('/q'));
    expect(sync).not.toHaveBeenCalled();
  });

  it('a full disk is an error that stays, at the write and at the close', async () => {
    const full = existsSync('/dev/full')
      ? await failure(open('/dev/full', 'w').then((handle) => handle.writeFile('x').finally(() => handle.close())))
      : Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const writer = fs.create('/a');
    await once(writer.write(Buffer.from('text')));
    const handle = await fileHandle();
    jest.spyOn(handle, 'write').mockRejectedValueOnce(full as never);
    const error = await failure(once(writer.write(Buffer.from('more'))));
    expect(error).toMatchObject({ code: 'RXF_FILES_FULL', retryable: true, details: { path: '/a' } });
    expect(error.message).toMatch(/Could not write \/a: ENOSPC.*Free space/);
    expect(await failure(once(writer.close()))).toBe(error);
    const other = fs.create('/b');
    await once(other.write(Buffer.from('text')));
    jest.spyOn(handle, 'sync').mockRejectedValueOnce(full as never);
    expect(await failure(once(other.close()))).toMatchObject({ code: 'RXF_FILES_FULL' });
  });

  it('writes on where the system took a part', async () => {
    const handle = await fileHandle();
    const whole = handle.write as unknown as (chunk: Uint8Array, offset: number, length?: number) => Promise<unknown>;
    jest.spyOn(handle, 'write').mockImplementation(function (this: FileHandle, chunk: unknown, offset: unknown) {
      return whole.call(
        this,
        chunk as Uint8Array,
        offset as number,
        Math.min(3, (chunk as Uint8Array).length - (offset as number)),
      );
    } as never);
    await put('/a', '0123456789');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('0123456789');
  });

  it('a length that differs is no success', async () => {
    const writer = fs.create('/a');
    await once(writer.write(Buffer.from('text')));
    appendFileSync(join(root, 'a'), 'x');
    const error = await failure(once(writer.close()));
    expect(error).toMatchObject({ code: 'RXF_FILES_LENGTH', details: { sent: 4, held: 5 } });
  });

  it('an abort during a write leaves nothing open', async () => {
    const writer = fs.create('/a');
    const writing = failure(once(writer.write(Buffer.alloc(1 << 20))));
    writer.abort();
    expect(await writing).toMatchObject({ code: 'RXF_FILES_ABORTED' });
    if (!existsSync('/proc/self/fd')) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
    const targets = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    });
    expect(targets.filter((target) => target.startsWith(root))).toEqual([]);
  });
});

describe('local disk, its root', () => {
  const rejected = expect.objectContaining({ code: 'RXF_FILES_DENIED' });

  it('is not left by a path', async () => {
    for (const path of ['/../x', '/a/../../x', '..', 'relative', '/a/./b', '/a\0b', '/a\\..\\..\\x']) {
      await expect(once(fs.create(path).close())).rejects.toEqual(rejected);
      await expect(once(fs.status(path))).rejects.toEqual(rejected);
      await expect(once(fs.remove(path))).rejects.toEqual(rejected);
      await expect(once(fs.rename('/a', path))).rejects.toEqual(rejected);
    }
    expect(readdirSync(folder)).toEqual(['root']);
  });

  it('is not left by a link', async () => {
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside/secret'), 'secret');
    symlinkSync(join(folder, 'outside'), join(root, 'out'));
    symlinkSync(join(folder, 'outside/secret'), join(root, 'file'));
    await put('/a', 'text');
    await expect(put('/out/x', 'text')).rejects.toEqual(rejected);
    await expect(once(fs.rename('/a', '/out/x'))).rejects.toEqual(rejected);
    await expect(once(fs.rename('/out/secret', '/x'))).rejects.toEqual(rejected);
    await expect(once(fs.read('/out/secret', 100))).rejects.toEqual(rejected);
    await expect(once(fs.read('/file', 100))).rejects.toEqual(rejected);
    await expect(once(fs.status('/out'))).rejects.toEqual(rejected);
    await expect(once(fs.list('/out'))).rejects.toEqual(rejected);
    await expect(once(fs.remove('/out/secret'))).rejects.toEqual(rejected);
    expect((await once(fs.list('/'))).map(({ path }) => path)).toEqual(['/a']);
    expect(await once(fs.remove('/out'))).toBe(true);
    expect(readdirSync(join(folder, 'outside'))).toEqual(['secret']);
  });

  it('may be reached by a link, and may hold links within', async () => {
    symlinkSync(root, join(folder, 'way'));
    fs = localDisk({ root: join(folder, 'way') });
    mkdirSync(join(root, 'd'));
    symlinkSync(join(root, 'd'), join(root, 'inner'));
    await put('/inner/a', 'text');
    expect(readFileSync(join(root, 'd/a'), 'utf8')).toBe('text');
    expect((await once(fs.list('/'))).map(({ path, kind }) => [path, kind])).toEqual([
      ['/d', 'folder'],
      ['/inner', 'folder'],
    ]);
  });

  it('is made when first written to, and never removed', async () => {
    fs = localDisk({ root: join(folder, 'not/yet') });
    expect(await once(fs.list('/'))).toEqual([]);
    expect(await once(fs.status('/'))).toBeNull();
    await put('/a', 'text');
    for (const path of ['/', '//']) await expect(once(fs.remove(path))).rejects.toEqual(rejected);
    expect(readFileSync(join(folder, 'not/yet/a'), 'utf8')).toBe('text');
  });

  it('says who may not write where', async () => {
    const closed = join(root, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o555);
    chmodSync(folder, 0o755);
    const root0 = process.getuid?.() === 0;
    if (root0) process.seteuid?.(65_534);
    try {
      const error = await failure(put('/closed/a', 'text'));
      expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', retryable: false });
      expect(error.message).toMatch(/Could not write \/closed\/a: EACCES.*Grant this user write access/);
    } finally {
      if (root0) process.seteuid?.(0);
      chmodSync(closed, 0o755);
    }
  });

  it.each([{ root: 'relative' }, { root: '' }, { fsync: 'sometimes' }, { folder: '/x' }])(
    'rejects the options %p at the call',
    (wrong) => {
      expect(() => localDisk(wrong as never)).toThrow(expect.objectContaining({ code: 'RXF_OPTION_INVALID' }));
    },
  );
});
