import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  type Observable,
  of,
  timer,
} from 'rxjs';
import { mapValue, retryConnect } from '../../operators/index.js';
import { SinkError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { flow } from '../../src/flow/flow.js';
import type { FileSystem } from '../../src/ports/file-system.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import type { BuildCollector, ProofInput } from '../../src/testing/index.js';

/** What a toy sink does with one value: stores it, settles it, and gives a receipt. */
export type Store = (fs: FileSystem, delivery: Delivery<string>) => Observable<Receipt>;

export const INPUT: ProofInput = {
  chat: ['ab', 'xy'].map((letters) => [...letters, ...letters].map((one, at) => one + at)),
};

/** A flow from `chat` into a sink that stores one value after the other and nacks what it could not store. */
export function toyFlow(store: Store, topics: readonly string[] = ['chat']): BuildCollector {
  return toyFlowInto((fs) => storeEach(fs, store), topics);
}

export function toyFlowInto(
  sink: (fs: FileSystem) => Sink<string>,
  topics: readonly string[] = ['chat'],
): BuildCollector {
  return ({ kafka, fs, monitor }) => {
    const redeliver = { maxAttempts: 100, firstDelayMs: 20, maxDelayMs: 50 };
    const commit = { count: 3, intervalMs: 30 };
    const options = { topics, groupId: 'toys', commit, redeliver, drainTimeoutMs: 2_000, monitor };
    const source = kafkaSource(kafka, options).pipe(retryConnect({ firstDelayMs: 10, monitor }));
    return flow(
      'toys',
      source,
      mapValue((value) => String(value)),
      sink(fs),
    );
  };
}

export function storeEach(fs: FileSystem, store: Store): Sink<string> {
  return (deliveries) =>
    deliveries.pipe(
      concatMap((delivery) =>
        defer(() => store(fs, delivery)).pipe(
          catchError((error: unknown) => {
            delivery.nack(error);
            return EMPTY;
          }),
        ),
      ),
    );
}

/** Exact: a file a value, named for its offset, so that a second attempt to store it finds that it exists. */
export const exact: Store = (fs, delivery) => storeAs(fs, delivery, nameOf(delivery));

/** At least once: each try has a name of its own. */
export const doubling: Store = (fs, delivery) => doublingIn('/lake')(fs, delivery);

export function doublingIn(root: string): Store {
  return (fs, delivery) => storeAs(fs, delivery, `${nameOf(delivery)}-${chance()}`, root);
}

/** At most once: acks what is only about to be stored. */
export const losing: Store = (fs, delivery) => {
  delivery.ack();
  return storeAs(fs, delivery, nameOf(delivery));
};

/** Writes where readers look. */
export const inPlace: Store = (fs, delivery) =>
  concat(put(fs, `/lake/${nameOf(delivery)}`, delivery.value), acked(delivery));

/** Takes its first file away again, to write it anew with more in it. */
export const withdrawing: Store = (fs, delivery) =>
  concat(
    storeAs(fs, delivery, nameOf(delivery)),
    from(fs.remove(`/lake/${nameOf(delivery)}`)).pipe(ignoreElements()),
    storeAs(fs, delivery, nameOf(delivery)),
  );

/** Tells in its lines that it tried again. */
export function stuttering(): Store {
  const tried = new Set<string>();
  return (fs, delivery) => {
    const name = nameOf(delivery);
    const again = tried.has(name) ? ' again' : '';
    tried.add(name);
    return storeAs(fs, delivery.with(`${delivery.value}${again}`), name);
  };
}

/** Waits for a lock that is never given back by who dies with it. */
export const locking: Store = (fs, delivery) => {
  const lock = '/lake/_rxflume/lock';
  const tryLock = (): Observable<never> =>
    put(fs, lock, 'held').pipe(
      catchError((error: unknown) => {
        if (!(error instanceof SinkError) || error.code !== 'RXF_FILES_EXISTS') throw error;
        return timer(25).pipe(concatMap(tryLock));
      }),
    );
  return concat(tryLock(), storeAs(fs, delivery, nameOf(delivery)), from(fs.remove(lock)).pipe(ignoreElements()));
};

function storeAs(fs: FileSystem, delivery: Delivery<string>, name: string, root = '/lake'): Observable<Receipt> {
  const temporary = `${root}/_rxflume/tmp/${chance()}`;
  return concat(
    put(fs, temporary, delivery.value),
    defer(() => fs.rename(temporary, `${root}/${name}`)).pipe(
      map((answer) => {
        if (answer === 'missing') throw new SinkError('RXF_FILES_UNREACHABLE', `${temporary} is gone`);
      }),
      ignoreElements(),
    ),
    acked(delivery),
  );
}

function put(fs: FileSystem, path: string, text: string): Observable<never> {
  return defer(() => {
    const writer = fs.create(path);
    return concat(
      writer.write(new TextEncoder().encode(`${text}\n`)),
      defer(() => writer.close()),
    ).pipe(ignoreElements());
  });
}

function acked(delivery: Delivery<string>): Observable<Receipt> {
  return defer(() => {
    delivery.ack();
    const { stream, offset } = delivery.origin;
    return of({ sink: 'toys', target: '/lake', values: 1, bytes: 1, stream, firstOffset: offset, lastOffset: offset });
  });
}

function nameOf({ origin: { stream, offset } }: Delivery<unknown>): string {
  return `${stream.replaceAll(/\W/g, '-')}-${offset}`;
}

function chance(): string {
  return Math.random().toString(36).slice(2, 8);
}
