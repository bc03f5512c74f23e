import { catchError, defer, type Observable, throwError } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileStatus, FileSystem, FileWriter } from '../../ports/file-system.js';
import { type Call, call, type Steps } from './call.js';
import type { Collector } from './collector.js';
import type { Verb } from './schedule.js';

/** What is watched of the files while they are used. */
export interface FileWatch {
  /** Bytes go into a file at this path. */
  written(path: string): void;
  /** A file is about to be moved. */
  moved(from: string, to: string): void;
  /** A file is about to get a second name. */
  named(from: string, to: string): void;
  /** What is at this path, or in this folder, is about to be removed. */
  removed(path: string): void;
}

/** The files as one collector reaches them: each call is a step. */
export function gatedFiles(fs: FileSystem, recorder: FileWatch, steps: Steps, collector: Collector): FileSystem {
  const make = <T>(verb: Verb, words: string, carryOut: Call<T>['carryOut']): Observable<T> =>
    call(steps, collector, { verb, words, carryOut, failure: unreachable });
  return {
    name: fs.name,
    pathProblem: (path) => fs.pathProblem(path),
    makeFolder: (path) => make('makeFolder', `makeFolder ${path}`, () => fs.makeFolder(path)),
    create: (path) => new GatedWriter(path, fs.create(path), recorder, collector, make),
    rename: (from, to) =>
      make('rename', `rename ${from} -> ${to}`, () => {
        recorder.moved(from, to);
        return fs.rename(from, to);
      }),
    publish: (from, to) =>
      make('rename', `publish ${from} -> ${to}`, () => {
        recorder.moved(from, to);
        return fs.publish(from, to);
      }),
    status: (path): Observable<FileStatus | null> => make('status', `status ${path}`, () => fs.status(path)),
    list: (folder) => make('list', `list ${folder}`, () => fs.list(folder)),
    read: (path, maxBytes) => make('read', `read ${path}`, () => fs.read(path, maxBytes)),
    remove: (path) =>
      make('remove', `remove ${path}`, () => {
        recorder.removed(path);
        return fs.remove(path);
      }),
  };
}

type Make = <T>(verb: Verb, words: string, carryOut: Call<T>['carryOut']) => Observable<T>;

/** A writer whose connection is gone after the first call that fails: what it had on its way may still arrive. */
class GatedWriter implements FileWriter {
  readonly #path: string;
  readonly #writer: FileWriter;
  readonly #recorder: FileWatch;
  readonly #collector: Collector;
  readonly #make: Make;
  #failure: unknown;

  constructor(path: string, writer: FileWriter, recorder: FileWatch, collector: Collector, make: Make) {
    this.#path = path;
    this.#writer = writer;
    this.#recorder = recorder;
    this.#collector = collector;
    this.#make = make;
  }

  write(chunk: Uint8Array): Observable<unknown> {
    const sent = chunk.slice();
    return this.#unlessBroken('write', `write ${this.#path} (${sent.length} bytes)`, () => {
      this.#recorder.written(this.#path);
      return this.#writer.write(sent);
    });
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#unlessBroken('close', `close ${this.#path}`, () => this.#writer.close());
  }

  abort(): void {
    // After a failure its connection is gone, and with it the way to take back what is on its way.
    if (this.#failure === undefined) this.#collector.gate.pass(() => this.#writer.abort());
  }

  #unlessBroken<T>(verb: Verb, words: string, carryOut: Call<T>['carryOut']): Observable<T> {
    return defer(() =>
      this.#failure === undefined ? this.#make(verb, words, carryOut) : throwError(() => this.#failure),
    ).pipe(
      catchError((error: unknown) => {
        this.#failure ??= error;
        return throwError(() => error);
      }),
    );
  }
}

function unreachable(words: string): SinkError {
  return new SinkError('RXF_FILES_UNREACHABLE', `No answer to ${words}: the connection was lost.`);
}
