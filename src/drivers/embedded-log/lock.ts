import { randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConnectError } from '../../core/errors.js';
import { namesIn } from './durable-file.js';

/** The claims this process holds, name to path; what an exit leaves behind is removed on the way out. */
const held = new Map<string, string>();
let isExitWatched = false;

/** Gives the folder free; never fails. */
export type Unlock = () => Promise<void>;

/**
 * Claims a folder for this process. A claim is an empty file `lock-<pid>-<token>`: it is laid down first, and then
 * whoever finds another living claim beside it takes its own back, so that two never both go on. A claim of a dead pid,
 * or of our own pid with a token that is not ours (a pid used again, as in containers), is stale and removed.
 *
 * Fails: `RXF_KAFKA_UNREACHABLE`, not retryable, naming the pid that has the folder.
 */
export async function lockFolder(folder: string): Promise<Unlock> {
  const name = `lock-${process.pid}-${randomUUID()}`;
  const path = resolve(folder, name);
  held.set(name, path);
  removeAtExit();
  const unlock = async () => {
    await unlink(path).catch(() => undefined);
    held.delete(name);
  };
  try {
    await writeFile(path, '', { flag: 'wx' });
    for (const other of await namesIn(folder)) {
      const pid = Number(/^lock-(\d+)-/.exec(other)?.[1] ?? Number.NaN);
      if (other === name || Number.isNaN(pid)) continue;
      if (pid === process.pid ? held.has(other) : isAlive(pid)) throw taken(folder, pid, other);
      await unlink(join(folder, other)).catch(() => undefined);
    }
  } catch (error) {
    await unlock();
    throw error;
  }
  return unlock;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function taken(folder: string, pid: number, name: string): ConnectError {
  const whose = pid === process.pid ? 'another embeddedLog of this process' : `process ${pid}`;
  return new ConnectError(
    'RXF_KAFKA_UNREACHABLE',
    `The embedded log in ${folder} is open in ${whose}, and only one may write it. Stop that one, or use another folder. ` +
      `If process ${pid} is some other program, remove ${join(folder, name)}.`,
    { retryable: false, details: { folder, pid } },
  );
}

function removeAtExit(): void {
  if (isExitWatched) return;
  isExitWatched = true;
  process.once('exit', () => {
    for (const path of held.values()) {
      try {
        unlinkSync(path);
      } catch {
        // Best effort: a claim that stays behind is found stale, as this pid is dead then.
      }
    }
  });
}
