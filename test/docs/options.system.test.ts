import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  AMQP_SINK_DEFAULTS,
  AMQP_SOURCE_DEFAULTS,
  AMQP_STREAM_SOURCE_DEFAULTS,
  CONSOLE_SINK_DEFAULTS,
  FILE_SINK_DEFAULTS,
  FLUME_SINK_DEFAULTS,
  FLUME_SOURCE_DEFAULTS,
  HTTP_SINK_DEFAULTS,
  KAFKA_SINK_DEFAULTS,
  KAFKA_SOURCE_DEFAULTS,
  LEAK_DETECTOR_DEFAULTS,
  NULL_SINK_DEFAULTS,
} from 'rxflume';
import {
  ALERT_WHEN_DEFAULTS,
  ALERTMANAGER_RECEIVER_DEFAULTS,
  BUILT_IN_ALERTS_DEFAULTS,
  FLOW_SNAPSHOTS_DEFAULTS,
  LOG_RECEIVER_DEFAULTS,
  NOTIFY_DEFAULTS,
  SURGE_DEFAULTS,
  WEBHOOK_RECEIVER_DEFAULTS,
} from 'rxflume/alerts';
import { CONSOLE_APP_DEFAULTS } from 'rxflume/console';
import { DEAD_LETTER_QUEUE_DEFAULTS, PREVIEW_DEAD_LETTERS_DEFAULTS } from 'rxflume/dead-letters';
import { AMQPLIB_DEFAULTS } from 'rxflume/drivers/amqplib';
import { AVRO_RPC_CLIENT_DEFAULTS, AVRO_RPC_SERVER_DEFAULTS } from 'rxflume/drivers/avro-rpc';
import { EMBEDDED_LOG_DEFAULTS } from 'rxflume/drivers/embedded-log';
import { KAFKAJS_DEFAULTS } from 'rxflume/drivers/kafkajs';
import { LOCAL_DISK_DEFAULTS } from 'rxflume/drivers/local-disk';
import {
  NODE_HTTP_SERVER_DEFAULTS,
  TCP_SERVER_DEFAULTS,
  UDP_SERVER_DEFAULTS,
  UNIX_SERVER_DEFAULTS,
} from 'rxflume/drivers/node';
import { STDIO_DEFAULTS } from 'rxflume/drivers/stdio';
import { UNDICI_DEFAULTS } from 'rxflume/drivers/undici';
import { WEBHDFS_DEFAULTS } from 'rxflume/drivers/webhdfs';
import { WEBHDFS_PACKAGE_DEFAULTS } from 'rxflume/drivers/webhdfs-package';
import { FLUME_PATH_DEFAULTS, HEADER_DEFAULTS, SYSLOG_EVENT_DEFAULTS } from 'rxflume/flume';
import {
  AVRO_FILE_DEFAULTS,
  CSV_DEFAULTS,
  CSV_ROW_DEFAULTS,
  DECOMPRESS_DEFAULTS,
  MESSAGE_PACK_DEFAULTS,
  SEQUENCE_FILE_DEFAULTS,
  TEXT_DECODER_DEFAULTS,
} from 'rxflume/formats';
import { PARQUET_DEFAULTS } from 'rxflume/formats/parquet';
import {
  AVRO_RECORDS_DEFAULTS,
  CSV_RECORDS_DEFAULTS,
  EXEC_SOURCE_DEFAULTS,
  FILE_SOURCE_DEFAULTS,
  FROM_DEFAULTS,
  GENERATE_SOURCE_DEFAULTS,
  HTTP_SOURCE_DEFAULTS,
  LINE_RECORDS_DEFAULTS,
  MULTILINE_DEFAULTS,
  NET_SOURCE_DEFAULTS,
  SPOOL_SOURCE_DEFAULTS,
  SYSLOG_SOURCE_DEFAULTS,
  TAIL_SOURCE_DEFAULTS,
  WHOLE_FILE_DEFAULTS,
} from 'rxflume/inputs';
import { PARQUET_RECORDS_DEFAULTS } from 'rxflume/inputs/parquet';
import { METRICS_HANDLER_DEFAULTS } from 'rxflume/metrics';
import {
  BATCH_DEFAULTS,
  FAILOVER_DEFAULTS,
  MAP_VALUE_ASYNC_DEFAULTS,
  MERGE_SOURCES_DEFAULTS,
  RETRY_WRITE_DEFAULTS,
  TEE_DEFAULTS,
  TRANSMIT_DEFAULTS,
} from 'rxflume/operators';
import { PLAN_DEFAULTS } from 'rxflume/planner';
import { REGISTRY_DEFAULTS, REGISTRY_ENCODER_DEFAULTS } from 'rxflume/registry';
import { PROOF_DEFAULTS } from 'rxflume/testing';
import { READ_TEXT_MODEL_DEFAULTS, TRAIN_TEXT_MODEL_DEFAULTS } from 'rxflume/text';
import { BACKOFF_DEFAULTS } from '../../src/backpressure/backoff.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../src/backpressure/circuit-breaker.js';
import { root, tablesUnder, textOf } from './markdown.js';

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

test.each([
  ['docs/guides/operators.md', 'What is lost or hangs', LEAK_DETECTOR_DEFAULTS],
  ['docs/reference/options/operators.md', 'batch', BATCH_DEFAULTS],
  ['docs/reference/options/operators.md', 'failover', FAILOVER_DEFAULTS],
  ['docs/reference/options/operators.md', 'mapValueAsync', MAP_VALUE_ASYNC_DEFAULTS],
  ['docs/reference/options/operators.md', 'mergeSources', MERGE_SOURCES_DEFAULTS],
  ['docs/reference/options/operators.md', 'retryConnect', BACKOFF_DEFAULTS],
  ['docs/reference/options/operators.md', 'retryWrite', { ...RETRY_WRITE_DEFAULTS, breaker: CIRCUIT_BREAKER_DEFAULTS }],
  ['docs/reference/options/operators.md', 'tee', TEE_DEFAULTS],
  ['docs/reference/options/operators.md', 'transmit', TRANSMIT_DEFAULTS],
  ['docs/reference/options/testing.md', 'Options of the proof', PROOF_DEFAULTS],
  ['docs/reference/options/kafka.md', 'Options of the source', KAFKA_SOURCE_DEFAULTS],
  ['docs/reference/options/kafka.md', 'Options of the kafkajs driver', KAFKAJS_DEFAULTS],
  ['docs/reference/options/kafka.md', 'The embedded log', EMBEDDED_LOG_DEFAULTS],
  ['docs/reference/options/kafka.md', 'Options of the sink', KAFKA_SINK_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of the source', FLUME_SOURCE_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of the sink', FLUME_SINK_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of the client', AVRO_RPC_CLIENT_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of the server', AVRO_RPC_SERVER_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of a path', FLUME_PATH_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of a header', HEADER_DEFAULTS],
  ['docs/reference/options/flume.md', 'Options of a syslog event', SYSLOG_EVENT_DEFAULTS],
  ['docs/reference/options/rabbitmq.md', 'Options of the source', AMQP_SOURCE_DEFAULTS],
  ['docs/reference/options/rabbitmq.md', 'Options of the stream source', AMQP_STREAM_SOURCE_DEFAULTS],
  ['docs/reference/options/rabbitmq.md', 'Options of the sink', AMQP_SINK_DEFAULTS],
  ['docs/reference/options/rabbitmq.md', 'Options of the amqplib driver', AMQPLIB_DEFAULTS],
  ['docs/reference/options/files.md', 'Options of the sink', FILE_SINK_DEFAULTS],
  ['docs/reference/options/files.md', 'Options of the WebHDFS driver', WEBHDFS_DEFAULTS],
  ['docs/reference/options/files.md', 'Options of the webhdfs-package driver', WEBHDFS_PACKAGE_DEFAULTS],
  ['docs/reference/options/files.md', 'Options of the local disk driver', LOCAL_DISK_DEFAULTS],
  ['docs/reference/formats.md', 'Options of Avro', AVRO_FILE_DEFAULTS],
  ['docs/reference/decoders.md', 'Options of decompress', DECOMPRESS_DEFAULTS],
  ['docs/reference/decoders.md', 'Options of textDecoder', TEXT_DECODER_DEFAULTS],
  ['docs/reference/decoders.md', 'Options of csvRow', CSV_ROW_DEFAULTS],
  ['docs/reference/decoders.md', 'Options of messagePack', MESSAGE_PACK_DEFAULTS],
  ['docs/reference/formats.md', 'Options of CSV', CSV_DEFAULTS],
  ['docs/reference/formats.md', 'Options of SequenceFile', SEQUENCE_FILE_DEFAULTS],
  ['docs/reference/formats.md', 'Parquet', PARQUET_DEFAULTS],
  ['docs/reference/metrics.md', 'Serve them to Prometheus', METRICS_HANDLER_DEFAULTS],
  ['docs/reference/planner.md', 'Inputs', PLAN_DEFAULTS],
  ['docs/reference/text.md', 'trainTextModel', TRAIN_TEXT_MODEL_DEFAULTS],
  ['docs/reference/text.md', 'readTextModel', READ_TEXT_MODEL_DEFAULTS],
  ['docs/reference/options/registry.md', 'Options of the registry', REGISTRY_DEFAULTS],
  ['docs/reference/options/registry.md', 'Options of an encoder', REGISTRY_ENCODER_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of fromObservable$, fromCallback and fromReadable', FROM_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of execSource', EXEC_SOURCE_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of generateSource', GENERATE_SOURCE_DEFAULTS],
  [
    'docs/reference/options/inputs.md',
    'Options of tailSource',
    { ...TAIL_SOURCE_DEFAULTS, multiline: MULTILINE_DEFAULTS },
  ],
  ['docs/reference/options/inputs.md', 'Options of httpSource', HTTP_SOURCE_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of nodeHttpServer', NODE_HTTP_SERVER_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of netSource', NET_SOURCE_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of syslogSource', SYSLOG_SOURCE_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of tcpServer', TCP_SERVER_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of unixServer', UNIX_SERVER_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of udpServer', UDP_SERVER_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of spoolSource', SPOOL_SOURCE_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of fileSource', FILE_SOURCE_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of lineRecords', LINE_RECORDS_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of csvRecords', CSV_RECORDS_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of avroRecords', AVRO_RECORDS_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of parquetRecords', PARQUET_RECORDS_DEFAULTS],
  ['docs/reference/options/inputs.md', 'Options of wholeFile', WHOLE_FILE_DEFAULTS],
  ['docs/reference/alerts.md', 'alertWhen', ALERT_WHEN_DEFAULTS],
  ['docs/reference/alerts.md', 'builtInAlerts', BUILT_IN_ALERTS_DEFAULTS],
  ['docs/reference/alerts.md', 'flowSnapshots', FLOW_SNAPSHOTS_DEFAULTS],
  ['docs/reference/dead-letters.md', 'deadLetterQueue', DEAD_LETTER_QUEUE_DEFAULTS],
  ['docs/reference/dead-letters.md', 'previewDeadLetters', PREVIEW_DEAD_LETTERS_DEFAULTS],
  ['docs/reference/alerts.md', 'surge', SURGE_DEFAULTS],
  ['docs/reference/alerts.md', 'notify', NOTIFY_DEFAULTS],
  ['docs/reference/alerts.md', 'logReceiver', LOG_RECEIVER_DEFAULTS],
  ['docs/reference/alerts.md', 'webhookReceiver', WEBHOOK_RECEIVER_DEFAULTS],
  ['docs/reference/alerts.md', 'alertmanagerReceiver', ALERTMANAGER_RECEIVER_DEFAULTS],
  ['docs/reference/console.md', 'Options of the console', CONSOLE_APP_DEFAULTS],
  ['docs/reference/options/http.md', 'Options of the sink', HTTP_SINK_DEFAULTS],
  ['docs/reference/options/http.md', 'Options of the undici driver', UNDICI_DEFAULTS],
  ['docs/reference/options/console.md', 'Options of the console sink', CONSOLE_SINK_DEFAULTS],
  ['docs/reference/options/console.md', 'Options of the stdio driver', STDIO_DEFAULTS],
  ['docs/reference/options/console.md', 'Options of the null sink', NULL_SINK_DEFAULTS],
])('%s, %s: every default is as in the code', (document, heading, defaults) => {
  const [table] = tablesUnder(document, heading);
  const column = table?.head.indexOf('default') ?? -1;
  const documented = new Map(table?.rows.map((row) => [row[0]?.replaceAll('`', ''), shown(row[column] ?? '')]));
  const inCode = Object.entries(defaults).flatMap(([name, value]) => flat(name, value));
  const different = inCode.filter(([name, value]) => documented.get(name) !== value);
  expect(different.map(([name, value]) => `${name}: ${value} in the code, ${documented.get(name)} documented`)).toEqual(
    [],
  );
});

/** A part of others that have tables; a choice that the text explains. */
const WITHOUT_TABLE = ['AMQP_READ_DEFAULTS', 'FILE_READING_DEFAULTS', 'JSON_DEFAULTS'];

test('every constant of defaults has a table, which is compared above', () => {
  const here = textOf('test/docs/options.system.test.ts');
  const exported = ['src', 'operators'].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...textOf(`${folder}/${name}`).matchAll(/^export const (\w+_DEFAULTS)\b/gm)])
      .map(([, name]) => name as string),
  );
  // Imported, and in a row.
  const timesNamed = (name: string) => here.split(new RegExp(`\\b${name}\\b`)).length - 1;
  expect(exported.filter((name) => timesNamed(name) < 2).sort()).toEqual(WITHOUT_TABLE);
});

/** Nested options by their dotted names; what has no short text (a monitor) is not compared. */
function flat(name: string, value: unknown): [string, string][] {
  if (value === Number.MAX_SAFE_INTEGER) return [[name, 'no limit']];
  if (['string', 'number', 'boolean'].includes(typeof value)) return [[name, String(value)]];
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? Object.entries(value).flatMap(([inner, deep]) => flat(`${name}.${inner}`, deep)) : [];
}

/** `30,000` as 30000, `64 MiB` in bytes, `` `earliest` `` as earliest, *the root* and *the empty text* as that. */
function shown(cell: string): string {
  const number = /^([\d,]+)(?: (KiB|MiB|GiB))?$/.exec(cell);
  if (number !== null) return String(Number((number[1] as string).replaceAll(',', '')) * (UNITS[number[2] ?? ''] ?? 1));
  return cell === 'the root' || cell === 'the empty text' ? '' : cell.replaceAll('`', '');
}
