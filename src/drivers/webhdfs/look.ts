import { SinkError } from '../../core/errors.js';
import { isWellFormed } from '../../core/text.js';
import type { FoundFile } from '../../ports/file-input.js';
import type { FileStatus } from '../../ports/file-system.js';
import type { Reply } from './call.js';
import { type Asks, rejection } from './name-nodes.js';
import { codeOf, notUnderstood, parseJson, type RemoteException } from './remote-exception.js';

/** What is at a path, or null. */
export async function lookAt(
  nameNodes: Asks,
  path: string,
  doing: string,
  signal: AbortSignal,
): Promise<FileStatus | null> {
  return findAt(nameNodes, path, doing, signal, fileStatus);
}

/** The same, with the id that HDFS gives a file. */
export async function lookForFile(nameNodes: Asks, path: string, signal: AbortSignal): Promise<FoundFile | null> {
  return findAt(nameNodes, path, `look at ${path}`, signal, foundFile);
}

async function findAt<T>(
  nameNodes: Asks,
  path: string,
  doing: string,
  signal: AbortSignal,
  statusOf: (row: unknown, path: string, reply: Reply) => T,
): Promise<T | null> {
  // No URL can name it, and nothing is there.
  if (!isWellFormed(path)) return null;
  const reply = await nameNodes.ask({ method: 'GET', op: 'GETFILESTATUS', path, doing }, signal);
  if (reply.remote) {
    if (isAbsent(reply.remote)) return null;
    throw rejection(reply);
  }
  return statusOf(jsonOf(reply).FileStatus, path, reply);
}

/** Where a file is that was to be moved. */
export interface Whereabouts {
  readonly source: FileStatus | null;
  readonly target: FileStatus | null;
}

/**
 * Where a file is that a request of ours may move meanwhile: one that lost its answer may still be carried out. The
 * answer was true at one moment. Looked at side by side, a file that is moved in between would seem to be at both names, or at
 * neither; so first the source, and again where both seem to exist.
 */
export async function lookAtMove(
  nameNodes: Asks,
  from: string,
  to: string,
  doing: string,
  signal: AbortSignal,
): Promise<Whereabouts> {
  const source = await lookAt(nameNodes, from, doing, signal);
  const target = await lookAt(nameNodes, to, doing, signal);
  const isBoth = source !== null && target !== null;
  return { source: isBoth ? await lookAt(nameNodes, from, doing, signal) : source, target };
}

/** What a folder holds, by name; empty where there is no such folder. */
export async function listFolder(nameNodes: Asks, path: string, signal: AbortSignal): Promise<FileStatus[]> {
  return findIn(nameNodes, path, signal, fileStatus);
}

/** The same, with the id that HDFS gives each file. */
export async function scanFolder(nameNodes: Asks, path: string, signal: AbortSignal): Promise<FoundFile[]> {
  return findIn(nameNodes, path, signal, foundFile);
}

async function findIn<T extends FileStatus>(
  nameNodes: Asks,
  path: string,
  signal: AbortSignal,
  statusOf: (row: unknown, path: string, reply: Reply) => T,
): Promise<T[]> {
  if (!isWellFormed(path)) return [];
  const reply = await nameNodes.ask({ method: 'GET', op: 'LISTSTATUS', path, doing: `list ${path}` }, signal);
  if (reply.remote) {
    if (isAbsent(reply.remote)) return [];
    throw rejection(reply);
  }
  const rows = (jsonOf(reply).FileStatuses as { FileStatus?: unknown } | null | undefined)?.FileStatus;
  if (!Array.isArray(rows)) throw notUnderstood(reply.answer, reply.attempt);
  const folder = path === '/' ? '' : path.replace(/\/+$/, '');
  return (
    rows
      // Asked for a file, a NameNode lists the file itself, without a name.
      .filter((row) => row?.pathSuffix !== '')
      .map((row) => statusOf(row, `${folder}/${row?.pathSuffix}`, reply))
      .sort((one, other) => (one.path < other.path ? -1 : 1))
  );
}

/** Whether nobody writes the file any more. GETFILESTATUS does not tell; this is what the WebHDFS of Hadoop's own client asks. */
export async function isClosed(nameNodes: Asks, path: string, doing: string, signal: AbortSignal): Promise<boolean> {
  const reply = await nameNodes.ask({ method: 'GET', op: 'GET_BLOCK_LOCATIONS', path, doing }, signal);
  if (reply.remote) throw rejection(reply);
  const blocks = jsonOf(reply).LocatedBlocks as { isUnderConstruction?: unknown } | null | undefined;
  return blocks?.isUnderConstruction === false;
}

/** The answer of an operation that says only whether it did something: HTTP 200 says nothing yet. */
export function booleanOf(reply: Reply): boolean {
  const value = jsonOf(reply).boolean;
  if (typeof value !== 'boolean') throw notUnderstood(reply.answer, reply.attempt);
  return value;
}

function isAbsent(remote: RemoteException): boolean {
  const code = codeOf(remote);
  return code === 'RXF_FILES_MISSING' || code === 'RXF_FILES_NAME' || remote.name === 'ParentNotDirectoryException';
}

function jsonOf(reply: Reply): Record<string, unknown> {
  const json = reply.answer.status === 200 ? parseJson(reply.answer.body) : null;
  if (json === null) throw notUnderstood(reply.answer, reply.attempt);
  return json;
}

function fileStatus(row: unknown, path: string, reply: Reply): FileStatus {
  const { type, length, modificationTime } = (row ?? {}) as Record<string, unknown>;
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || typeof modificationTime !== 'number') {
    const message = `Could not ${reply.attempt.doing} on ${reply.attempt.at}: no length or time in the answer for ${path}.`;
    throw new SinkError('RXF_FILES_PROTOCOL', message, { details: { path, at: reply.attempt.at } });
  }
  const kind = type === 'DIRECTORY' ? 'folder' : 'file';
  return { path, kind, bytes: kind === 'folder' ? 0 : length, modifiedMs: modificationTime };
}

/** HttpFS of Hadoop 2 gives no id, and a NameNode 0 where it has none. */
function foundFile(row: unknown, path: string, reply: Reply): FoundFile {
  const { fileId } = (row ?? {}) as Record<string, unknown>;
  const status = fileStatus(row, path, reply);
  return typeof fileId === 'number' && fileId > 0 ? { ...status, id: fileId.toString(36) } : status;
}
