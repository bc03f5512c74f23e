import { concat, defer, from, ignoreElements, NEVER, Observable, type ObservableInput, Subject } from 'rxjs';
import type { FileSystem, FileWriter } from '../../src/ports/file-system.js';

/** A file system whose process dies at a call: before it is carried out, or after it, and no call answers from then on. */
export function crashingFiles(fs: FileSystem, at: number, when: 'before' | 'after') {
  const crashed$ = new Subject<void>();
  let calls = 0;
  let isDead = false;
  const die = () => {
    isDead = true;
    crashed$.next();
  };
  const stepped = <R>(call: () => ObservableInput<R>): Observable<R> =>
    defer(() => {
      if (isDead) return NEVER;
      calls += 1;
      if (calls !== at) return from(call());
      if (when === 'before') {
        die();
        return NEVER;
      }
      return concat(
        from(call()).pipe(ignoreElements()),
        new Observable<never>(() => {
          die();
        }),
      );
    });
  const files: FileSystem = {
    name: fs.name,
    pathProblem: (path) => fs.pathProblem(path),
    makeFolder: (path) => stepped(() => fs.makeFolder(path)),
    create: (path): FileWriter => {
      const writer = fs.create(path);
      return {
        write: (chunk) => stepped(() => writer.write(chunk)),
        close: () => stepped(() => writer.close()),
        abort: () => {
          if (!isDead) writer.abort();
        },
      };
    },
    rename: (source, target) => stepped(() => fs.rename(source, target)),
    publish: (source, target) => stepped(() => fs.publish(source, target)),
    status: (path) => stepped(() => fs.status(path)),
    list: (folder) => stepped(() => fs.list(folder)),
    read: (path, maxBytes) => stepped(() => fs.read(path, maxBytes)),
    remove: (path) => stepped(() => fs.remove(path)),
  };
  return { files, crashed$: crashed$ as Observable<void>, calls: () => calls };
}
