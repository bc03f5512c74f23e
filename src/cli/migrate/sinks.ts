import type { Component } from './agent.js';
import { type Code, call, list, numeral, object, quoted } from './code.js';
import { HDFS_RULES, hdfsSink, serializerCode } from './hdfs.js';
import { clientRules, kafkaDriver } from './kafka.js';
import { instead, lacks, no, type Rules, to } from './settings.js';
import type { Writing } from './writing.js';

/** What a sink is written into: the topics that the source reads. */
export interface SinkSetting {
  readonly reads: readonly string[];
}

export interface SinkType {
  readonly rules: Rules;
  /** Where it keeps how far it is, if it does: a source that resumes from there is stored exactly once. */
  readonly ledger?: 'files' | 'kafka';
  write(sink: Component, writing: Writing, setting: SinkSetting): Code;
}

const COMMON: Rules = {
  type: to('the part itself'),
  channel: to('the flow'),
  batchSize: no('see `batch` of the sink'),
};

const HDFS: SinkType = { rules: HDFS_RULES, ledger: 'files', write: hdfsSink };

const FILE_ROLL: SinkType = {
  ledger: 'files',
  rules: {
    'sink.directory': to('`root` of `fileSink`'),
    'sink.rollInterval': to('`roll.intervalMs` of `fileSink`'),
    'sink.serializer': to('`format` of `fileSink`'),
    'sink.serializer.appendNewline': to('`format` of `fileSink`'),
    'sink.serializer.compressionCodec': to('`codec` of `flumeAvroFile`'),
    'sink.batchSize': no('there is no transaction'),
    'sink.pathManager': no('files are named by stream and offsets'),
    'sink.pathManager.*': no('files are named by stream and offsets'),
  },
  write({ settings, name }, writing) {
    const root = settings.text('sink.directory');
    const seconds = settings.number('sink.rollInterval', 30);
    const options = object({
      root: root === undefined ? writing.gap(`the sink ${name} has no sink.directory`) : writing.text(root),
      format: serializerCode(settings, writing, {}, 'sink.'),
      roll: object({ intervalMs: seconds === 0 ? numeral(2_147_483_647) : numeral(seconds * 1_000) }),
    });
    return call(
      `${writing.use('', 'fileSink')}<${writing.use('', 'type FlumeEvent')}>`,
      writing.call('drivers/local-disk', 'localDisk'),
      options,
    );
  },
};

const KAFKA: SinkType = {
  ledger: 'kafka',
  rules: {
    'kafka.bootstrap.servers': to('`brokers` of `kafkajs`'),
    'kafka.topic': to('`topic` of `kafkaSink`'),
    'kafka.producer.acks': instead('a record is acked when all replicas in sync have it, whatever Flume was set to'),
    flumeBatchSize: no('see `batch` of `kafkaSink`'),
    useFlumeEventFormat: to('`encode: toFlumeAvro`'),
    defaultPartitionId: to('`partition` of `kafkaSink`'),
    partitionIdHeader: to('`partition` of `kafkaSink`'),
    allowTopicOverride: to('`topic` of `kafkaSink`'),
    topicHeader: to('`topic` of `kafkaSink`'),
    timestampHeader: to('`timestamp` of `kafkaSink`'),
    'header.*': to('`headers` of `kafkaSink`'),
    'kafka.producer.compression.type': to('`compression` of `kafkaSink`'),
    'kafka.producer.linger.ms': no('see `batch.maxWaitMs` of `kafkaSink`'),
    ...clientRules('kafka.producer.'),
    brokerList: to('`brokers`; the name of this setting before Flume 1.7'),
    topic: to('`topic`; the name of this setting before Flume 1.7'),
    requiredAcks: instead('a record is acked when all replicas in sync have it'),
  },
  write({ settings }, writing, { reads }) {
    const acks = settings.text('kafka.producer.acks') ?? settings.text('requiredAcks') ?? '1';
    if (acks !== 'all' && acks !== '-1')
      writing.warn(
        settings.line('kafka.producer.acks') || settings.line('requiredAcks'),
        `Flume sends with acks=${acks}, and loses records when a leader fails. The flow waits for all replicas in sync.`,
      );
    const servers = settings.text('kafka.bootstrap.servers') === undefined ? 'brokerList' : 'kafka.bootstrap.servers';
    const event = writing.use('', 'type FlumeEvent');
    const copied = settings.under('header.');
    const options = object({
      topic: topicCode(settings, writing, reads),
      encode: settings.flag('useFlumeEventFormat', false) ? writing.use('', 'toFlumeAvro') : '({ body }) => body',
      key: '({ headers }) => headers.key ?? null',
      headers:
        copied.names.length === 0
          ? '() => ({})'
          : `({ headers }) => ({ ${copied.names.map((name) => `...(headers[${quoted(name)}] !== undefined && { ${quoted(copied.text(name) as string)}: Buffer.from(headers[${quoted(name)}]) })`).join(', ')} })`,
      timestamp: timestampCode(settings.text('timestampHeader')),
      partition: partitionCode(settings.text('partitionIdHeader'), settings.text('defaultPartitionId')),
      compression: compressionCode(settings.text('kafka.producer.compression.type')),
    });
    return call(
      `${writing.use('', 'kafkaSink')}<${event}>`,
      kafkaDriver(settings, servers, 'kafka.producer.', writing),
      options,
    );
  },
};

/** Flume lets the header `topic` choose, which the source of Kafka sets: then each record goes back to where it came from. */
function topicCode(settings: Component['settings'], writing: Writing, reads: readonly string[]): Code {
  const topic = settings.text('kafka.topic') ?? settings.text('topic') ?? 'default-flume-topic';
  const overridden = settings.flag('allowTopicOverride', true);
  const header = settings.text('topicHeader') ?? 'topic';
  if (reads.length > 0 && overridden) {
    writing.warn(
      settings.line('kafka.topic'),
      `A Kafka source sets the header \`${header}\`, which Flume's Kafka sink takes for the topic: each record would go back to ${reads.join(', ')}, again and again. The flow writes to ${topic}.`,
    );
    return writing.text(topic);
  }
  const fixed = topic.includes('%') ? `${writing.use('flume', 'flumePath')}(${writing.text(topic)})` : undefined;
  if (!overridden) return fixed ?? writing.text(topic);
  return `(event) => event.headers[${quoted(header)}] ?? ${fixed === undefined ? writing.text(topic) : `${fixed}(event)`}`;
}

function partitionCode(header: string | undefined, byDefault: string | undefined): Code | undefined {
  if (header === undefined && byDefault === undefined) return undefined;
  const fixed = byDefault ?? 'null';
  if (header === undefined) return `() => ${fixed}`;
  return `({ headers }) => (headers[${quoted(header)}] === undefined ? ${fixed} : Number(headers[${quoted(header)}]))`;
}

/** Without the header, and where there is none to read, Kafka has the time of writing. */
function timestampCode(header: string | undefined): Code {
  if (header === undefined) return '() => null';
  return `({ headers }) => (headers[${quoted(header)}] === undefined ? null : Number(headers[${quoted(header)}]))`;
}

function compressionCode(type: string | undefined): Code | undefined {
  return type === undefined || type === 'none' ? undefined : quoted(type);
}

const AVRO: SinkType = {
  rules: {
    hostname: to('`agents` of `avroRpcClient`'),
    port: to('`agents` of `avroRpcClient`'),
    'batch-size': to('`batch.count` of `flumeSink`'),
    'connect-timeout': to('`connectTimeoutMs` of `avroRpcClient`'),
    'request-timeout': to('`requestTimeoutMs` of `avroRpcClient`'),
    'reset-connection-interval': no('a name is looked up at each connection'),
    'compression-type': to('`compression` of `avroRpcClient`'),
    'compression-level': to('`compressionLevel` of `avroRpcClient`'),
    ssl: to('`tls` of `avroRpcClient`'),
    'trust-all-certs': instead('the certificate is checked: give `ca`'),
    truststore: instead('Node reads PEM: convert it, and name it in NODE_EXTRA_CA_CERTS'),
    'truststore-password': no('a PEM file of certificates has no password'),
    'truststore-type': no('Node reads PEM'),
    'exclude-protocols': no('Node has no SSLv3'),
    'include-protocols': no("Node's own choice"),
    'exclude-cipher-suites': no("Node's own choice"),
    'include-cipher-suites': no("Node's own choice"),
    maxIoWorkers: no('Flume ignores it, too, since 1.10'),
  },
  write({ settings, name }, writing) {
    const host = settings.text('hostname');
    const port = settings.text('port') ?? '4141';
    const level = settings.text('compression-level');
    const isDeflated = settings.text('compression-type') === 'deflate';
    const client = writing.call(
      'drivers/avro-rpc',
      'avroRpcClient',
      object({
        agents: list([
          host === undefined ? writing.gap(`the sink ${name} has no hostname`) : writing.text(`${host}:${port}`),
        ]),
        tls: settings.flag('ssl', false) ? 'true' : undefined,
        compression: isDeflated ? quoted('deflate') : undefined,
        compressionLevel: isDeflated && level !== undefined ? level : undefined,
        connectTimeoutMs: numeral(settings.number('connect-timeout', 20_000)),
        requestTimeoutMs: numeral(settings.number('request-timeout', 20_000)),
      }),
    );
    return writing.call(
      '',
      'flumeSink',
      client,
      object({ batch: object({ count: numeral(settings.number('batch-size', 100)) }) }),
    );
  },
};

const HTTP: SinkType = {
  rules: {
    endpoint: to('`url` of `httpSink`'),
    connectTimeout: no('see `undici`'),
    requestTimeout: to('`requestTimeoutMs` of `httpSink`'),
    contentTypeHeader: to('`body` of `httpSink`'),
    acceptHeader: to('`headers` of `httpSink`'),
    defaultBackoff: no('5xx, 408 and 429 are tried again'),
    defaultRollback: instead(
      'a 2xx is a yes; Flume sends the same event again after every answer, even 200, unless it is set otherwise',
    ),
    defaultIncrementMetrics: no('metrics count each answer'),
    'backoff.*': no('5xx, 408 and 429 are tried again; 4xx nacks the value'),
    'rollback.*': no('5xx, 408 and 429 are tried again; 4xx nacks the value'),
    'incrementMetrics.*': no('metrics count each answer'),
  },
  write({ settings, name }, writing) {
    const url = settings.text('endpoint');
    const type = settings.text('contentTypeHeader') ?? 'text/plain';
    const event = writing.use('', 'type FlumeEvent');
    const options = object({
      url: url === undefined ? writing.gap(`the sink ${name} has no endpoint`) : writing.text(url),
      headers: object({ accept: quoted(settings.text('acceptHeader') ?? 'text/plain') }),
      body: object({ contentType: quoted(type), encode: '({ body }) => body' }),
      batch: object({ count: '1' }),
      requestTimeoutMs: numeral(settings.number('requestTimeout', 5_000)),
    });
    return call(`${writing.use('', 'httpSink')}<${event}>`, writing.call('drivers/undici', 'undici'), options);
  },
};

const LOGGER: SinkType = {
  rules: { maxBytesToLog: to('`encode` of `consoleSink`') },
  write({ settings }, writing) {
    const most = settings.number('maxBytesToLog', 16);
    const event = writing.use('', 'type FlumeEvent');
    const encode = `({ headers, body }) => \`\${JSON.stringify(headers)} \${Buffer.from(body).subarray(0, ${numeral(most)}).toString()}\``;
    return call(
      `${writing.use('', 'consoleSink')}<${event}>`,
      writing.call('drivers/stdio', 'stdio'),
      object({ encode }),
    );
  },
};

const NULL: SinkType = {
  rules: { logEveryNEvents: no('metrics count what it takes') },
  write: (_, writing) => writing.call('', 'nullSink'),
};

const TYPES: Readonly<Record<string, SinkType>> = {
  hdfs: HDFS,
  file_roll: FILE_ROLL,
  'org.apache.flume.sink.kafka.kafkasink': KAFKA,
  avro: AVRO,
  http: HTTP,
  logger: LOGGER,
  null: NULL,
};

/** Whether there is a counterpart of this type. */
export function isKnownSink({ type }: Component): boolean {
  return Object.hasOwn(TYPES, type);
}

/** Which ledger a sink of this type keeps, from which a source may resume. */
export function ledgerOf({ type }: Component): 'files' | 'kafka' | undefined {
  return Object.hasOwn(TYPES, type) ? TYPES[type]?.ledger : undefined;
}

/** The sink as code. One of a type without a counterpart is a gap. */
export function sinkCode(sink: Component, writing: Writing, setting: SinkSetting): Code {
  const { type, settings, name } = sink;
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (known === undefined) {
    settings.say('type', lacks('a sink of this type has no counterpart here'));
    settings.accountFor('sink', { channel: to('the flow'), '*': no('belongs to a sink that has no counterpart') });
    return writing.gap(
      `line ${settings.line('type')}: the sink ${name} of type ${settings.text('type') ?? '(none)'} has no counterpart here`,
    );
  }
  const code = known.write(sink, writing, setting);
  writing.lack(settings.accountFor(`sink ${settings.text('type')}`, { ...COMMON, ...known.rules }));
  return code;
}
