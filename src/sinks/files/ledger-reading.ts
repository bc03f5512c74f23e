import { catchError, concatMap, forkJoin, from, map, mergeMap, type Observable, of, throwError, toArray } from 'rxjs';
import { describeError, SinkError } from '../../core/errors.js';
import type { FileStatus, FileSystem } from '../../ports/file-system.js';
import { LEDGER_RULES } from './ledger.js';
import type { EntryReading, LedgerReading, TemporaryReading } from './ledger-audit.js';
import { LedgerStore, one } from './ledger-store.js';
import { lengthsOf } from './lengths.js';
import { ledgerFolder, OWN_FOLDER, offsetOfText, streamSegment, temporaryFolder } from './names.js';

/** Entries read, and folders of temporary files listed, side by side. */
const READ_AT_ONCE = 4;

/** The streams that have a ledger under a sink's root, and the names there that stand for no stream. */
export interface LedgerStreams {
  readonly streams: readonly string[];
  readonly others: readonly string[];
}

export function ledgerStreams(fs: FileSystem, root: string): Observable<LedgerStreams> {
  return one(() => fs.list(`${root}/${OWN_FOLDER}/ledger`)).pipe(
    map((found) => {
      const names = found.map(({ path, kind }) => ({ name: nameOf(path), kind }));
      const isStream = ({ name, kind }: (typeof names)[number]) => kind === 'folder' && streamOf(name) !== null;
      return {
        streams: names.filter(isStream).map(({ name }) => streamOf(name) as string),
        others: names.filter((one) => !isStream(one)).map(({ name }) => name),
      };
    }),
  );
}

/**
 * Reads all that stands of one stream's ledger: its entries, its temporary files, and the lengths of the files that the
 * entries name. Changes nothing, so it may be read while flows run.
 *
 * Bounds: in memory the entries of the stream (the sink keeps about a hundred, each of at most 16 MiB) and one folder's
 * listing for each call under way; four entries or folders at once, see `lengthsOf` for the files.
 * Fails: as the file system does. An entry that cannot be used is part of what was read.
 */
export function readLedger(fs: FileSystem, root: string, stream: string): Observable<LedgerReading> {
  const store = new LedgerStore(fs, root, LEDGER_RULES);
  const entries$ = one(() => fs.list(ledgerFolder(root, stream))).pipe(
    concatMap((found) => found),
    mergeMap((status) => readEntryAt(store, stream, status), READ_AT_ONCE),
    toArray(),
  );
  return entries$.pipe(
    concatMap((entries) => forkJoin({ entries: of(entries), temporaries: readTemporaries(fs, root, stream) })),
    concatMap(({ entries, temporaries }) => {
      const files = entries.flatMap((one) => ('entry' in one ? one.entry.files : []));
      return lengthsOf(
        fs,
        files.map(({ final }) => `${root}/${final}`),
      ).pipe(map((finals) => ({ root, stream, entries, temporaries, finals })));
    }),
  );
}

function readEntryAt(store: LedgerStore, stream: string, { path, modifiedMs }: FileStatus): Observable<EntryReading> {
  const offset = offsetOfText(nameOf(path));
  if (offset === null) return from([]);
  return store.read(stream, offset).pipe(
    // One that is folded away meanwhile is no part of it any more.
    concatMap((entry) => (entry === null ? [] : [{ from: offset, path, modifiedMs, entry }])),
    catchError((error: unknown) => {
      const damage = damageOf(error);
      return damage === null ? throwError(() => error) : of({ from: offset, path, modifiedMs, damage });
    }),
  );
}

/** What is wrong with an entry itself; null where it could not be looked at. */
function damageOf(error: unknown): string | null {
  if (!(error instanceof SinkError)) return null;
  if (error.code === 'RXF_LEDGER_DAMAGED') return describeError(error.cause);
  return error.code === 'RXF_FILES_PROTOCOL' ? describeError(error) : null;
}

function readTemporaries(fs: FileSystem, root: string, stream: string): Observable<TemporaryReading[]> {
  return one(() => fs.list(temporaryFolder(root, stream))).pipe(
    concatMap((folders) => folders),
    mergeMap((folder) => {
      const offset = offsetOfText(nameOf(folder.path));
      if (offset === null || folder.kind !== 'folder') return from([]);
      return one(() => fs.list(folder.path)).pipe(
        concatMap((found) =>
          found
            .filter(({ kind }) => kind === 'file')
            .map(({ path, bytes }): TemporaryReading => ({ from: offset, path, bytes })),
        ),
      );
    }, READ_AT_ONCE),
    toArray(),
  );
}

/** The stream that a name made by `streamSegment` stands for, or null. */
function streamOf(segment: string): string | null {
  try {
    const encoded = encodeURIComponent(segment).replaceAll('%3D', '%').replaceAll('%2B', ':').replaceAll('~', '/');
    const stream = decodeURIComponent(encoded);
    return streamSegment(stream) === segment ? stream : null;
  } catch {
    return null;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
