import { type Code, list, object, quoted } from './code.js';
import type { Rules, Settings } from './settings.js';
import { instead, lacks, no, to } from './settings.js';
import type { Writing } from './writing.js';

/** Of the client of Kafka, whatever it is for: after `kafka.consumer.` or `kafka.producer.`. */
export function clientRules(prefix: string): Rules {
  const rules: Rules = {
    'security.protocol': to('`tls` of `kafkajs`'),
    'sasl.mechanism': to('`sasl` of `kafkajs`'),
    'sasl.jaas.config': to('`sasl` of `kafkajs`; the password is read from the environment: KAFKA_PASSWORD'),
    'sasl.kerberos.service.name': lacks('GSSAPI (Kerberos) has no counterpart here'),
    'ssl.truststore.location': instead(
      'Node reads PEM: convert it by `keytool -exportcert -rfc`, and name it in NODE_EXTRA_CA_CERTS',
    ),
    'ssl.truststore.password': no('a PEM file of certificates has no password'),
    'ssl.truststore.type': no('Node reads PEM'),
    'ssl.keystore.location': lacks('give the certificate and key as PEM: `tls: { cert, key }` of `kafkajs`'),
    'ssl.keystore.*': no('belongs to the key store'),
    'ssl.key.password': lacks('give `passphrase` with the PEM key: `tls` of `kafkajs`'),
    'ssl.endpoint.identification.algorithm': no('the name in the certificate is always checked'),
    'client.id': no('rxflume names its client rxflume; see `clientId` of `kafkajs`'),
    '*': no('a setting of the Java client'),
  };
  return Object.fromEntries(Object.entries(rules).map(([key, rule]) => [prefix + key, rule]));
}

/** `kafkajs(…)` with the brokers and security that the settings say; `prefix` is where the client's settings begin. */
export function kafkaDriver(settings: Settings, servers: string, prefix: string, writing: Writing): Code {
  const brokers = settings.text(servers) ?? '';
  const client = settings.under(prefix);
  const protocol = (client.text('security.protocol') ?? 'PLAINTEXT').toUpperCase();
  const options = object({
    brokers: brokers === '' ? list([writing.gap(`no brokers: ${servers} is missing`)]) : writing.texts(brokers),
    tls: protocol.endsWith('SSL') ? 'true' : undefined,
    sasl: protocol.startsWith('SASL') ? sasl(client, writing) : undefined,
  });
  return writing.call('drivers/kafkajs', 'kafkajs', options);
}

const MECHANISMS: Readonly<Record<string, string>> = {
  PLAIN: 'plain',
  'SCRAM-SHA-256': 'scram-sha-256',
  'SCRAM-SHA-512': 'scram-sha-512',
};

function sasl(client: Settings, writing: Writing): Code {
  const given = (client.text('sasl.mechanism') ?? 'GSSAPI').toUpperCase();
  const mechanism = Object.hasOwn(MECHANISMS, given) ? MECHANISMS[given] : undefined;
  if (mechanism === undefined)
    return writing.gap(`line ${client.line('sasl.mechanism')}: SASL ${given} has no counterpart here`);
  const [, username = ''] = /username\s*=\s*"([^"]*)"/.exec(client.text('sasl.jaas.config') ?? '') ?? [];
  const name = username === '' ? `${writing.use('flume', 'env')}('KAFKA_USERNAME')` : writing.text(username);
  return object({
    mechanism: quoted(mechanism),
    username: name,
    password: `${writing.use('flume', 'env')}('KAFKA_PASSWORD')`,
  });
}
