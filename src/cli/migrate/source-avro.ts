import { list, object, quoted } from './code.js';
import { lacks, no, to } from './settings.js';
import { connecting, hostCode, portCode, type SourceType } from './source-type.js';

export const AVRO_SOURCE: SourceType = {
  rules: {
    bind: to('`host` of `avroRpcServer`'),
    port: to('`port` of `avroRpcServer`'),
    threads: no('Flume ignores it, too, since 1.10'),
    'compression-type': to('`compression` of `avroRpcServer`'),
    ssl: to('`tls` of `avroRpcServer`'),
    keystore: lacks('give the certificate and key as PEM: `tls: { cert, key }` of `avroRpcServer`'),
    'keystore-password': no('belongs to the key store'),
    'keystore-type': no('belongs to the key store'),
    ipFilter: to('`allow` of `avroRpcServer`'),
    ipFilterRules: to('`allow` of `avroRpcServer`'),
    'exclude-protocols': no('Node has no SSLv3'),
    'include-protocols': no("Node's own choice"),
    'exclude-cipher-suites': no("Node's own choice"),
    'include-cipher-suites': no("Node's own choice"),
  },
  write({ name, settings }, writing) {
    const deflate = settings.text('compression-type') === 'deflate';
    const allowed = settings.flag('ipFilter', false) ? allowList(settings.text('ipFilterRules') ?? '') : [];
    const server = writing.call(
      'drivers/avro-rpc',
      'avroRpcServer',
      object({
        host: hostCode(settings.text('bind'), settings.line('bind'), writing),
        port: portCode(settings.text('port'), writing),
        compression: deflate ? quoted('deflate') : undefined,
        allow:
          allowed === undefined
            ? list([
                writing.gap(
                  `line ${settings.line('ipFilterRules')}: rules other than allow:ip:… have no counterpart here`,
                ),
              ])
            : allowed.length === 0
              ? undefined
              : list(allowed.map(quoted)),
      }),
    );
    const source = writing.call('', 'flumeSource', server, object({ name: quoted(name) }));
    return { source: connecting(source, writing), steps: [] };
  },
};

/** The networks of rules that only allow; undefined where there are others. */
function allowList(rules: string): string[] | undefined {
  const found = rules.split(',').map((rule) => /^\s*allow:ip:([\d.:a-fA-F/]+)\s*$/.exec(rule)?.[1]);
  return found.every((one) => one !== undefined) ? found : undefined;
}
