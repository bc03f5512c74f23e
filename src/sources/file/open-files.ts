import type { FlowSource, StreamPositions } from '../../core/flow-sources.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { FoundFile } from '../../ports/file-input.js';
import type { FileTask } from './file-task.js';
import type { FilesState } from './gauges.js';

/** What decides, beside the files themselves, what their holders are asked for. */
export interface Pressure {
  readonly isRunning: boolean;
  readonly isReplayFull: boolean;
  readonly isWindowFull: boolean;
}

/** The files that were begun and are not finished, by stream. */
export class OpenFiles<T> {
  readonly #tasks = new Map<string, FileTask<T>>();
  /** How many records the files had that are finished. */
  #doneRecords = 0;

  get size(): number {
    return this.#tasks.size;
  }

  get all(): readonly FileTask<T>[] {
    return [...this.#tasks.values()];
  }

  get isSettled(): boolean {
    for (const task of this.#tasks.values()) if (!task.isSettled) return false;
    return true;
  }

  /** How many records are out and not settled. */
  get unsettled(): number {
    let sum = 0;
    for (const { out } of this.#tasks.values()) sum += out?.unsettled ?? 0;
    return sum;
  }

  get(stream: string): FileTask<T> | undefined {
    return this.#tasks.get(stream);
  }

  add(task: FileTask<T>): void {
    this.#tasks.set(task.stream, task);
  }

  remove(task: FileTask<T>): void {
    this.#doneRecords += task.out?.watermark.readEnd ?? 0;
    this.#tasks.delete(task.stream);
  }

  /** The strongest of what holders are asked for; null for nothing. */
  wanted(pressure: Pressure): FlushSignal | null {
    const signals = this.all.map((task) => signalFor(task, pressure));
    return (['settle', 'catchUp', 'release'] as const).find((signal) => signals.includes(signal)) ?? null;
  }

  /** Asks the holders of each file for what it needs. */
  ask(pressure: Pressure): void {
    for (const task of this.all) {
      const signal = signalFor(task, pressure);
      if (signal !== null) task.out?.flush$.next(signal);
    }
  }

  /** As their flow steers them and asks them. */
  steered(pauseChanged: () => void): FlowSource {
    return {
      pauseChanged,
      settle: () => {
        for (const { out } of this.all) out?.flush$.next('settle');
      },
      positions: () => this.#positions(),
      locate: (stream, offset) => this.get(stream)?.out?.locate(offset, 0),
    };
  }

  /** An offset is the index of a record. */
  *#positions(): Iterable<StreamPositions> {
    for (const { out } of this.#tasks.values()) {
      if (out === undefined) continue;
      const { stream, watermark, releasedOffset } = out;
      yield { stream, read: watermark.readEnd, released: releasedOffset, acked: watermark.offset };
    }
  }

  /** What metrics say of these and of those that were found and not begun. */
  state(found: readonly FoundFile[]): Omit<FilesState, 'handedOver'> {
    const open = this.all;
    const sum = (of: (task: FileTask<T>) => number) => open.reduce((total, task) => total + of(task), 0);
    const files = [...found, ...open.map(({ file }) => file)];
    return {
      files: files.length,
      bytes: files.reduce((total, { bytes }) => total + bytes, 0),
      unsettled: this.unsettled,
      oldestTime: files.reduce<number | undefined>(
        (least, { modifiedMs }) => Math.min(least ?? modifiedMs, modifiedMs),
        undefined,
      ),
      read: this.#doneRecords + sum(({ out }) => out?.watermark.readEnd ?? 0),
      acked: this.#doneRecords + sum(({ out, start }) => out?.watermark.offset ?? start),
    };
  }
}

function signalFor<T>({ out, isStopped }: FileTask<T>, pressure: Pressure): FlushSignal | null {
  if (out === undefined || out.unsettled === 0) return null;
  // No more of it comes, so nothing is gained by waiting.
  if (out.isRead || isStopped || !pressure.isRunning || pressure.isReplayFull) return 'settle';
  if (out.resumeTracker?.isAwaited === true) return 'catchUp';
  return pressure.isWindowFull ? 'release' : null;
}
