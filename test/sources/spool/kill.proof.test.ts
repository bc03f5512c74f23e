import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { from, lastValueFrom } from 'rxjs';
import { column, parquet } from '../../../src/formats/parquet/index.js';

const FILES = 30;
const LINES = 2_000;
const KILLS = 6;

type Kind = 'lines' | 'parquet';

const FACTS = { stream: 's', values: LINES, firstOffset: 0, lastOffset: LINES - 1 };

/** The file of that number: lines, or rows in several row groups. */
async function contentOf(file: number, kind: Kind): Promise<Uint8Array | string> {
  const ids = Array.from({ length: LINES }, (_, line) => `${file}.${line}`);
  if (kind === 'lines') return ids.map((id) => `${id}\n`).join('');
  const encoder = parquet({ schema: { id: column.string() } }).encoder();
  const parts: Uint8Array[] = [];
  for (let at = 0; at < LINES; at += LINES / 5) {
    for (const id of ids.slice(at, at + LINES / 5)) encoder.add({ id });
    parts.push(await lastValueFrom(from(encoder.takeLater?.() ?? [])));
  }
  parts.push(await lastValueFrom(from(encoder.finish?.(FACTS) ?? [])));
  return Buffer.concat(parts);
}

/** Starts a collector; settles when it has stored a first file. */
async function start(root: string, kind: Kind): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'collector.ts'), root, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => {
    child.stdout?.once('data', resolve);
    child.once('exit', resolve);
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

it.each<Kind>(['lines', 'parquet'])(
  'a spool folder of %s is stored exactly once through kill -9, and every file is renamed',
  async (kind) => {
    const root = await mkdtemp(join(tmpdir(), 'rxflume-spool-'));
    let child: ChildProcess | undefined;
    try {
      await mkdir(join(root, 'in'));
      const place = async (file: number) => {
        await writeFile(join(root, 'in', `.${file}`), await contentOf(file, kind));
        await rename(join(root, 'in', `.${file}`), join(root, 'in', `${file}`));
      };
      for (let file = 0; file < FILES - KILLS - 1; file += 1) await place(file);
      for (let kills = 0; kills < KILLS; kills += 1) {
        // A file for each start, or one that has nothing left to store would be waited for without end.
        await place(FILES - 1 - kills);
        child = await start(root, kind);
        await wait(kills * 23);
        await kill(child);
      }
      await place(FILES - 1 - KILLS);
      child = await start(root, kind);
      const left = async () => (await readdir(join(root, 'in'))).filter((name) => !name.endsWith('.COMPLETED'));
      for (let tries = 0; tries < 200 && (await left()).length > 0; tries += 1) await wait(500);
      await kill(child);
      expect(await left()).toEqual([]);
      const names = (await readdir(join(root, 'lake'))).filter((name) => name.startsWith('spool'));
      const texts = await Promise.all(names.map((name) => readFile(join(root, 'lake', name), 'utf8')));
      const stored = texts.flatMap((text) => text.trimEnd().split('\n'));
      if (kind === 'parquet') expect(stored[0]).toMatch(/^\{"id":"\d+\.\d+"\}$/);
      expect([stored.length, new Set(stored).size]).toEqual([FILES * LINES, FILES * LINES]);
    } finally {
      if (child !== undefined) await kill(child);
      await rm(root, { recursive: true, force: true });
    }
  },
  240_000,
);
