import { ignoreElements, type Observable, tap } from 'rxjs';
import { flowScope } from '../core/flow-scope.js';
import type { Delivery } from './delivery.js';

/** What a plan asks of a source: what it is set to, and the same source as somebody who leaves no trace. */
export interface SourceRehearsal {
  readonly windowBytes: number;
  readonly maxUnacked: number;
  readonly maxPartitionBytes: number;
  /**
   * The same source in a group of its own, of that name behind its own group's, which commits nothing. It begins at that
   * offset of each stream, or at the first one.
   */
  source(name: string, offset?: number): Observable<Delivery<unknown>>;
}

/** A sink that writes somewhere else than it is set to. */
export type RehearsedSink = (deliveries: Observable<Delivery<never>>) => Observable<unknown>;

/** What a plan asks of a file sink: what it is set to, and the same sink elsewhere. */
export interface SinkRehearsal {
  readonly root: string;
  readonly roll: { readonly bytes: number; readonly intervalMs: number };
  readonly chunk: { readonly bytes: number; readonly maxWaitMs: number };
  readonly maxOpenFiles: number;
  /** The same sink over a file system that keeps nothing: it encodes and compresses, and each call answers at once. */
  inMemory(): RehearsedSink;
  /** The same sink in another folder of its file system; `called` is given each call's name and its milliseconds. */
  inFolder(folder: string, called: (call: string, ms: number) => void): RehearsedSink;
  /** Where a folder of that name, which leaves no other behind when it is removed, can be made. */
  scratch(name: string): Observable<string>;
  /** The whole of a file there, of at most `maxBytes`. */
  read(path: string, maxBytes: number): Observable<Uint8Array>;
  /** Removes that folder. */
  removeFolder(folder: string): Observable<unknown>;
}

/**
 * What deliveries are handed to beside the main way, such as dead letters to their sink: itself, or, in a rehearsal, where
 * nothing may be written, something that acks all of it.
 */
export function unlessRehearsed<T, R>(
  branch: (deliveries: Observable<Delivery<T>>) => Observable<R>,
): (deliveries: Observable<Delivery<T>>) => Observable<R> {
  const { beside, isRehearsal = false } = flowScope() ?? {};
  if (beside === undefined && !isRehearsal) return branch;
  return (deliveries) => {
    const shown = deliveries.pipe(tap(({ value, origin }) => beside?.(value, origin)));
    if (!isRehearsal) return branch(shown);
    return shown.pipe(
      tap((delivery) => delivery.ack()),
      ignoreElements(),
    );
  };
}
