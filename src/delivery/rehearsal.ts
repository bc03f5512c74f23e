import { ignoreElements, type Observable, tap } from 'rxjs';
import { flowScope } from '../core/flow-scope.js';
import type { Monitor } from '../core/monitor.js';
import type { OffsetStore } from '../offsets/offset-store.js';
import type { Delivery } from './delivery.js';

/** A place in each stream: the same offset, the first record of a time (in milliseconds since 1970) or later, or an offset by stream. */
export type LogPlace =
  | { readonly offset: number }
  | { readonly timeMs: number }
  | { readonly offsets: ReadonlyMap<string, number> };

/** Which part of its streams a source is to read, and as whom. */
export interface SectionAsked {
  /** The group, a name behind the source's own. */
  readonly name: string;
  readonly from: LogPlace;
  /** What is not read any more; where the log ends before, its end. */
  readonly to: LogPlace;
  /** Of the sink: how far each stream was read before. */
  readonly offsetStore: OffsetStore;
  /** Whether the group commits, for those who look at it. */
  readonly commits: boolean;
  /** The most that is out and not released; undefined as the source is set. */
  readonly windowCount?: number | undefined;
  readonly monitor?: Monitor | undefined;
}

/** A source that reads a part of its streams. `reached$` emits when it has emitted all of that; it goes on until it is drained. */
export interface SectionSource {
  readonly source: Observable<Delivery<unknown>> & {
    drainedBy(stop$: Observable<unknown>): Observable<Delivery<unknown>>;
  };
  readonly reached$: Observable<void>;
}

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
  /** The same source in a group of its own, which reads a part of each stream. */
  section(asked: SectionAsked): SectionSource;
}

/** A sink that writes somewhere else than it is set to. */
export type RehearsedSink = (deliveries: Observable<Delivery<never>>) => Observable<unknown>;

/** A sink in another folder, with a ledger there. */
export interface SinkElsewhere {
  readonly offsetStore: OffsetStore;
  readonly write: RehearsedSink;
}

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
  /** The same sink in another folder of its file system, which counts there in `monitor`; undefined: as the sink itself. */
  elsewhere(folder: string, monitor?: Monitor): SinkElsewhere;
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
