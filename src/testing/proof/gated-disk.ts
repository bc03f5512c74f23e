import { defer, EMPTY, Observable, type ObservableInput, from as observe, Subscription } from 'rxjs';
import type { DiskFile, DiskSystem } from '../../ports/disk-system.js';
import type { MemoryDisk } from '../memory/memory-disk.js';
import { type Call, call, type Steps, through } from './call.js';
import type { Collector } from './collector.js';
import type { FileWatch } from './gated-files.js';
import type { Verb } from './schedule.js';

/**
 * The disk as one collector's driver reaches it: each call of the system that changes something is a step, a sync too. What
 * only looks is none: nothing comes between it and the next change but what the next change's step has.
 */
export function gatedDisk(disk: MemoryDisk, recorder: FileWatch, steps: Steps, collector: Collector): DiskSystem {
  const make = <T>(verb: Verb, words: string, carryOut: () => ObservableInput<T>): Observable<T> =>
    defer(() => {
      const { cuts } = disk;
      const made: Call<T> = {
        verb,
        words,
        // What was under way when the power went is not done later.
        carryOut: () => (disk.cuts === cuts ? observe(carryOut()) : EMPTY),
        failure: ioError,
      };
      return call(steps, collector, made);
    });
  const look = <T>(carryOut: () => ObservableInput<T>) => passed(collector, carryOut);
  const file = (path: string, opened: DiskFile): DiskFile => ({
    write: (chunk, from) => {
      const sent = chunk.slice();
      return make('write', `write ${path} (${sent.length} bytes)`, () => {
        recorder.written(path);
        return opened.write(sent, from);
      });
    },
    sync: () => make('sync', `fsync ${path}`, () => opened.sync()),
    close: () => make('close', `close ${path}`, () => opened.close()),
    read: (into) => look(() => opened.read(into)),
    readAt: (into, from) => look(() => opened.readAt(into, from)),
    stat: () => look(() => opened.stat()),
  });
  return {
    realpath: (path) => look(() => disk.realpath(path)),
    stat: (path) => look(() => disk.stat(path)),
    lstat: (path) => look(() => disk.lstat(path)),
    readdir: (path) => make('list', `readdir ${path}`, () => disk.readdir(path)),
    open: (path, flags) =>
      new Observable<DiskFile>((subscriber) =>
        make(flags === 'r' ? 'read' : 'write', `open ${path}`, () => disk.open(path, flags)).subscribe({
          next: (opened) => subscriber.next(flags === 'r' ? reading(opened, look) : file(path, opened)),
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      ),
    link: (from, to) =>
      make('link', `link ${from} -> ${to}`, () => {
        recorder.named(from, to);
        return disk.link(from, to);
      }),
    rename: (from, to) =>
      make('rename', `rename ${from} -> ${to}`, () => {
        recorder.moved(from, to);
        return disk.rename(from, to);
      }),
    unlink: (path) =>
      make('remove', `unlink ${path}`, () => {
        recorder.removed(path);
        return disk.unlink(path);
      }),
    mkdir: (path) => make('makeFolder', `mkdir ${path}`, () => disk.mkdir(path)),
    rm: (path) =>
      make('remove', `rm ${path}`, () => {
        recorder.removed(path);
        return disk.rm(path);
      }),
    syncFolder: (path) => make('sync', `fsync ${path}`, () => disk.syncFolder(path)),
  };
}

/** A file that is only read, whose sync is one of what another wrote. */
function reading(opened: DiskFile, look: <T>(carryOut: () => ObservableInput<T>) => Observable<T>): DiskFile {
  return {
    write: opened.write,
    read: (into) => look(() => opened.read(into)),
    readAt: (into, from) => look(() => opened.readAt(into, from)),
    stat: () => look(() => opened.stat()),
    sync: () => look(() => opened.sync()),
    close: () => look(() => opened.close()),
  };
}

/** A call that is no step: it waits where the collector is stopped, and is never answered where it is dead. */
function passed<T>({ gate }: Collector, carryOut: () => ObservableInput<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const answer = new Subscription();
    gate.pass(() => {
      answer.add(observe(carryOut()).subscribe(through(gate, subscriber)));
    });
    return answer;
  });
}

function ioError(words: string): Error {
  const syscall = words.slice(0, words.indexOf(' '));
  return Object.assign(new Error(`EIO: i/o error, ${words}`), { code: 'EIO', syscall });
}
