import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { SinkTraits } from '../../delivery/traits.js';
import type { LocalFiles } from '../../ports/local-files.js';
import { checkOptions, type TailSourceOptions } from './options.js';
import { tailProbe } from './probe.js';
import { TailSession } from './tail-session.js';

/**
 * Follows files that others write, such as logs, through rotation: one delivery a line, its value the line's bytes without its end, its
 * origin a `TailOrigin`. Exactly once where it resumes from the ledger of the file sink that the flow ends in.
 *
 * ```
 * app.log   -ab---(c, renamed)-d------|     d: the first line of a new app.log
 * values    --ab----c------------d----|     to the end of the file that was renamed, then of the new one
 * acks      ------a----b-c---------d--|
 * positions --------1------3---------1|     byte offsets in the ledger, of two streams
 * ```
 *
 * ```ts
 * import { fileSink, text } from 'rxflume';
 * import { localDisk, localFiles } from 'rxflume/drivers/local-disk';
 * import { tailSource } from 'rxflume/inputs';
 *
 * const lake = fileSink(localDisk(), { root: '/srv/lake', format: text() });
 * export const lines$ = tailSource(localFiles(), {
 *   paths: ['/var/log/app/*.log', '/var/log/app/*.log.[0-9]'],
 *   positionFile: '/var/lib/rxflume/app.json',
 *   resumeFrom: lake.offsetStore,
 * });
 * ```
 *
 * Settles: keeps in `positionFile` how far all of each file is acked. A nack with a retryable cause reads its file again from there, or
 * from where the ledger says; any other stops the source. Nothing is skipped.
 * Bounds: `window` for what is out, four chunks of 256 KiB or of a longer line for what is read, `maxOpenFiles` descriptors, some 6 KiB a
 * file, and 17 bytes for each unacked line up to `maxUnacked`.
 * Fails: `ConnectError` where the position file or the ledger cannot be read; `CommitError` when the position file cannot be written;
 * `SourceError` on a nacked line, a line that is too long, or one that was nacked and no longer exists.
 * Source: Flume's TAILDIR; logrotate(8), `create`, `copytruncate`, `delaycompress`.
 */
export function tailSource(files: LocalFiles, options: TailSourceOptions): Source<Delivery<Buffer>> {
  const checked = checkOptions(options);
  const { resumeFrom, paths } = checked;
  const reads = [{ kind: 'local file', addresses: [files.host], names: paths }];
  const probe = tailProbe(files, checked);
  const traits = { name: 'tailSource', isReplayable: true, resumeFrom, reads, warningsFor, probe };
  return new Source((subscriber, stop$) => new TailSession(files, checked, subscriber).start(stop$), traits);
}

function warningsFor(_: SinkTraits): readonly string[] {
  return [
    'tailSource can read again only what a file still holds: where logrotate uses `copytruncate`, lines written between its copy and its cut are ' +
      'lost, by no fault of the reader. Use `create` and have the writer open its log again',
  ];
}
