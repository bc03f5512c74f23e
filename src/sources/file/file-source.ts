import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { FileInput } from '../../ports/file-input.js';
import { FileList } from './file-list.js';
import { checkOptions, type FileSourceOptions } from './file-options.js';
import { FileSession } from './file-session.js';
import { expectInput } from './options.js';
import { filesProbe } from './probe.js';

/**
 * Reads files once, from a local disk or HDFS, and completes: a backfill. One delivery a record, its offset the record's index, its header
 * `file` the path, its time the file's. Names that end in `.gz`, `.zst`, `.bz2` or `.deflate` are decompressed. Exactly once where it
 * resumes from the ledger of the file sink that the flow ends in.
 *
 * ```
 * files    a:[x y] b:[z]
 * values   -(xy)-z--------|
 * acks     ------x-z---y--|
 * ```
 *
 * ```ts
 * import { fileSink, flow, json, jsonLines } from 'rxflume';
 * import { webhdfs } from 'rxflume/drivers/webhdfs';
 * import { fileSource, lineRecords } from 'rxflume/inputs';
 * import { decode } from 'rxflume/operators';
 *
 * const hdfs = webhdfs({ nameNodes: ['http://nn1:9870'], user: 'flume' });
 * const lake = fileSink(hdfs, { root: '/lake/chat', format: jsonLines({ compression: 'gzip' }) });
 * const old$ = fileSource(hdfs, {
 *   name: 'chat-2025',
 *   files: ['/old/chat/2025-*.json.gz'],
 *   records: lineRecords(),
 *   resumeFrom: lake.offsetStore,
 * });
 * export default flow('backfill', old$, decode(json()), lake.write());
 * ```
 *
 * Settles: nothing at the store; with a ledger the next run reads only what is not stored. A nack with a retryable cause reads its file
 * again from there; any other stops the source, and nothing past it is skipped.
 * Bounds: `window` for what is out, one chunk of 1 MiB and one record that is not whole; a bit for each unacked record up to `maxUnacked`;
 * `maxOpenFiles` files begun and not finished; the names of all files.
 * Fails: `ConnectError` where the files cannot be found, or the ledger not be read; `SourceError` on a nacked record, a drain that is late,
 * and, unless `badFile` is `skip`, on a file that was changed meanwhile or cannot be read.
 */
export function fileSource<T>(input: FileInput, options: FileSourceOptions<T>): Source<Delivery<T>> {
  expectInput(input);
  const checked = checkOptions(options);
  const { files, badFile, maxFileBytes, resumeFrom } = checked;
  const reads = [
    { kind: 'folder', addresses: [input.name], names: files.map((file) => file.replace(/\/[^/]*$/, '') || '/') },
  ];
  const probe = filesProbe(input, {
    folder: reads[0]?.names[0] ?? '/',
    on: files.join(', '),
    find: () => new FileList(input, files).find(),
    mustExist: true,
  });
  const traits = { name: 'fileSource', isReplayable: true, resumeFrom, reads, probe };
  return new Source((subscriber, stop$) => {
    const parts = {
      kind: 'file',
      input,
      catalogue: new FileList(input, files),
      options: checked,
      badFile,
      maxFileBytes,
    };
    return new FileSession<T>(parts, subscriber).start(stop$);
  }, traits);
}
