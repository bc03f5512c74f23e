import { defer, from, map, type Observable, type ObservableInput, of, tap } from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { SinkError } from '../../core/errors.js';
import { Monitor } from '../../core/monitor.js';
import type { RehearsedSink, SinkRehearsal } from '../../delivery/rehearsal.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { FileSystem, FileWriter } from '../../ports/file-system.js';
import type { CheckedOptions, FileSinkOptions } from './options.js';
import { deepestFolder } from './probe.js';

/** How a plan measures a file sink without a byte at where it writes. `make` is the sink itself. */
export function rehearsalOf<T>(
  fs: FileSystem,
  { root, roll, chunk, maxOpenFiles }: CheckedOptions<T>,
  options: FileSinkOptions<T>,
  make: (fs: FileSystem, options: FileSinkOptions<T>) => { readonly offsetStore: OffsetStore; write(): RehearsedSink },
): SinkRehearsal {
  const elsewhere = (files: FileSystem, folder: string): RehearsedSink =>
    make(files, { ...options, root: folder, monitor: new Monitor() }).write();
  return {
    root,
    roll,
    chunk,
    maxOpenFiles,
    inMemory: () => elsewhere(discardingFiles(fs), root),
    inFolder: (folder, called) => elsewhere(timedFiles(fs, called), folder),
    elsewhere: (folder, monitor) => {
      const { offsetStore, write } = make(fs, { ...options, root: folder, ...(monitor && { monitor }) });
      return { offsetStore, write: write() };
    },
    scratch: (name) => defer(() => from(deepestFolder(fs, root))).pipe(map((folder) => `${folder}/${name}`)),
    read: (path, maxBytes) => from(fs.read(path, maxBytes)),
    removeFolder: (folder) => from(fs.remove(folder)),
  };
}

/** A file system that takes everything at once, and keeps nothing. It has the names that the real one can hold. */
function discardingFiles(fs: FileSystem): FileSystem {
  return {
    name: 'a rehearsal',
    pathProblem: (path) => fs.pathProblem(path),
    makeFolder: () => of(undefined),
    create: () => {
      let bytes = 0;
      return {
        write: (chunk) => {
          bytes += chunk.length;
          return of(undefined);
        },
        close: () => of({ bytes }),
        abort: () => undefined,
      };
    },
    rename: () => of('renamed' as const),
    publish: () => of('renamed' as const),
    status: () => of(null),
    list: () => of([]),
    read: (path) => {
      throw new SinkError('RXF_FILES_MISSING', `There is no file ${path} in a rehearsal, which keeps none.`);
    },
    remove: () => of(false),
  };
}

/** The same file system, whose calls are timed, from the call to its answer. */
function timedFiles(fs: FileSystem, called: (call: string, ms: number) => void): FileSystem {
  const timed = <R>(call: string, answer: () => ObservableInput<R>): Observable<R> =>
    defer(() => {
      const since = monotonicMs();
      return from(answer()).pipe(tap({ complete: () => called(call, monotonicMs() - since) }));
    });
  return {
    name: fs.name,
    pathProblem: (path) => fs.pathProblem(path),
    makeFolder: (path) => timed('makeFolder', () => fs.makeFolder(path)),
    create: (path): FileWriter => {
      called('create', 0);
      const writer = fs.create(path);
      return {
        write: (chunk) => timed('write', () => writer.write(chunk)),
        close: () => timed('close', () => writer.close()),
        abort: () => writer.abort(),
      };
    },
    rename: (source, target) => timed('rename', () => fs.rename(source, target)),
    publish: (source, target) => timed('publish', () => fs.publish(source, target)),
    status: (path) => timed('status', () => fs.status(path)),
    list: (folder) => timed('list', () => fs.list(folder)),
    read: (path, maxBytes) => timed('read', () => fs.read(path, maxBytes)),
    remove: (path) => timed('remove', () => fs.remove(path)),
  };
}
