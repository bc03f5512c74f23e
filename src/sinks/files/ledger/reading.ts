import {
  catchError,
  concatMap,
  forkJoin,
  from,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  throwError,
  toArray,
} from 'rxjs';
import { describeError, SinkError } from '../../../core/errors.js';
import type { FileStatus, FileSystem } from '../../../ports/file-system.js';
import { one, readOrNull } from '../file-calls.js';
import {
  isReason,
  ledgerFolder,
  nameOf,
  OWN_FOLDER,
  offsetOfText,
  quarantineFolder,
  reasonPath,
  streamOfSegment,
  streamSegment,
  temporaryFolder,
} from '../names.js';
import { type LedgerEntry, MAX_READ_BYTES } from './entry.js';
import { lengthsOf } from './lengths.js';
import { type QuarantineReason, readReason } from './quarantine.js';
import { LEDGER_RULES } from './rules.js';
import { LedgerStore } from './store.js';

/** An entry as it is in the ledger: read, or with what is wrong with it. */
export type EntryReading = {
  readonly from: number;
  readonly path: string;
  readonly modifiedMs: number;
} & ({ readonly entry: LedgerEntry } | { readonly damage: string });

/** A file under `_rxflume/tmp`, of the commit that begins at `from`. */
export interface TemporaryReading {
  readonly from: number;
  readonly path: string;
  readonly bytes: number;
}

/** A file that could not be made visible, with the reason that was written beside it, where that can be read. */
export interface QuarantineReading {
  readonly path: string;
  readonly bytes: number;
  readonly reason: QuarantineReason | null;
}

/** What was found of one stream; all paths are full. */
export interface LedgerReading {
  /** The sink's root. */
  readonly root: string;
  readonly stream: string;
  readonly entries: readonly EntryReading[];
  /** The temporary files, looked at before the final ones: a file that is published meanwhile is seen in one of the two. */
  readonly temporaries: readonly TemporaryReading[];
  /** The length of each file named by an entry that is at its final path. */
  readonly finals: ReadonlyMap<string, number>;
  readonly quarantined: readonly QuarantineReading[];
}

/** Entries read, and folders of temporary files listed, side by side. */
const READ_AT_ONCE = 4;

/** The streams that have a ledger under a sink's root, and the names there that stand for no stream. */
export interface LedgerStreams {
  readonly streams: readonly string[];
  readonly others: readonly string[];
}

export function ledgerStreams(fs: FileSystem, root: string): Observable<LedgerStreams> {
  const found$ = (folder: string) =>
    one(() => fs.list(`${root}/${OWN_FOLDER}/${folder}`)).pipe(concatMap((found) => found));
  return merge(found$('ledger'), found$('quarantine')).pipe(
    mergeMap(
      (status) => streamIn(fs, status).pipe(map((stream) => ({ stream, name: nameOf(status.path) }))),
      READ_AT_ONCE,
    ),
    toArray(),
    map((all) => ({
      streams: [...new Set(all.flatMap(({ stream }) => stream ?? []))],
      others: all.filter(({ stream }) => stream === null).map(({ name }) => name),
    })),
  );
}

/** The stream whose folder it is, or null. The name of one that was cut does not say; an entry, or a reason, does. */
function streamIn(fs: FileSystem, { path, kind }: FileStatus): Observable<string | null> {
  const segment = nameOf(path);
  const stream = streamOfSegment(segment);
  if (kind !== 'folder' || stream !== null) return of(kind === 'folder' ? stream : null);
  return one(() => fs.list(path)).pipe(
    concatMap((found) => {
      const named = found.findLast((file) => offsetOfText(nameOf(file.path)) !== null || isReason(file.path));
      return named === undefined ? of(null) : readOrNull(fs, named.path, MAX_READ_BYTES);
    }),
    map((bytes) => {
      const named = bytes && streamNamed(bytes);
      return named !== null && streamSegment(named) === segment ? named : null;
    }),
  );
}

function streamNamed(bytes: Uint8Array): string | null {
  try {
    const { stream } = JSON.parse(new TextDecoder().decode(bytes)) as { stream?: unknown };
    return typeof stream === 'string' ? stream : null;
  } catch {
    return null;
  }
}

/**
 * Reads all that exists of one stream's ledger: its entries, its temporary files, and the lengths of the files that the
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
      ).pipe(
        // Last: what is moved here meanwhile was seen at its temporary path.
        concatMap((finals) =>
          readQuarantine(fs, root, stream).pipe(
            map((quarantined) => ({ root, stream, entries, temporaries, finals, quarantined })),
          ),
        ),
      );
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

/** The most bytes a reason may have. */
const MAX_REASON_BYTES = 64 * 1_024;

function readQuarantine(fs: FileSystem, root: string, stream: string): Observable<QuarantineReading[]> {
  return one(() => fs.list(quarantineFolder(root, stream))).pipe(
    concatMap((found) => found.filter(({ path, kind }) => kind === 'file' && !isReason(path))),
    mergeMap(
      ({ path, bytes }) =>
        readOrNull(fs, reasonPath(path), MAX_REASON_BYTES).pipe(
          map((reason): QuarantineReading => ({ path, bytes, reason: reason && readReason(reason) })),
        ),
      READ_AT_ONCE,
    ),
    toArray(),
  );
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
