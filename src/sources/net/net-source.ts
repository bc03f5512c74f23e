import { map } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { SocketServer } from '../../ports/socket-server.js';
import { ListeningSession } from '../listening/listening-session.js';
import { listenProbe } from '../listening/probe.js';
import { type NetFrame, NetIntake } from './net-intake.js';
import { checkOptions, type NetSourceOptions } from './options.js';

/**
 * Listens for lines, length-prefixed frames or datagrams: one delivery each, its value the bytes, with the header `client`.
 * These protocols have no ack, so a flow from here is at most once.
 *
 * ```
 * bytes    -a⏎b---⏎c⏎--------
 * values   -a-----(bc)-------
 * ```
 *
 * ```ts
 * import { netSource } from 'rxflume/inputs';
 * import { tcpServer } from 'rxflume/drivers/node';
 *
 * export const lines$ = netSource(tcpServer({ host: '0.0.0.0', port: 5170 }), { name: 'lines' });
 * ```
 *
 * Settles: tells no client. At a nack it drains and fails, or with `whenNacked: 'drop'` counts what is lost
 * (`rxflume_source_lost_total`), as it counts the datagrams that come while the window is full. What clients have sent and
 * the source has not read when it ends is lost without a count.
 * Bounds: `window` for what is out, and what one reading brought; while it is full, streams are not read, and clients wait.
 * `maxMessageBytes` for what each client has begun, `maxBufferedBytes` for all of them.
 * Fails: `ConnectError` when it cannot listen, `SourceError` at a nack, or when a drain is late.
 * Source: Flume 1.11, `NetcatSource` and `NetcatUdpSource`.
 */
export function netSource(server: SocketServer, options: NetSourceOptions): Source<Delivery<Uint8Array>> {
  expectFunction('server.listen', server?.listen);
  const checked = checkOptions(options);
  const traits = {
    name: 'netSource',
    isReplayable: false,
    probe: listenProbe(() => new NetIntake(server, checked)),
    lossBecause: `clients of netSource (${server.transport}) hear of no ack`,
  };
  const read$ = new Source<Delivery<NetFrame>>(
    (subscriber, stop$) => new ListeningSession(new NetIntake(server, checked), checked, subscriber).start(stop$),
    traits,
  );
  return read$.through((deliveries$) => deliveries$.pipe(map((delivery) => delivery.with(delivery.value.bytes))));
}
