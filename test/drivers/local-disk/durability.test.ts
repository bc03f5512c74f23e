import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { concat, defer, firstValueFrom, from, type ObservableInput } from 'rxjs';
import type { RxflumeError } from '../../../src/core/errors.js';
import { localDiskOn } from '../../../src/drivers/local-disk/local-disk.js';
import { nodeSystem } from '../../../src/drivers/local-disk/system.js';
import type { DiskSystem } from '../../../src/ports/disk-system.js';
import type { FileSystem } from '../../../src/ports/file-system.js';

let root: string;
/** The folders whose names were synced, in order. */
let synced: string[];
/** Folders and files whose next sync fails with that code, once. */
let failing: Map<string, string>;
/** Until when the first sync of a folder takes. */
let holds: Map<string, Promise<void>>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rxflume-durable-'));
  [synced, failing, holds] = [[], new Map(), new Map()];
});
afterEach(() => rmSync(root, { recursive: true }));

const system: DiskSystem = {
  ...nodeSystem,
  syncFolder: (path) =>
    defer(async () => {
      await holds.get(path);
      await failOnce(path);
      await nodeSystem.syncFolder(path);
      synced.push(path);
    }),
  open: async (path, flags) => {
    const file = await once(nodeSystem.open(path, flags));
    const sync = () =>
      concat(
        defer(() => failOnce(path)),
        defer(() => file.sync()),
      );
    return { ...file, sync };
  },
};

async function failOnce(path: string): Promise<void> {
  const code = failing.get(path);
  failing.delete(path);
  if (code === undefined) return;
  const syscall = code === 'EMFILE' ? 'open' : 'fsync';
  throw Object.assign(new Error(`${code}: i/o error, ${syscall}`), { code, syscall });
}

const once = <T>(answer: ObservableInput<T>): Promise<T> => firstValueFrom(from(answer));
const disk = (): FileSystem => localDiskOn(system, { root });

async function put(fs: FileSystem, path: string): Promise<void> {
  const writer = fs.create(path);
  await once(writer.write(Buffer.from('text')));
  await once(writer.close());
}

async function failure(work: Promise<unknown>): Promise<RxflumeError> {
  return work.then(
    (value) => Promise.reject(new Error(`Expected a failure, got ${JSON.stringify(value)}`)),
    (error: RxflumeError) => error,
  );
}

describe('a sync that failed', () => {
  it.each(['rename', 'publish'] as const)('is no %s, and no later sync of the folder is believed', async (move) => {
    const fs = disk();
    await put(fs, '/a');
    mkdirSync(join(root, 'd'));
    failing.set(join(root, 'd'), 'EIO');
    const error = await failure(once(fs[move]('/a', '/d/a')));
    expect(error).toMatchObject({ code: 'RXF_FILES_REMOTE', retryable: false });
    expect(error.message).toMatch(/EIO.*a later sync would not report it/);
    // It is visible, but no call may show it as stored.
    expect(readdirSync(join(root, 'd'))).toEqual(['a']);
    const asks: ObservableInput<unknown>[] = [fs.status('/d/a'), fs.read('/d/a', 100), fs.list('/d')];
    for (const ask of asks) expect(await failure(once(ask))).toMatchObject({ code: 'RXF_FILES_REMOTE' });
    if (move === 'rename') expect(await failure(once(fs.rename('/a', '/d/a')))).toBe(error);
    // Elsewhere the disk is used on.
    await put(fs, '/e/a');
  });

  it('of the bytes of a file is no close, and the file is not read', async () => {
    const fs = disk();
    failing.set(join(root, 'a'), 'EIO');
    expect(await failure(put(fs, '/a'))).toMatchObject({ code: 'RXF_FILES_REMOTE', retryable: false });
    expect(await failure(once(fs.read('/a', 100)))).toMatchObject({ code: 'RXF_FILES_REMOTE' });
    await once(fs.remove('/a'));
    await put(fs, '/a');
  });

  it('for want of space says so and can be tried again by who starts anew', async () => {
    failing.set(root, 'ENOSPC');
    expect(await failure(put(disk(), '/a'))).toMatchObject({ code: 'RXF_FILES_FULL', retryable: true });
  });

  it('was none where the folder could not be opened for it', async () => {
    const fs = disk();
    await put(fs, '/a');
    mkdirSync(join(root, 'd'));
    await once(fs.status('/d'));
    failing.set(join(root, 'd'), 'EMFILE');
    const error = await failure(once(fs.rename('/a', '/d/a')));
    expect(error).toMatchObject({ code: 'RXF_FILES_REMOTE', retryable: true });
    expect(error.message).toMatch(/EMFILE.*ulimit -n/);
    expect(await once(fs.rename('/a', '/d/a'))).toBe('renamed');
    expect(synced.at(-1)).toBe(join(root, 'd'));
  });
});

describe('the names of folders', () => {
  it('are synced by each who relies on them, also where another has made them a moment ago', async () => {
    const [one, other] = [disk(), disk()];
    let release = () => {};
    holds.set(
      join(root, 'x'),
      new Promise((resolve) => {
        release = resolve;
      }),
    );
    const done: string[] = [];
    const both = [
      put(one, '/x/y/a').then(() => done.push('a')),
      put(other, '/x/y/b').then(() => done.push('b')),
      put(one, '/x/y/c').then(() => done.push('c')),
    ];
    while (!existsSync(join(root, 'x/y'))) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(done).toEqual([]);
    release();
    await Promise.all(both);
    expect(done.sort()).toEqual(['a', 'b', 'c']);
  });

  it('are synced where a program before us has made them and died', async () => {
    mkdirSync(join(root, 'x/y'), { recursive: true });
    await put(disk(), '/x/y/a');
    expect(synced).toEqual(expect.arrayContaining([join(root, 'x/y'), join(root, 'x'), root, dirname(root)]));
  });

  it('are synced again where the folder was removed and made anew by another', async () => {
    const fs = disk();
    await put(fs, '/x/a');
    await once(fs.remove('/x/a'));
    rmdirSync(join(root, 'x'));
    mkdirSync(join(root, 'x'));
    synced = [];
    await put(fs, '/x/a');
    expect(synced).toEqual([root, join(root, 'x')]);
    synced = [];
    await put(fs, '/x/b');
    expect(synced).toEqual([join(root, 'x')]);
  });

  it('may be where we may not sync them, if they were there before us', async () => {
    mkdirSync(join(root, 'x'));
    failing.set(root, 'EINVAL');
    await put(disk(), '/x/a');
    failing.set(root, 'EINVAL');
    expect(await failure(put(disk(), '/new/a'))).toMatchObject({ code: 'RXF_FILES_REMOTE' });
  });
});

describe('what a look tells of', () => {
  it('is synced before it is reported: another may have moved it and died', async () => {
    await put(disk(), '/d/a');
    const fs = disk();
    for (const ask of [() => fs.status('/d/a'), () => fs.read('/d/a', 100), () => fs.list('/d')]) {
      synced = [];
      await once(ask() as ObservableInput<unknown>);
      expect(synced).toEqual([join(root, 'd')]);
    }
  });
});

describe('a name with an unpaired surrogate, which the disk would store as another', () => {
  it('is rejected, with nothing made and nothing waited for', async () => {
    const fs = disk();
    await put(fs, '/a');
    const path = '/x\ud800/y\udc00/a';
    const asks: ObservableInput<unknown>[] = [
      defer(() => put(fs, path)),
      fs.rename('/a', path),
      fs.publish('/a', path),
      fs.read(path, 10),
      fs.remove(path),
    ];
    for (const ask of asks) expect(await failure(once(ask))).toMatchObject({ retryable: false });
    expect([await once(fs.status(path)), await once(fs.list(path))]).toEqual([null, []]);
    expect(readdirSync(root)).toEqual(['a']);
  });
});
