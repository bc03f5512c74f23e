import { describe, expect, it } from '@jest/globals';
import * as alerts from '../src/alerts/index.js';
import * as console from '../src/console/index.js';
import * as deadLetters from '../src/dead-letters/index.js';
import * as flumeEntry from '../src/flume/index.js';
import * as formats from '../src/formats/index.js';
import * as jsonSchema from '../src/formats/json-schema/index.js';
import * as parquet from '../src/formats/parquet/index.js';
import * as protobuf from '../src/formats/protobuf/index.js';
import * as rxflume from '../src/index.js';
import * as inputs from '../src/inputs/index.js';
import * as parquetInputs from '../src/inputs/parquet/index.js';
import * as metrics from '../src/metrics/index.js';
import * as opentelemetry from '../src/opentelemetry/index.js';
import * as planner from '../src/planner/index.js';
import * as ports from '../src/ports/index.js';
import * as registry from '../src/registry/index.js';
import * as security from '../src/security/index.js';
import * as text from '../src/text/index.js';

/** What the author of a flow writes, by kind. Whatever is added here is kept for years. */
const VALUES = {
  flows: ['Flow', 'flow', 'isFlow'],
  sources: ['Source', 'amqpSource', 'amqpStreamSource', 'flumeSource', 'kafkaSource'],
  sinks: ['amqpSink', 'consoleSink', 'fileSink', 'flumeSink', 'httpSink', 'kafkaSink', 'nullSink'],
  formats: ['flumeAvro', 'flumeAvroFile', 'flumeText', 'json', 'jsonLines', 'jsonText', 'text', 'toFlumeAvro'],
  deliveries: ['Delivery', 'bucketSegment', 'isAmqpOrigin', 'joinDeliveries', 'keptProperties', 'splitDelivery'],
  monitoring: ['Monitor', 'defaultMonitor'],
  units: ['GiB', 'KiB', 'MiB'],
  errors: [
    'CommitError',
    'ConnectError',
    'DecodeError',
    'ERRORS',
    'FencedError',
    'OptionError',
    'RxflumeError',
    'SinkError',
    'SourceError',
    'isRetryable',
  ],
  defaults: [
    'AMQP_SINK_DEFAULTS',
    'AMQP_SOURCE_DEFAULTS',
    'AMQP_STREAM_SOURCE_DEFAULTS',
    'CONSOLE_SINK_DEFAULTS',
    'FILE_SINK_DEFAULTS',
    'FLUME_SINK_DEFAULTS',
    'FLUME_SOURCE_DEFAULTS',
    'HTTP_SINK_DEFAULTS',
    'JSON_DEFAULTS',
    'KAFKA_SINK_DEFAULTS',
    'KAFKA_SOURCE_DEFAULTS',
    'LEAK_DETECTOR_DEFAULTS',
    'NULL_SINK_DEFAULTS',
  ],
};

/** The formats that most flows do without, and what they need. */
const FORMATS: readonly string[] = [
  ...['AVRO_FILE_DEFAULTS', 'CSV_DEFAULTS', 'CSV_ROW_DEFAULTS', 'DECOMPRESS_DEFAULTS', 'MESSAGE_PACK_DEFAULTS'],
  ...['SEQUENCE_FILE_DEFAULTS', 'TEXT_DECODER_DEFAULTS'],
  ...[
    'avro',
    'avroFile',
    'avroSchemaOf',
    'csv',
    'csvRow',
    'decompress',
    'messagePack',
    'rawJson',
    'secretField',
    'sequenceFile',
    'textDecoder',
  ],
];

describe('the public surface', () => {
  it('of rxflume is what a flow is written with, and nothing else', () => {
    expect(Object.keys(rxflume).sort()).toEqual(Object.values(VALUES).flat().sort());
    expect(Object.keys(rxflume).length).toBeLessThan(60);
  });

  it('of rxflume/formats is formats, and the words of their schemas', () => {
    expect(Object.keys(formats).sort()).toEqual([...FORMATS].sort());
  });

  it('of what reads schemas is one word each, and the registry', () => {
    expect(Object.keys(jsonSchema)).toEqual(['jsonSchema']);
    expect(Object.keys(protobuf)).toEqual(['protobuf']);
    expect(Object.keys(registry).sort()).toEqual([
      'Pending',
      'REGISTRY_DEFAULTS',
      'REGISTRY_ENCODER_DEFAULTS',
      'avroSchema',
      'registry',
    ]);
  });

  it('of rxflume/security is where secrets come from', () => {
    expect(Object.keys(security).sort()).toEqual(['Secret', 'secret']);
  });

  it('of rxflume/formats/parquet is the format and its columns', () => {
    expect(Object.keys(parquet).sort()).toEqual(['PARQUET_DEFAULTS', 'column', 'parquet', 'parquetSchemaOf']);
  });

  it('of rxflume/metrics is the handler, what it is made of, and the list of metrics', () => {
    const values = [
      'METRICS',
      'METRICS_HANDLER_DEFAULTS',
      'culpritOf',
      'livenessOf',
      'metricsHandler',
      'promClientMetrics',
      'readinessOf',
    ];
    expect(Object.keys(metrics).sort()).toEqual([...values, 'statusOf']);
  });

  it('of rxflume/opentelemetry is a bridge for metrics and what traces', () => {
    expect(Object.keys(opentelemetry).sort()).toEqual(['openTelemetryMetrics', 'traceDeliveries', 'traceHeaders']);
  });

  it('of rxflume/planner is the plan, the laws it uses, and how an estimate is made', () => {
    const laws = ['littleConcurrency', 'seedThroughput', 'usl'];
    const estimates = ['exactly', 'isNotMeasured', 'meanOf'];
    expect(Object.keys(planner).sort()).toEqual(['PLAN_DEFAULTS', 'plan', ...estimates, ...laws].sort());
  });

  it('of rxflume/text is a model: trained, read, swapped, and asked in a flow', () => {
    const defaults = ['READ_TEXT_MODEL_DEFAULTS', 'TRAIN_TEXT_MODEL_DEFAULTS'];
    const models = ['ModelSlot', 'TextModel', 'readTextModel', 'textModel', 'trainTextModel'];
    expect(Object.keys(text).sort()).toEqual([...defaults, ...models, 'classify', 'distinctTexts'].sort());
  });

  it('of rxflume/flume is what migrated agents are made of, and its defaults', () => {
    const interceptors = ['hostHeader', 'regexExtractor', 'removeHeaders', 'searchReplace', 'staticHeader'];
    const others = ['timestampHeader', 'uuidHeader', 'bodyMatches', 'not', 'env', 'gap', 'flumePath', 'eventTimeMs'];
    const events = [
      'kafkaEvent',
      'lineEvent',
      'fileEvent',
      'syslogEvent',
      'spoolEvent',
      'FLUME_PATH_DEFAULTS',
      'HEADER_DEFAULTS',
      'SYSLOG_EVENT_DEFAULTS',
    ];
    expect(Object.keys(flumeEntry).sort()).toEqual([...interceptors, ...others, ...events].sort());
  });

  it('of rxflume/inputs is what an application has at hand as sources, and their defaults', () => {
    const sources = [
      'execSource',
      'fromCallback',
      'fromObservable$',
      'fromReadable',
      'generateSource',
      'httpSource',
      'netSource',
    ];
    const ofFiles = [
      'avroRecords',
      'csvRecords',
      'fileSource',
      'lineRecords',
      'spoolSource',
      'syslogSource',
      'tailSource',
      'wholeFile',
    ];
    const parts = [
      'EXEC_SOURCE',
      'FROM',
      'GENERATE_SOURCE',
      'HTTP_SOURCE',
      'MULTILINE',
      'NET_SOURCE',
      'SYSLOG_SOURCE',
      'TAIL_SOURCE',
    ];
    const ofRecords = ['AVRO_RECORDS', 'CSV_RECORDS', 'FILE_SOURCE', 'LINE_RECORDS', 'SPOOL_SOURCE', 'WHOLE_FILE'];
    const defaults = [...parts, ...ofRecords].map((name) => `${name}_DEFAULTS`);
    expect(Object.keys(inputs).sort()).toEqual([...sources, ...ofFiles, ...defaults].sort());
  });

  it('of rxflume/inputs/parquet is the reader that needs a library, and its defaults', () => {
    expect(Object.keys(parquetInputs).sort()).toEqual(['PARQUET_RECORDS_DEFAULTS', 'parquetRecords']);
  });

  it('of rxflume/alerts is rules, surges, receivers, and their defaults', () => {
    const rules = ['alertWhen', 'alerts', 'builtInAlerts', 'flowSnapshots', 'surge', 'testAlerts'];
    const receivers = ['alertmanagerReceiver', 'fileState', 'logReceiver', 'notify', 'webhookReceiver'];
    const defaults = ['ALERT_WHEN', 'ALERTMANAGER_RECEIVER', 'BUILT_IN_ALERTS', 'FLOW_SNAPSHOTS', 'LOG_RECEIVER'];
    const names = [...defaults, 'NOTIFY', 'SURGE', 'WEBHOOK_RECEIVER'].map((name) => `${name}_DEFAULTS`);
    expect(Object.keys(alerts).sort()).toEqual([...rules, ...receivers, ...names].sort());
  });

  it('of rxflume/console is one function, its defaults, a bridge to Node, and types', () => {
    expect(Object.keys(console).sort()).toEqual(['CONSOLE_APP_DEFAULTS', 'consoleApp', 'nodeListener']);
  });

  it('of rxflume/dead-letters is where they are, and what is done with them', () => {
    const stores = ['DEAD_LETTER_QUEUE_DEFAULTS', 'deadLetterFolder', 'deadLetterQueue', 'deadLetterTopic'];
    const verbs = ['dropDeadLetters', 'previewDeadLetters', 'readDeadLetters', 'replayDeadLetters', 'replayGuarantee'];
    expect(Object.keys(deadLetters).sort()).toEqual(['PREVIEW_DEAD_LETTERS_DEFAULTS', ...stores, ...verbs].sort());
  });

  it('of rxflume/ports is types, and what drivers share', () => {
    expect(Object.keys(ports).sort()).toEqual(['amqpTimeOf', 'partitionOfKey']);
  });
});
