import { gunzipSync, inflateSync } from 'node:zlib';
import { concat, concatMap, EMPTY, from, map, type Observable, of } from 'rxjs';
import { OptionError } from '../core/errors.js';
import { expectFunction, expectKnown, expectOption } from '../core/options.js';
import { MiB } from '../core/units.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import { jsonLines } from '../formats/json-lines.js';
import type { FileStatus, FileSystem } from '../ports/file-system.js';
import { one } from '../sinks/files/file-calls.js';
import { fileSink } from '../sinks/files/file-sink.js';
import type { DeadLetterStore, StoredLine } from './dead-letter-store.js';

export interface DeadLetterFolderOptions {
  /** The folder that a file sink writes dead letters to, with `jsonLines()`: an absolute path. */
  readonly root: string;
}

const MAX_FILE_BYTES = 256 * MiB;
/** Where replays are written down, below the root. */
const REPLAYS = '_replays';

/**
 * Dead letters in the files below a folder: JSON lines, plain or compressed with gzip or deflate. Which of them were replayed is kept
 * in `_replays` below it.
 *
 * ```ts
 * import { deadLetterFolder } from 'rxflume/dead-letters';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * export const bad = deadLetterFolder(localDisk(), { root: '/srv/lake/chat-bad' });
 * ```
 *
 * Bounds: one file in memory, of 256 MiB.
 * Fails: `OptionError` where there is no such folder, it is below one or above one whose letters were replayed by themselves, or a
 * file is something else; as the file system does.
 */
export function deadLetterFolder(fs: FileSystem, options: DeadLetterFolderOptions): DeadLetterStore {
  expectFunction('fs.create', fs?.create);
  expectKnown('deadLetterFolder options', options, ['root']);
  const { root: given } = options;
  const isAbsolute = typeof given === 'string' && /^\/[^\0]*$/.test(given) && !given.split('/').includes('..');
  expectOption('root', given, isAbsolute, 'an absolute path without `..`');
  const root = given.replace(/\/+$/, '');
  return {
    name: `${root === '' ? '/' : root} on ${fs.name}`,
    lines: () => concat(expectAlone(fs, root), linesBelow(fs, root)),
    replays: { fs, folder: `${root}/${REPLAYS}` },
    again: () => fileSink<DeadLetter>(fs, { root, format: jsonLines() }).write(),
  };
}

/** Two records of what was replayed would replay a letter twice. */
function expectAlone(fs: FileSystem, root: string): Observable<never> {
  const names = root.split('/').slice(1, -1);
  const above = names.map((_, at) => `/${names.slice(0, at + 1).join('/')}/${REPLAYS}`);
  return from(above).pipe(
    concatMap((path) => one(() => fs.status(path))),
    concatMap((found) => {
      if (found === null) return EMPTY;
      const whole = found.path.slice(0, -REPLAYS.length - 1);
      throw wrong(
        `The dead letters of ${root} are a part of those of ${whole} on ${fs.name}, which has the record of what was replayed. Give ` +
          `${whole}, and choose by \`stream\`, \`code\` or \`since\`.`,
      );
    }),
  );
}

/** The lines of all files below a folder, but for those whose names begin with `_` or `.`. */
export function linesBelow(fs: FileSystem, root: string): Observable<StoredLine> {
  return one(() => fs.status(root === '' ? '/' : root)).pipe(
    concatMap((found) => {
      if (found === null) throw wrong(`Nothing exists at ${root} on ${fs.name}.`, { missing: root });
      return found.kind === 'file' ? of(found) : filesIn(fs, root, root);
    }),
    concatMap((file) => linesOf(fs, root, file)),
  );
}

function filesIn(fs: FileSystem, root: string, folder: string): Observable<FileStatus> {
  return one(() => fs.list(folder === '' ? '/' : folder)).pipe(
    concatMap((found) => [...found].sort((a, b) => (a.path < b.path ? -1 : 1))),
    concatMap((entry) => {
      const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
      if (name === REPLAYS && folder !== root) {
        throw wrong(
          `The dead letters of ${folder} on ${fs.name} were replayed by themselves, with a record of their own. Give ${folder}, or ` +
            `move its files elsewhere to replay them with all of ${root} a second time.`,
        );
      }
      if (/^[_.]/.test(name)) return EMPTY;
      return entry.kind === 'folder' ? filesIn(fs, root, entry.path) : of(entry);
    }),
  );
}

function linesOf(fs: FileSystem, root: string, { path, modifiedMs }: FileStatus): Observable<StoredLine> {
  return one(() => fs.read(path, MAX_FILE_BYTES)).pipe(
    concatMap((bytes) => {
      const file = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
      const lines = textOf(path, bytes).split('\n');
      return from(lines).pipe(
        map((text, at) => ({ file, line: at + 1, text, modifiedMs })),
        concatMap((line) => (line.text === '' ? EMPTY : of(line))),
      );
    }),
  );
}

function textOf(path: string, bytes: Uint8Array): string {
  const limit = { maxOutputLength: MAX_FILE_BYTES };
  if (path.endsWith('.gz')) return gunzipSync(bytes, limit).toString();
  if (path.endsWith('.deflate')) return inflateSync(bytes, limit).toString();
  if (/\.(jsonl?|ndjson|txt)$/.test(path)) return Buffer.from(bytes).toString();
  throw wrong(`Cannot read ${path}: expected JSON lines, plain or compressed with gzip or deflate.`);
}

function wrong(message: string, details: Readonly<Record<string, string>> = {}): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message, { details });
}
