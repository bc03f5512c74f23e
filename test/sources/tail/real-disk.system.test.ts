import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom, from, type ObservableInput, type Subscription } from 'rxjs';
import { localFiles } from '../../../src/drivers/local-disk/index.js';
import type { LocalFiles } from '../../../src/ports/local-files.js';
import { tailSource } from '../../../src/sources/tail/tail-source.js';
import { MemoryLocalFiles } from '../../../src/testing/index.js';
import { SourceRun } from '../../support/source-run.js';

const folder = fs.mkdtempSync(join(tmpdir(), 'rxf-tail-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** What other programs do to files. */
interface Machine {
  readonly files: LocalFiles;
  readonly root: string;
  append(path: string, text: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  truncate(path: string): void;
  symlink(target: string, path: string): void;
}

const MACHINES: Readonly<Record<string, () => Machine>> = {
  'in memory': () => {
    const files = new MemoryLocalFiles();
    return {
      files,
      root: '/log',
      append: (path, text) => files.append(path, text),
      rename: (one, other) => files.rename(one, other),
      remove: (path) => files.remove(path),
      truncate: (path) => files.truncate(path),
      symlink: (target, path) => files.symlink(target, path),
    };
  },
  'on disk': () => ({
    files: localFiles(),
    root: fs.mkdtempSync(join(folder, 'disk-')),
    append: (path, text) => {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.appendFileSync(path, text);
    },
    rename: fs.renameSync,
    remove: fs.unlinkSync,
    truncate: (path) => fs.truncateSync(path, 0),
    symlink: fs.symlinkSync,
  }),
};

const one = <T>(call: ObservableInput<T>) => firstValueFrom(from(call));
const codeOf = (call: ObservableInput<unknown>) =>
  one(call).then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );

describe.each(Object.entries(MACHINES))('files %s', (_, make) => {
  it('gives a claimed path to one at a time', async () => {
    const { files, root } = make();
    const claim = (path: string) => from(files.claim?.(path) ?? []);
    const held = await new Promise<Subscription>((resolve, reject) => {
      const life: Subscription = claim(join(root, 'a.json')).subscribe({
        next: () => setImmediate(() => resolve(life)),
        error: reject,
      });
    });
    expect(await codeOf(claim(join(root, 'a.json')))).toBe('RXF_TAIL_IN_USE');
    expect(await codeOf(claim(join(root, 'b.json')))).toBe('no error');
    held.unsubscribe();
    expect(await codeOf(claim(join(root, 'a.json')))).toBe('no error');
  });

  it('keep their identity when they are renamed, and are read by their descriptor when their name is gone', async () => {
    const { files, root, ...machine } = make();
    machine.append(`${root}/a`, 'one\n');
    const before = await one(files.stat(`${root}/a`));
    const handle = await one(files.open(`${root}/a`));
    machine.rename(`${root}/a`, `${root}/b`);
    machine.append(`${root}/b`, 'two\n');
    const after = await one(files.stat(`${root}/b`));
    expect([after.ino, after.dev, after.birthtimeNs, after.size, after.kind]).toEqual([
      ...[before.ino, before.dev, before.birthtimeNs, 8, 'file'],
    ]);
    machine.remove(`${root}/b`);
    const into = new Uint8Array(10);
    expect(await one(handle.read(into, 4))).toBe(4);
    expect(Buffer.from(into.subarray(0, 4)).toString()).toBe('two\n');
    expect([await one(handle.read(into, 8)), await one(handle.read(into, 99))]).toEqual([0, 0]);
    expect(await one(handle.stat())).toMatchObject({ nlink: 0, size: 8 });
    await one(handle.close());
  });

  it('show a cut in their size, and links as what they lead to', async () => {
    const { files, root, ...machine } = make();
    machine.append(`${root}/sub/a`, 'one\n');
    machine.symlink(`${root}/sub/a`, `${root}/link`);
    machine.truncate(`${root}/sub/a`);
    const [file, link] = [await one(files.stat(`${root}/sub/a`)), await one(files.stat(`${root}/link`))];
    expect([file.size, link.ino, link.kind]).toEqual([0, file.ino, 'file']);
    expect((await one(files.stat(`${root}/sub`))).kind).toBe('folder');
    const names = await one(files.list(root));
    expect([...names].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'link', kind: 'link' },
      { name: 'sub', kind: 'folder' },
    ]);
  });

  it('fail with the code of the system, and are replaced whole', async () => {
    const { files, root, ...machine } = make();
    machine.append(`${root}/a`, 'x');
    expect([await codeOf(files.stat(`${root}/no`)), await codeOf(files.open(`${root}/no`))]).toEqual([
      'ENOENT',
      'ENOENT',
    ]);
    expect(await codeOf(files.list(`${root}/none`))).toBe('ENOENT');
    const path = `${root}/made/state.json`;
    expect(await one(files.readWhole(path))).toBe(null);
    for (const text of ['first, longer', 'second']) {
      await firstValueFrom(from(files.replace(path, Buffer.from(text))), { defaultValue: undefined });
      expect(Buffer.from((await one(files.readWhole(path))) as Uint8Array).toString()).toBe(text);
    }
    expect(await one(files.list(`${root}/made`))).toEqual([{ name: 'state.json', kind: 'file' }]);
  });
});

it('tailSource follows real files through a rotation, a cut and a restart', async () => {
  const root = fs.mkdtempSync(join(folder, 'tail-'));
  const log = join(root, 'a.log');
  const lines: string[] = [];
  const start = () => {
    const source = tailSource(localFiles(), {
      paths: [`${root}/*.log`, `${root}/*.log.1`],
      positionFile: join(root, 'state/positions.json'),
      scanIntervalMs: 50,
      pollIntervalMs: 10,
      saveIntervalMs: 10,
    });
    return new SourceRun(source, undefined, (delivery) => {
      lines.push(delivery.value.toString());
      delivery.ack();
    });
  };
  const until = async (count: number) => {
    const deadline = performance.now() + 15_000;
    while (lines.length < count && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  fs.appendFileSync(log, '1\n2\n');
  let run = start();
  await until(2);
  fs.renameSync(log, `${log}.1`);
  fs.appendFileSync(log, '4\n');
  fs.appendFileSync(`${log}.1`, '3\n');
  await until(4);
  run.drain();
  const deadline = performance.now() + 15_000;
  while (run.ended === '' && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(run.ended).toBe('complete');
  fs.appendFileSync(log, '5\n');
  run = start();
  await until(5);
  fs.truncateSync(log, 0);
  fs.appendFileSync(log, '6, after the cut\n');
  await until(6);
  run.leave();
  expect([...lines].sort()).toEqual(['1', '2', '3', '4', '5', '6, after the cut']);
}, 60_000);
