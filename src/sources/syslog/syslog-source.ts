import { expectFunction, expectOption } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { SocketServer } from '../../ports/socket-server.js';
import { ListeningSession } from '../listening/listening-session.js';
import { listenProbe } from '../listening/probe.js';
import { checkOptions, type SyslogSourceOptions } from './options.js';
import { SyslogIntake } from './syslog-intake.js';
import type { SyslogMessage } from './syslog-message.js';

/**
 * Listens for syslog of RFC 5424 and RFC 3164: one delivery a message, its time that of the sender. By RELP, a sender hears of
 * each message that it is durable; by all other transports it hears of nothing, so a flow from here is at most once.
 *
 * ```
 * messages -[a b]---------[c]---
 * values   -(ab)----------c-----
 * acks     ------b--a-------X---     X: c is nacked
 * RELP     ---------(200 200)-500
 * ```
 *
 * ```ts
 * import { syslogSource } from 'rxflume/inputs';
 * import { tcpServer } from 'rxflume/drivers/node';
 *
 * export const logs$ = syslogSource(tcpServer({ host: '0.0.0.0', port: 2514 }), { name: 'hosts', framing: 'relp' });
 * ```
 *
 * Settles: by RELP, answers 200 in order when a message is durable, 500 at a nack, and closes: the sender connects again and
 * sends all that was not answered, so messages may come twice. Asks the holders to settle when a sender has waited for
 * `settleAfterMs`. Otherwise tells no sender: at a nack it drains and fails, or with `whenNacked: 'drop'` counts what is lost
 * (`rxflume_source_lost_total`), as it counts the datagrams that come while the window is full.
 * Bounds: `window` for what is out, and what one reading brought; while it is full, streams are not read, and senders wait.
 * `maxMessageBytes` for what each sender has begun, `maxBufferedBytes` for all of them.
 * Fails: `ConnectError` when it cannot listen, `SourceError` when a drain is late, a message was nacked during it, or at a nack
 * without RELP.
 * Source: RFC 5424, RFC 3164, RFC 6587; rsyslog, RELP.
 */
export function syslogSource(server: SocketServer, options: SyslogSourceOptions): Source<Delivery<SyslogMessage>> {
  expectFunction('server.listen', server?.listen);
  const checked = checkOptions(options);
  const { transport } = server;
  const isRelp = checked.framing === 'relp';
  expectOption(
    'framing',
    checked.framing,
    !isRelp || transport !== 'udp',
    'other than `relp` over UDP, which has no streams',
  );
  const intake = () => new SyslogIntake(server, checked);
  const traits = {
    name: 'syslogSource',
    isReplayable: false,
    probe: listenProbe(intake),
    ...(!isRelp && {
      lossBecause: `senders of syslog (${transport}) hear of no ack; use \`framing: 'relp'\` to give them one`,
    }),
  };
  return new Source((subscriber, stop$) => new ListeningSession(intake(), checked, subscriber).start(stop$), traits);
}
