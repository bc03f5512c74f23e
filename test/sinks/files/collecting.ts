import { type OperatorFunction, Subject, type Subscription } from 'rxjs';
import { drainOn, mapValue } from '../../../operators/index.js';
import { type LogEvent, Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Receipt } from '../../../src/delivery/receipt.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import type { KafkaDriver } from '../../../src/ports/kafka-consumer.js';
import { type FileSink, fileSink } from '../../../src/sinks/files/file-sink.js';
import { entryBytes, type LedgerEntry } from '../../../src/sinks/files/ledger/entry.js';
import { ledgerPath } from '../../../src/sinks/files/names.js';
import type { FileSinkOptions } from '../../../src/sinks/files/options.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import type { MemoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';

export interface CollectOptions {
  readonly sink?: Partial<FileSinkOptions<string>>;
  readonly source?: Partial<KafkaSourceOptions>;
  /** Between source and sink. */
  readonly through?: OperatorFunction<Delivery<Buffer | null>, Delivery<Buffer | null>>;
  readonly make?: (fs: FileSystem, options: FileSinkOptions<string>) => FileSink<string>;
}

/** A Kafka topic `chat` into files under /lake, resumed from the ledger, with what came of it written down. */
export function collect(kafka: KafkaDriver, fs: FileSystem, options: CollectOptions = {}) {
  const monitor = new Monitor();
  const stop$ = new Subject<void>();
  const lake = (options.make ?? fileSink<string>)(fs, {
    root: '/lake',
    format: jsonLines(),
    roll: { intervalMs: 100 },
    chunk: { maxWaitMs: 20 },
    monitor,
    ...options.sink,
  });
  const run = {
    receipts: [] as Receipt[],
    logEvents: [] as LogEvent[],
    ended: '',
    error: undefined as (Error & { code?: string }) | undefined,
    stop: () => stop$.next(),
    subscription: undefined as Subscription | undefined,
    codes: () => run.logEvents.map(({ what }) => what),
  };
  monitor.logEvents$.subscribe((logEvent) => run.logEvents.push(logEvent));
  run.subscription = kafkaSource(kafka, {
    topics: ['chat'],
    groupId: 'lake',
    resumeFrom: lake.offsetStore,
    redeliver: { firstDelayMs: 50 },
    monitor,
    ...options.source,
  })
    .pipe(
      drainOn(stop$),
      options.through ?? ((deliveries) => deliveries),
      mapValue((value) => String(value)),
      lake.write(),
    )
    .subscribe({
      next: (receipt) => run.receipts.push(receipt),
      error: (error: Error) => {
        run.ended = 'error';
        run.error = error;
      },
      complete: () => {
        run.ended = 'complete';
      },
    });
  return run;
}

/** All values in the visible files, file by file in the order of their names. */
export function stored(fs: MemoryFileSystem, root = '/lake'): string[] {
  return Object.entries(fs.files())
    .filter(([path]) => path.startsWith(`${root}/`) && !path.includes('/_rxflume/'))
    .flatMap(([, bytes]) => Buffer.from(bytes).toString().split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as string);
}

/** The entries that stand, as `from-next(values)`. */
export function ledgerOf(fs: MemoryFileSystem): string[] {
  return Object.entries(fs.files())
    .filter(([path]) => path.includes('/_rxflume/ledger/'))
    .map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as LedgerEntry)
    .map(({ from, next, files }) => `${from}-${next}(${files.reduce((sum, { values }) => sum + values, 0)})`);
}

/** Paths below `_rxflume/tmp`. */
export function temporaries(fs: MemoryFileSystem): string[] {
  return Object.keys(fs.files()).filter((path) => path.includes('/_rxflume/tmp/'));
}

/** Writes a whole file, as another writer of the same folder would. */
export function put(fs: FileSystem, path: string, content: Uint8Array | string): void {
  const writer = fs.create(path);
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  for (const step of [() => writer.write(bytes), () => writer.close()]) {
    (step() as ReturnType<typeof fs.status> & { subscribe(): unknown }).subscribe();
  }
}

export const STREAM = 'kafka:chat/0';

export function putEntry(fs: FileSystem, entry: Partial<LedgerEntry> & { from: number; next: number }): void {
  const whole = { writer: 'others-0', stream: STREAM, files: [], ...entry };
  put(fs, ledgerPath('/lake', STREAM, entry.from), entryBytes(whole));
}
