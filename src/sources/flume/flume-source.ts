import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import type { FlumeRpcServer } from '../../ports/flume-rpc.js';
import { ListeningSession } from '../listening/listening-session.js';
import { listenProbe } from '../listening/probe.js';
import { FlumeIntake } from './flume-intake.js';
import { checkOptions, type FlumeSourceOptions } from './options.js';

/**
 * Listens for what Flume agents and Flume's clients send: one delivery an event, its value the event, its time the header
 * `timestamp`. The answer to a batch is its ack.
 *
 * ```
 * batches  -[a b]---------[c]---
 * values   -(ab)----------c-----
 * acks     ------b--a-------X---     X: c is nacked
 * answers  ---------O-------F---     OK when all of a batch is acked, FAILED when one of it is nacked
 * ```
 *
 * ```ts
 * import { flumeSource } from 'rxflume';
 * import { avroRpcServer } from 'rxflume/drivers/avro-rpc';
 *
 * export const events$ = flumeSource(avroRpcServer({ host: '0.0.0.0', port: 4141 }), { name: 'web' });
 * ```
 *
 * Settles: answers `OK` when every event of a batch is acked, `FAILED` at the first nack: the client brings all of the
 * batch again. Asks the holders to settle when a client has waited for `settleAfterMs`. Where a client went away before
 * its answer, what it sent is redelivered too, and is counted (`rxflume_source_unheard_total`).
 * Bounds: `window` for what is out; while it is full the server receives nothing, and the clients wait.
 * Fails: `ConnectError` when it cannot listen, `SourceError` when a drain is late or an event was nacked during it.
 * Source: Flume 1.11, `AvroSource`, which answers `OK` once its channels have the batch.
 */
export function flumeSource(server: FlumeRpcServer, options: FlumeSourceOptions): Source<Delivery<FlumeEvent>> {
  expectFunction('server.listen', server?.listen);
  const checked = checkOptions(options);
  const intake = new FlumeIntake(server);
  const traits = { name: 'flumeSource', isReplayable: false, probe: listenProbe(() => intake) };
  return new Source((subscriber, stop$) => new ListeningSession(intake, checked, subscriber).start(stop$), traits);
}
