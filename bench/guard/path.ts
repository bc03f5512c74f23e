import { fileSink, flow, kafkaSource, MiB, Monitor, text } from 'rxflume';
import { drainOn, filterValue, mapValue } from 'rxflume/operators';
import { memoryFileSystem } from 'rxflume/testing';
import { Subject } from 'rxjs';
import { replay } from './replay.js';

export interface Passed {
  readonly records: number;
  /** Calls of the two ports. */
  readonly calls: number;
}

/** So many records the whole way, from a fetch in memory to files in memory, exactly-once. */
export function pass(records: number, monitor = new Monitor()): Promise<Passed> {
  return new Promise((resolve, reject) => {
    const { driver, calls } = replay(records);
    const fs = memoryFileSystem();
    const lake = fileSink<Buffer | null>(fs, { root: '/lake', format: text(), roll: { bytes: 8 * MiB }, monitor });
    const stop$ = new Subject<void>();
    const source = kafkaSource(driver, { topics: ['replay'], groupId: 'guard', resumeFrom: lake.offsetStore, monitor });
    let taken = 0;
    const path = flow(
      'guard',
      source,
      mapValue((value) => value),
      filterValue((value) => {
        taken += 1;
        return value !== null;
      }),
      lake.write(),
    );
    const watching = setInterval(() => {
      if (taken >= records) stop$.next();
    }, 2);
    let values = 0;
    path.pipe(drainOn(stop$)).subscribe({
      next: (receipt) => {
        values += receipt.values;
      },
      error: reject,
      complete: () => {
        clearInterval(watching);
        resolve({ records: values, calls: calls.count + fs.calls.length });
      },
    });
  });
}
