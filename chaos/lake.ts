import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetReadObjects } from 'hyparquet';
import type { Options } from './options.js';
import { hdfsLines, root, services } from './services.js';

export interface Listing {
  /** Files that readers see. */
  readonly finals: readonly string[];
  /** Files that have been begun and belong to nobody any more. */
  readonly orphans: readonly string[];
}

/** All lines of the final files, as Hadoop's own reader gives them; rows of Parquet as lines, by hyparquet. */
export async function readLake(folder: string, format: Options['format'], signal: AbortSignal): Promise<string[]> {
  if (format === 'parquet') return readParquet(folder);
  const lines: string[] = [];
  for await (const line of hdfsLines(signal, '-text', `${folder}/mod=*/*`)) lines.push(line);
  return lines;
}

async function readParquet(folder: string): Promise<string[]> {
  const copy = await mkdtemp(join(tmpdir(), 'rxflume-chaos-'));
  try {
    await services('hdfs', '-get', `${folder}/mod=*`, copy);
    const files = await readdir(copy, { recursive: true, withFileTypes: true });
    const lines: string[] = [];
    for (const one of files.filter((file) => file.isFile() && !file.name.endsWith('.crc'))) {
      const { buffer, byteOffset, byteLength } = await readFile(join(one.parentPath, one.name));
      const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
      const rows = await parquetReadObjects({ file });
      lines.push(
        ...rows.map(({ n, stream, offset }) => JSON.stringify({ n: Number(n), stream, offset: Number(offset) })),
      );
    }
    return lines;
  } finally {
    await rm(copy, { recursive: true });
  }
}

/**
 * The files under a root. What is under `_rxflume/tmp` at this call is an orphan: every writer has ended, and a
 * new one has since taken all streams, committed on each of them, and drained.
 */
export async function listLake(folder: string, signal: AbortSignal): Promise<Listing> {
  const files: string[] = [];
  for await (const line of hdfsLines(signal, '-ls', '-R', folder)) {
    if (line.startsWith('-')) files.push(line.slice(line.indexOf(folder)));
  }
  const inside = (part: string) => files.filter((file) => file.startsWith(`${folder}/${part}`));
  return { finals: inside('mod='), orphans: inside('_rxflume/tmp/') };
}

/** What `rxflume ledger` complains of under a root; null where it verifies. */
export async function verifyLedger(url: string): Promise<string | null> {
  const command = ['--import', 'tsx', `${root}src/cli/main.ts`, 'ledger', url, '--user', 'flume'];
  try {
    await promisify(execFile)(process.execPath, command, { cwd: root, timeout: 120_000 });
    return null;
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return `exit ${code}: ${stdout}${stderr}`.trim();
  }
}

export async function removeLake(folder: string): Promise<void> {
  await services('hdfs', '-rm', '-r', '-skipTrash', folder);
}
