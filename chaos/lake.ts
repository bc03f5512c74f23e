import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hdfsLines, root, services } from './services.js';

export interface Listing {
  /** Files that readers see. */
  readonly finals: readonly string[];
  /** Files that have been begun and belong to nobody any more. */
  readonly orphans: readonly string[];
}

/** All lines of the final files, as Hadoop's own reader gives them. */
export async function readLake(folder: string, signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of hdfsLines(signal, '-text', `${folder}/mod=*/*`)) lines.push(line);
  return lines;
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
