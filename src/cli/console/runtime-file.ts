import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A console of this user on this machine, as its process has noted it. */
export interface NotedConsole {
  readonly url: string;
  /** What programs log in with. */
  readonly token: string;
  readonly pid: number;
}

const MAX_NOTED = 100;

/** A folder that no other user can read; undefined where there is none to be had. */
export function runtimeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_RUNTIME_DIR: runtime } = env;
  const { uid } = userInfo();
  const folder = runtime ? join(runtime, 'rxflume') : join(tmpdir(), `rxflume-${uid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = lstatSync(folder);
    // Another user may have made it, or a link to elsewhere, in a folder that all can write to.
    if (!stats.isDirectory() || (uid >= 0 && stats.uid !== uid)) return undefined;
    chmodSync(folder, 0o700);
    return folder;
  } catch {
    return undefined;
  }
}

/** Notes the console of this process, for the commands of the same user. Returns what removes it; undefined where that is not possible. */
export function noteConsole(folder: string | undefined, noted: NotedConsole): (() => void) | undefined {
  if (folder === undefined) return undefined;
  const file = join(folder, `console-${noted.pid}.json`);
  try {
    rmSync(file, { force: true });
    writeFileSync(file, JSON.stringify(noted), { mode: 0o600, flag: 'wx' });
  } catch {
    return undefined;
  }
  const remove = () => {
    process.off('exit', remove);
    rmSync(file, { force: true });
  };
  process.on('exit', remove);
  return remove;
}

/** Those that are noted and whose process lives, at most 100. What a process that was killed has left is removed. */
export function notedConsoles(folder: string | undefined): NotedConsole[] {
  if (folder === undefined) return [];
  const files = readdirSync(folder).filter((name) => /^console-\d+\.json$/.test(name));
  return files.slice(0, MAX_NOTED).flatMap((name) => {
    const file = join(folder, name);
    const noted = read(file);
    if (noted !== undefined && isAlive(noted.pid)) return [noted];
    rmSync(file, { force: true });
    return [];
  });
}

function read(file: string): NotedConsole | undefined {
  try {
    const { url, token, pid } = JSON.parse(readFileSync(file, 'utf8')) as NotedConsole;
    const isWhole = URL.canParse(url) && typeof token === 'string' && Number.isSafeInteger(pid);
    return isWhole ? { url, token, pid } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
