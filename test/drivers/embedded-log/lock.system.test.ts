import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Trial } from './trial.js';

const trial = new Trial();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  await trial.clear();
});

const locks = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith('lock-'));
const taken = { name: 'ConnectError', code: 'RXF_KAFKA_UNREACHABLE', retryable: false };

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // A process with a namespace of its own takes all in it along.
  child.kill('SIGKILL');
  await exited;
}

/** Another process, in a container of its own where `command` makes one, and what it says of the log. */
async function holder(folder: string, command: readonly string[] = []): Promise<{ child: ChildProcess; says: string }> {
  const program = [process.execPath, '--import', 'tsx', join(import.meta.dirname, 'holder.ts'), folder];
  const [name, ...args] = [...command, ...program] as [string, ...string[]];
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, says: String(said).trim() };
}

const OWN_PIDS = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const OWN_NETWORK = [...OWN_PIDS, '--net'];
const canUnshare = ([name, ...args]: readonly string[]) => spawnSync(name as string, [...args, 'true']).status === 0;

describe('embeddedLog, lock', () => {
  it('keeps a second log of this process out, until the first is closed', async () => {
    const folder = await trial.folder();
    const first = trial.log(folder);
    await first.append('chat', ['a']);
    const second = trial.log(folder);
    await expect(second.append('chat', ['b'])).rejects.toMatchObject(taken);
    expect(await locks(folder)).toHaveLength(1);
    await first.close();
    expect(await locks(folder)).toHaveLength(0);
    await second.append('chat', ['b']);
    expect(await second.recordCount('chat')).toBe(2);
  });

  it('keeps out while another process lives, also one that is stopped, and takes over when it is dead', async () => {
    const folder = await trial.folder();
    const { child, says } = await holder(folder);
    expect(says).toBe('held');
    const log = trial.log(folder);
    await expect(log.append('chat', ['a'])).rejects.toMatchObject(taken);
    child.kill('SIGSTOP');
    await expect(log.append('chat', ['a'])).rejects.toThrow(/is open in another process.*ss -xlp/s);
    await kill(child);
    await log.append('chat', ['a']);
    expect(await log.recordCount('chat')).toBe(2);
    expect(await locks(folder)).toHaveLength(1);
  }, 30_000);

  it.each([
    ['process ids', OWN_PIDS],
    ['process ids and a network', OWN_NETWORK],
  ])(
    'of two containers with %s of their own that share the folder, one gets it',
    async (_, container) => {
      if (!canUnshare(container)) return;
      const folder = await trial.folder();
      const first = await holder(folder, container);
      // In each the program has the same process id.
      const second = await holder(folder, container);
      expect([first.says, second.says]).toEqual(['held', 'RXF_KAFKA_UNREACHABLE']);
      await kill(first.child);
      const third = await holder(folder, container);
      expect(third.says).toBe('held');
    },
    60_000,
  );

  it('of many that open it at once, at most one gets it', async () => {
    const folder = await trial.folder();
    const logs = Array.from({ length: 8 }, () => trial.log(folder));
    const outcomes = await Promise.allSettled(logs.map((log) => log.append('chat', ['a'])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    await Promise.all(logs.map((log) => log.close()));
    expect(await locks(folder)).toEqual([]);
    const next = trial.log(folder);
    await next.append('chat', ['b']);
    expect(await next.recordCount('chat')).toBeLessThanOrEqual(2);
  });

  it('takes over what a dead process has left, whatever its id was', async () => {
    const folder = await trial.folder();
    for (const name of [`lock-${process.pid}-earlier`, 'lock-1-x', 'lock-0123.sock']) {
      await writeFile(join(folder, name), '');
    }
    await trial.log(folder).append('chat', ['a']);
    expect(await locks(folder)).toHaveLength(1);
  });

  it('holds in a folder whose path is longer than a socket may have', async () => {
    const folder = join(await trial.folder(), 'deep'.repeat(20), 'deep'.repeat(20));
    const first = trial.log(folder);
    await first.append('chat', ['a']);
    const second = trial.log(folder);
    await expect(second.append('chat', ['b'])).rejects.toMatchObject(taken);
    await first.close();
    await second.append('chat', ['b']);
    expect(await locks(folder)).toHaveLength(1);
  });

  it('says so where the folder cannot be written', async () => {
    const folder = await trial.folder();
    await mkdir(join(folder, 'log'));
    await chmod(join(folder, 'log'), 0o555);
    const isRoot = process.getuid?.() === 0;
    await chmod(folder, 0o755);
    if (isRoot) process.seteuid?.(65_534);
    try {
      const log = trial.log(join(folder, 'log'));
      await expect(log.append('chat', ['a'])).rejects.toThrow(/EACCES.*can be written/s);
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(join(folder, 'log'), 0o755);
    }
  });
});
