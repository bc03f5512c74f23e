import { concatMap, defer, from, type ObservableInput } from 'rxjs';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import { FileSession } from '../file/file-session.js';
import { expectInput } from '../file/options.js';
import { filesProbe } from '../file/probe.js';
import { checkOptions, type SpoolSourceOptions } from './options.js';
import { SpoolFolder } from './spool-folder.js';

/**
 * Reads whole files that other programs place in a folder: one delivery a record, its offset the record's index, its header `file` the
 * path, its time the file's. A file is renamed, moved or deleted when every record of it is durable. Exactly once where it resumes from the
 * ledger of the file sink that the flow ends in.
 *
 * ```
 * folder   -F----------------D-     F: a file of three lines is placed, D: it has its new name
 * values   ---(abc)------------
 * acks     --------a-c---b-----
 * ```
 *
 * ```ts
 * import { fileSink, flow, text } from 'rxflume';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { lineRecords, spoolSource } from 'rxflume/inputs';
 *
 * const disk = localDisk();
 * const lake = fileSink(disk, { root: '/srv/lake', format: text() });
 * const orders$ = spoolSource(disk, {
 *   name: 'orders',
 *   folder: '/srv/spool',
 *   records: lineRecords(),
 *   resumeFrom: lake.offsetStore,
 * });
 * export default flow('orders', orders$, lake.write());
 * ```
 *
 * Settles: finishes a file when all of it is acked, and asks the holders to settle as soon as it was read to its end. A nack with a
 * retryable cause reads its file again from there; any other stops the source, and nothing past it is skipped.
 * Bounds: `window` for what is out, one chunk of 1 MiB and one record that is not whole; a bit for each unacked record up to `maxUnacked`;
 * `maxOpenFiles` files begun and not finished.
 * Fails: `ConnectError` when the folder cannot be listed at the start, or the ledger not be read; `SourceError` on a nacked record, or a
 * drain that is late. A file that was changed after it was placed, or cannot be read, stops alone: it is reported and counted.
 * Source: Flume 1.11, `SpoolDirectorySource`.
 */
export function spoolSource<T>(input: FileInput, options: SpoolSourceOptions<T>): Source<Delivery<T>> {
  expectInput(input);
  const checked = checkOptions(options);
  const { resumeFrom, maxFileBytes, folder } = checked;
  const reads = [{ kind: 'folder', addresses: [input.name], names: [folder] }];
  const find = () => defer(() => from(input.look(folder))).pipe(concatMap((found) => scanned(input, folder, found)));
  const probe = filesProbe(input, { folder, on: folder, find, mustExist: false });
  const traits = { name: 'spoolSource', isReplayable: true, resumeFrom, reads, probe };
  return new Source((subscriber, stop$) => {
    const catalogue = new SpoolFolder(input, checked);
    const parts = { kind: 'spool', input, catalogue, options: checked, badFile: 'skip', maxFileBytes } as const;
    return new FileSession<T>(parts, subscriber).start(stop$);
  }, traits);
}

function scanned(input: FileInput, folder: string, found: FoundFile | null): ObservableInput<readonly FoundFile[]> {
  if (found?.kind !== 'folder') throw new Error(found === null ? 'there is no such folder' : 'it is no folder');
  return input.scan(folder);
}
