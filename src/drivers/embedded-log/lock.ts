import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, realpath, rm, symlink, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectError } from '../../core/errors.js';
import { namesIn } from './durable-file.js';

/** What a path of a socket may have in bytes: 108 on Linux, 104 elsewhere, with an end. */
const MAX_SOCKET_PATH = 103;
const CLAIM = /^lock-.+/;
/** What a connection to a claim ends with whose process is dead, or that was taken back meanwhile. */
const GONE = ['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'];

/** Gives the folder free; never fails. */
export type Unlock = () => Promise<void>;

/**
 * Claims a folder for this process. A claim is a socket `lock-<token>.sock` in the folder that this process listens on: it
 * is laid down first, and then a process that finds another claim beside it that takes connections takes its own back, so that
 * two never both go on. A process that is dead takes none: the kernel
 * knows that, whatever the process's id was and in which container. What it leaves behind is removed.
 *
 * Bounds: holds among all processes of one kernel, containers included; not among machines that share a disk.
 * Fails: `RXF_KAFKA_UNREACHABLE`, not retryable, where another has the folder.
 * Source: unix(7).
 */
export async function lockFolder(folder: string): Promise<Unlock> {
  if (process.platform === 'win32') return claim(await pipeOf(folder), folder);
  const short = await shortened(folder);
  const name = `lock-${randomBytes(6).toString('hex')}.sock`;
  let unlock: Unlock | undefined;
  try {
    unlock = await claim(join(short.folder, name), folder);
    for (const other of await namesIn(folder)) {
      if (!CLAIM.test(other) || other === name) continue;
      if (await isTaken(join(short.folder, other))) throw taken(folder, other);
      await unlink(join(folder, other)).catch(() => undefined);
    }
  } catch (error) {
    await unlock?.();
    await short.free();
    throw error;
  }
  return async () => {
    await unlock();
    await unlink(join(folder, name)).catch(() => undefined);
    await short.free();
  };
}

/** Listens there until it is given free, or the process ends. */
async function claim(path: string, folder: string): Promise<Unlock> {
  const server = createServer((socket) => socket.destroy());
  await listening(server, path, folder);
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
    });
}

function listening(server: Server, path: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? taken(folder, path) : noSocket(error, folder));
    });
    // Of a cluster's worker, and not of its primary, which would live on.
    server.listen({ path, exclusive: true }, resolve);
  });
}

/** Whether somebody listens there. What cannot be determined counts as taken. */
function isTaken(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (isSo: boolean) => {
      socket.destroy();
      resolve(isSo);
    };
    socket.once('connect', () => end(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(!GONE.includes(code ?? '')));
  });
}

/** A way to the folder that is short enough for a socket's path. */
async function shortened(folder: string): Promise<{ readonly folder: string; free(): Promise<void> }> {
  if (Buffer.byteLength(join(folder, 'lock-0123456789ab.sock')) <= MAX_SOCKET_PATH) {
    return { folder, free: async () => undefined };
  }
  if (process.platform === 'linux') {
    const handle = await open(folder, 'r');
    return { folder: `/proc/self/fd/${handle.fd}`, free: () => handle.close().catch(() => undefined) };
  }
  const links = await mkdtemp(join(tmpdir(), 'rxf-'));
  await symlink(await realpath(folder), join(links, 'l'));
  return { folder: join(links, 'l'), free: () => rm(links, { recursive: true, force: true }).catch(() => undefined) };
}

/** Windows has pipes, which have names of their own and end with their process. */
async function pipeOf(folder: string): Promise<string> {
  const of = createHash('sha256').update((await realpath(folder)).toLowerCase());
  return `\\\\.\\pipe\\rxflume-log-${of.digest('hex').slice(0, 32)}`;
}

function taken(folder: string, claimed: string): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_UNREACHABLE',
    `The embedded log in ${folder} is open in another process, or by another embeddedLog of this one, and only one may write it. ` +
      `Stop that one, or use another folder. The process that listens on ${claimed} has it (find it with \`ss -xlp\` or \`lsof -U\`).`,
    { retryable: false, details: { folder, claim: claimed } },
  );
}

function noSocket(error: NodeJS.ErrnoException, folder: string): Error {
  const isOfDisk = ['EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EINVAL'].includes(error.code ?? '');
  if (!isOfDisk) return error;
  return new ConnectError(
    'RXF_KAFKA_UNREACHABLE',
    `Cannot lock the embedded log in ${folder}: no socket can be made there (${error.code}), which is how it is kept from being ` +
      'written by two. Put it on a disk of this machine instead of a network or host share.',
    { retryable: false, details: { folder }, cause: error },
  );
}
