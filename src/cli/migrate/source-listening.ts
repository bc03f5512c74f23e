import type { Component } from './agent.js';
import { type Code, list, numeral, object, printed, quoted, suffixed } from './code.js';
import { instead, lacks, no, type Rules, to } from './settings.js';
import { connecting, hostCode, portCode, type SourceCode, type SourceType } from './source-type.js';
import type { Writing } from './writing.js';

const TLS: Rules = {
  ssl: lacks('give the certificate and key as PEM: `tls` of the server'),
  enableSSL: lacks('give the certificate and key as PEM: `tls` of the server'),
  keystore: no('belongs to the key store'),
  keystorePassword: no('belongs to the key store'),
  'keystore-*': no('belongs to the key store'),
  'exclude-protocols': no('Node has no SSLv3'),
  'include-protocols': no("Node's own choice"),
  'exclude-cipher-suites': no("Node's own choice"),
  'include-cipher-suites': no("Node's own choice"),
};

/** `tcpServer({ host, port })`, or another server. */
function server(writing: Writing, name: string, host: Code, port: Code): Code {
  return writing.call('drivers/node', name, object({ host, port }));
}

/** A source without acks: Flume has none either, and goes on after a failure. */
const DROPS = { whenNacked: quoted('drop') };

function warnOfLoss({ name, settings }: Component, what: string, writing: Writing): void {
  const advice = 'The flow counts what it loses: rxflume_source_lost_total.';
  writing.warn(
    settings.line('type'),
    `${what} have no ack, in Flume and in the flow of ${name}: what is in flight is lost at a crash. ${advice}`,
  );
}

export const HTTP_SOURCE: SourceType = {
  rules: {
    bind: to('`host` of `nodeHttpServer`'),
    port: to('`port` of `nodeHttpServer`'),
    handler: to('`body` of `httpSource`'),
    'handler.*': no('see `maxBodyBytes` of `nodeHttpServer`'),
    'QueuedThreadPool.*': no('a setting of Jetty'),
    'HttpConfiguration.*': no('a setting of Jetty'),
    'SslContextFactory.*': no('a setting of Jetty'),
    'ServerConnector.*': no('a setting of Jetty'),
    ...TLS,
  },
  write({ name, settings }, writing) {
    const handler = settings.text('handler') ?? 'JSONHandler';
    const isBlob = handler.endsWith('BlobHandler');
    const known = isBlob || handler.endsWith('JSONHandler');
    if (!known) writing.lack([`line ${settings.line('handler')}: the handler ${handler} has no counterpart here`]);
    const options = object({ name: quoted(name), body: quoted(isBlob ? 'bytes' : 'flume') });
    const http = server(
      writing,
      'nodeHttpServer',
      hostCode(settings.text('bind'), settings.line('bind'), writing),
      portCode(settings.text('port'), writing),
    );
    const steps = isBlob ? [writing.call('operators', 'mapValue', writing.call('flume', 'lineEvent'))] : [];
    return { source: connecting(writing.call('inputs', 'httpSource', http, options), writing), steps };
  },
};

function netcat(transport: 'tcpServer' | 'udpServer'): SourceType {
  return {
    rules: {
      bind: to(`\`host\` of \`${transport}\``),
      port: to(`\`port\` of \`${transport}\``),
      'max-line-length': to('`maxMessageBytes` of `netSource`: a longer line is cut'),
      'ack-every-event': instead(
        'no `OK` is answered for a line: use HTTP, RELP or Avro RPC where the sender needs an ack',
      ),
      encoding: no('the bytes are passed on as they are'),
      remoteAddress: no('see the header `client` of `delivery.origin`'),
      ...TLS,
    },
    write(source, writing) {
      const { name, settings } = source;
      warnOfLoss(source, 'Lines over a socket', writing);
      const options = object({
        name: quoted(name),
        maxMessageBytes: numeral(settings.number('max-line-length', 512)),
        ...DROPS,
      });
      const socket = server(
        writing,
        transport,
        hostCode(settings.text('bind'), settings.line('bind'), writing),
        portCode(settings.text('port'), writing),
      );
      return {
        source: connecting(writing.call('inputs', 'netSource', socket, options), writing),
        steps: [writing.call('operators', 'mapValue', writing.call('flume', 'lineEvent'))],
      };
    },
  };
}

export const NETCAT_SOURCE = netcat('tcpServer');
export const NETCAT_UDP_SOURCE = netcat('udpServer');

function syslog(transport: 'tcpServer' | 'udpServer'): SourceType {
  return {
    rules: {
      host: to(`\`host\` of \`${transport}\``),
      port: to(`\`port\` of \`${transport}\``),
      ports: to(`a server for each port`),
      eventSize: to('`maxMessageBytes` of `syslogSource`'),
      keepFields: to('`body` and `keepFields` of `syslogEvent`'),
      portHeader: to('a `staticHeader` for each port'),
      clientIPHeader: no('see the header `client` of `delivery.origin`'),
      clientHostnameHeader: no('names are not looked up'),
      'charset.default': no('UTF-8, with the bytes in `raw`'),
      'charset.port.*': no('UTF-8, with the bytes in `raw`'),
      numProcessors: no('there are no threads'),
      readBufferBytes: no('there is no such buffer'),
      readBufferSize: no('Flume ignores it, too: its name is readBufferBytes'),
      ...TLS,
    },
    write: (source, writing) => syslogCode(source, transport, writing),
  };
}

function syslogCode(source: Component, transport: 'tcpServer' | 'udpServer', writing: Writing): SourceCode {
  const { name, settings, type } = source;
  warnOfLoss(source, 'Senders of syslog', writing);
  const host = hostCode(settings.text('host'), settings.line('host'), writing);
  const options = (suffix: string) =>
    object({
      name: writing.text(name + suffix),
      maxMessageBytes: numeral(settings.number('eventSize', 2_500)),
      ...DROPS,
    });
  const of = (port: Code, suffix = '') =>
    writing.call('inputs', 'syslogSource', server(writing, transport, host, port), options(suffix));
  const ports = settings.list('ports');
  const portHeader = type === 'multiport_syslogtcp' ? settings.text('portHeader') : undefined;
  const event = writing.call('operators', 'mapValue', writing.call('flume', 'syslogEvent', ...eventOptions(source)));
  const withPort = (port: string) =>
    portHeader === undefined
      ? []
      : [
          writing.call(
            'operators',
            'mapValue',
            writing.call(
              'flume',
              'staticHeader',
              quoted(portHeader),
              writing.text(port),
              object({ preserveExisting: 'false' }),
            ),
          ),
        ];
  if (ports.length < 2) {
    const [port] = ports;
    const one = of(portCode(settings.text('port') ?? port, writing));
    return { source: connecting(one, writing), steps: [event, ...(port === undefined ? [] : withPort(port))] };
  }
  // The port is known only where its server is: before the sources are one.
  const each = (port: string) => {
    const one = of(portCode(port, writing), `-${port}`);
    const steps = [event, ...withPort(port)].map((step) => printed(step)).join(', ');
    return portHeader === undefined ? one : suffixed(one, `.through((messages$) => messages$.pipe(${steps}))`);
  };
  const merged = writing.call('operators', 'mergeSources', list(ports.map(each)));
  return { source: merged, steps: portHeader === undefined ? [event] : [] };
}

const KEPT = ['priority', 'version', 'timestamp', 'hostname'];

/** Flume looks for the names of fields anywhere in the value. */
function eventOptions({ settings, type }: Component): Code[] {
  const keeps = (settings.text('keepFields') ?? 'none').trim().toLowerCase();
  const isRaw = keeps === 'all' || keeps === 'true';
  const fields = isRaw ? [] : KEPT.filter((field) => keeps.includes(field));
  const options = object({
    body: isRaw ? quoted('raw') : undefined,
    keepFields: fields.length === 0 ? undefined : list(fields.map(quoted)),
    source: type === 'multiport_syslogtcp' ? quoted(type) : undefined,
  });
  return options === '{}' ? [] : [options];
}

export const SYSLOG_TCP_SOURCE = syslog('tcpServer');
export const SYSLOG_UDP_SOURCE = syslog('udpServer');
