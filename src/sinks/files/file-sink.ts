import type { Observable } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import { randomName } from '../../core/random-name.js';
import type { Delivery } from '../../delivery/delivery.js';
import { deliveryOperator } from '../../delivery/delivery-operator.js';
import type { ProbeSetting } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { FileSystem } from '../../ports/file-system.js';
import { FileSinkSession } from './file-sink-session.js';
import { begin } from './ledger/beginning.js';
import { recoverAll } from './ledger/recovery.js';
import { LEDGER_RULES, type LedgerRules } from './ledger/rules.js';
import { LedgerStore } from './ledger/store.js';
import { ledgerFolder } from './names.js';
import { checkOptions, type FileSinkOptions } from './options.js';
import { probeOf } from './probe.js';
import { rehearsalOf } from './rehearsal.js';

/** A place for files; `write()` is the last operator of a flow. */
export interface FileSink<T> {
  /**
   * Where the sink's ledger says each stream is to be resumed, for a source's `resumeFrom`. Given to the source of the
   * flow that ends in this sink, each value of it is in exactly one file.
   *
   * Asked about a stream, it first finishes what a writer before has committed and not made visible, and then removes the
   * temporary files that no writer can commit any more.
   *
   * Fails: as the file system does; `RXF_LEDGER_DAMAGED`; `RXF_LEDGER_COLUMN`.
   */
  readonly offsetStore: OffsetStore;
  /**
   * The sink as an operator: takes deliveries, emits a receipt for each file that is at its final path.
   *
   * ```
   * values    -a-b-c------------|
   * files     --(open)----R-----     R: closed, its length compared, renamed
   * releases  ------(abc)-------     handed over to the storage
   * acks      -----------(abc)--
   * receipts  -----------r------|
   * ```
   *
   * Settles: acks after the rename. When storing fails, nacks all of the stream that is not yet published, with the
   * `SinkError`, so that the source redelivers it in order; nacks a value without a safe bucket, or that the format
   * cannot encode, alone.
   * Bounds: `maxOpenFiles` times `chunk.bytes`, and one bit a value in open files; the source's window bounds what is
   * passed on and not yet stored.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<T>;
}

/**
 * Lands values in files of a `FileSystem`, in folders (buckets) made from the value and its time. Bytes are in a
 * temporary file until a roll renames it: a reader of the folder sees only whole files.
 *
 * ```ts
 * import { fileSink, jsonLines, MiB } from 'rxflume';
 * import { webhdfs } from 'rxflume/drivers/webhdfs';
 *
 * export const lake = fileSink<unknown>(webhdfs({ nameNodes: ['http://nn1:9870'], user: 'flume' }), {
 *   root: '/lake/chat',
 *   path: 'dt={yyyy}-{MM}-{dd}',
 *   format: jsonLines({ compression: 'gzip' }),
 *   roll: { bytes: 128 * MiB },
 * });
 * ```
 */
export function fileSink<T>(fs: FileSystem, options: FileSinkOptions<T>): FileSink<T> {
  return fileSinkBy(LEDGER_RULES, fs, options);
}

/** A file sink that keeps its ledger by these rules: for the proof that each of them is needed. */
export function fileSinkBy<T>(rules: LedgerRules, fs: FileSystem, options: FileSinkOptions<T>): FileSink<T> {
  expectFunction('fs.create', fs?.create);
  expectFunction('fs.pathProblem', fs.pathProblem);
  expectFunction('fs.makeFolder', fs.makeFolder);
  const checked = checkOptions(fs, options);
  const store = new LedgerStore(fs, checked.root, rules, checked.format.columns);
  const offsetStore: OffsetStore = Object.assign(
    (streams: readonly string[]) => recoverAll(store, streams, checked.monitor),
    {
      recoveryHint: (stream: string, first?: number) => recoveryHint(fs, checked.root, stream, first),
      begin: (stream: string, start: number) => begin(store, stream, start, randomName()),
    },
  );
  const write: Sink<T> = Object.assign(
    deliveryOperator('fileSink', 'kept', (deliveries: Observable<Delivery<T>>) =>
      sinkLifecycle(deliveries, (lifecycle) => new FileSinkSession(fs, checked, { store, offsetStore }, lifecycle)),
    ),
    {
      kind: 'files',
      ledger: { offsetStore, at: `${fs.name} ${checked.root}` },
      probe: (setting: ProbeSetting) => probeOf(fs, checked, setting),
      rehearsal: rehearsalOf(fs, checked, options, (files, to) => fileSinkBy(rules, files, to)),
    },
  );
  return { offsetStore, write: () => write };
}

function recoveryHint(fs: FileSystem, root: string, stream: string, first: number | undefined): string {
  const folder = ledgerFolder(root, stream);
  const whose = `The offset is the ledger's, in ${folder} of ${fs.name}; resetting the consumer group alone has no effect.`;
  if (first !== undefined) {
    return (
      `${whose} To accept the loss and resume at the first offset that exists, run \`rxflume ledger <root> --stream ${stream} ` +
      `--skip-to ${first}\`, where <root> is the path or URL of ${root}. The ledger keeps a record of what was skipped.`
    );
  }
  return (
    `${whose} To read a new stream from its start, use another \`root\`; or stop every writer, remove the ledger folders of all ` +
    'partitions of the topic, and reset the offsets of the group. The files stay: new ones have other names.'
  );
}
