import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EMPTY } from 'rxjs';
import * as operators from '../operators/index.js';
import * as alerts from '../src/alerts/index.js';
import { consoleApp } from '../src/console/index.js';
import { OptionError } from '../src/core/errors.js';
import * as deadLetters from '../src/dead-letters/index.js';
import { checkOptions as amqplib } from '../src/drivers/amqplib/options.js';
import { checkClientOptions, checkServerOptions } from '../src/drivers/avro-rpc/options.js';
import { checkOptions as embeddedLog } from '../src/drivers/embedded-log/options.js';
import { checkOptions as kafkajs } from '../src/drivers/kafkajs/options.js';
import { checkOptions as localDisk } from '../src/drivers/local-disk/options.js';
import { checkHttpOptions } from '../src/drivers/node/http-options.js';
import { checkTcpOptions, checkUdpOptions, checkUnixOptions } from '../src/drivers/node/socket-options.js';
import { stdio } from '../src/drivers/stdio/index.js';
import { checkOptions as undici } from '../src/drivers/undici/options.js';
import { checkOptions as webhdfs } from '../src/drivers/webhdfs/options.js';
import { checkOptions as webhdfsPackage } from '../src/drivers/webhdfs-package/options.js';
import { Edge } from '../src/flow/edge.js';
import { checkWatch } from '../src/flow/probes.js';
import { tapped } from '../src/flow/tap.js';
import { flumePath, syslogEvent } from '../src/flume/index.js';
import {
  avro,
  avroFile,
  avroSchemaOf,
  csv,
  csvRow,
  decompress,
  messagePack,
  sequenceFile,
  textDecoder,
} from '../src/formats/index.js';
import { column, parquet } from '../src/formats/parquet/index.js';
import * as rxflume from '../src/index.js';
import { metricsHandler } from '../src/metrics/index.js';
import { traceDeliveries, traceHeaders } from '../src/opentelemetry/index.js';
import { plan } from '../src/planner/index.js';
import { checkOptions as registry } from '../src/registry/options.js';
import { checkEncoder } from '../src/registry/registry-encoder.js';
import { checkOptions as amqpSink } from '../src/sinks/amqp/options.js';
import { checkOptions as consoleSink } from '../src/sinks/console/options.js';
import { checkOptions as checkFileSinkOptions } from '../src/sinks/files/options.js';
import { checkOptions as flumeSink } from '../src/sinks/flume/options.js';
import { checkOptions as httpSink } from '../src/sinks/http/options.js';
import { checkOptions as kafkaSink } from '../src/sinks/kafka/options.js';
import { checkOptions as amqpSource } from '../src/sources/amqp/options.js';
import { checkStreamOptions } from '../src/sources/amqp/stream-options.js';
import { checkOptions as execSource } from '../src/sources/exec/options.js';
import { avroRecords } from '../src/sources/file/avro-records.js';
import { csvRecords } from '../src/sources/file/csv-records.js';
import { checkOptions as fileSource } from '../src/sources/file/file-options.js';
import { lineRecords } from '../src/sources/file/line-records.js';
import { parquetRecords } from '../src/sources/file/parquet-records.js';
import { wholeFile } from '../src/sources/file/whole-file.js';
import { checkOptions as flumeSource } from '../src/sources/flume/options.js';
import { checkOptions as from } from '../src/sources/from/options.js';
import { checkOptions as generateSource } from '../src/sources/generate/options.js';
import { checkOptions as httpSource } from '../src/sources/http/options.js';
import { checkOptions as kafkaSource } from '../src/sources/kafka/options.js';
import { checkOptions as netSource } from '../src/sources/net/options.js';
import { checkOptions as spoolSource } from '../src/sources/spool/options.js';
import { checkOptions as syslogSource } from '../src/sources/syslog/options.js';
import { checkOptions as tail } from '../src/sources/tail/options.js';
import { MemoryAmqp, MemoryHttp, memoryFileSystem } from '../src/testing/index.js';
import { checkOptions as proof } from '../src/testing/proof/options.js';
import { checkOptions as readTextModel } from '../src/text/read-text-model.js';
import { checkOptions as trainTextModel } from '../src/text/train.js';

const sink = () => EMPTY;
const source = new rxflume.Source<never>(() => undefined);
const amqp = new MemoryAmqp();
const bad = deadLetters.deadLetterFolder(memoryFileSystem(), { root: '/bad' });
const aFlow = rxflume.flow('f', source, sink);
const sasl = { mechanism: 'plain', username: 'u', password: 'p' };

/** By the name that its errors have: what takes the options, and the least that it takes. */
// biome-ignore lint/suspicious/noExplicitAny: options of every type, some of them wrong on purpose
const TAKERS: Readonly<Record<string, readonly [take: (options: any) => unknown, least: object]>> = {
  'watched options': [checkWatch, {}],
  'amqpSink options': [amqpSink, { routingKey: 'q' }],
  'amqpSource options': [amqpSource, { queues: ['q'] }],
  'amqpStreamSource options': [checkStreamOptions, { queues: ['q'] }],
  'amqplib options': [amqplib, { urls: ['amqp://h:1/v'] }],
  'avroRpcClient options': [checkClientOptions, { agents: ['h:1'] }],
  'avroRpcServer options': [checkServerOptions, { port: 0 }],
  'consoleApp options': [(options) => consoleApp(options).end(), {}],
  'consoleSink options': [consoleSink, {}],
  'embeddedLog options': [embeddedLog, { folder: '/f' }],
  'fileSink options': [
    (given) => checkFileSinkOptions(memoryFileSystem(), given),
    { root: '/r', format: rxflume.text() },
  ],
  'flumeSink options': [flumeSink, {}],
  'flumeSource options': [flumeSource, { name: 'n' }],
  'avroRecords options': [avroRecords, {}],
  'csvRecords options': [csvRecords, {}],
  'parquetRecords options': [parquetRecords, {}],
  'execSource options': [execSource, { name: 'n', command: ['c'] }],
  'fileSource options': [fileSource, { name: 'n', files: ['/f'], records: lineRecords() }],
  'lineRecords options': [lineRecords, {}],
  'spoolSource options': [spoolSource, { name: 'n', folder: '/f', records: lineRecords() }],
  'wholeFile options': [wholeFile, {}],
  'from options': [from, { name: 'n' }],
  'generateSource options': [generateSource, { name: 'n' }],
  'tailSource options': [tail, { paths: ['/log/*'], positionFile: '/state' }],
  'httpSink options': [httpSink, { url: 'http://h/' }],
  'httpSource options': [httpSource, { name: 'n' }],
  'netSource options': [netSource, { name: 'n' }],
  'syslogSource options': [syslogSource, { name: 'n' }],
  'nodeHttpServer options': [checkHttpOptions, { port: 0 }],
  'tap options': [(options) => void tapped({ edge: new Edge(), received: () => 0, over$: EMPTY }, options), {}],
  'tcpServer options': [checkTcpOptions, { port: 0 }],
  'udpServer options': [checkUdpOptions, { port: 0 }],
  'unixServer options': [checkUnixOptions, { path: '/p' }],
  'kafkaSink options': [kafkaSink, { topic: 't' }],
  'kafkaSource options': [kafkaSource, { topics: ['t'], groupId: 'g' }],
  'kafkajs options': [kafkajs, { brokers: ['h:1'], sasl }],
  'localDisk options': [localDisk, {}],
  'metricsHandler options': [(options) => metricsHandler(options).end(), {}],
  'plan inputs': [plan, {}],
  'readTextModel options': [readTextModel, {}],
  'trainTextModel options': [
    trainTextModel,
    { kind: 'topics', card: { source: 's', licence: 'l', date: 'd', limits: '' } },
  ],
  'alertWhen options': [alerts.alertWhen, { name: 'n', when: () => true }],
  'alertmanagerReceiver options': [alerts.alertmanagerReceiver, { urls: ['http://h:1'] }],
  'builtInAlerts options': [alerts.builtInAlerts, {}],
  'flowSnapshots options': [alerts.flowSnapshots, {}],
  'logReceiver options': [alerts.logReceiver, {}],
  'notify options': [alerts.notify, { receivers: [alerts.logReceiver()] }],
  'surge options': [alerts.surge, { name: 'n', key: () => 'k', of: () => true }],
  'webhookReceiver options': [alerts.webhookReceiver, { url: 'http://h:1' }],
  'deadLetterFolder options': [(options) => deadLetters.deadLetterFolder(memoryFileSystem(), options), { root: '/r' }],
  'deadLetterQueue options': [(options) => deadLetters.deadLetterQueue(amqp, options), { queue: 'q' }],
  'deadLetterTopic options': [
    (options) => deadLetters.deadLetterTopic({ name: 'k', connect: () => EMPTY, open: () => EMPTY }, options),
    { topic: 't', replays: { fs: memoryFileSystem(), root: '/r' } },
  ],
  'readDeadLetters options': [(options) => void deadLetters.readDeadLetters(bad, options), {}],
  'dropDeadLetters options': [(options) => void deadLetters.dropDeadLetters(bad, options), { filter: {} }],
  'previewDeadLetters options': [(options) => void deadLetters.previewDeadLetters(bad, aFlow, options), {}],
  'replayDeadLetters options': [(options) => void deadLetters.replayDeadLetters(bad, aFlow, options), {}],
  'traceDeliveries options': [traceDeliveries, {}],
  'traceHeaders options': [traceHeaders, {}],
  'nullSink options': [rxflume.nullSink, {}],
  'proveExactlyOnce options': [proof, {}],
  'stdio options': [stdio, {}],
  'undici options': [undici, {}],
  'encoder options': [checkEncoder, {}],
  'registry options': [registry, { url: 'http://h:1' }],
  'webhdfs options': [webhdfs, { nameNodes: ['http://h:1'] }],
  'webhdfsPackage options': [webhdfsPackage, { client: { host: 'h' } }],
  'avro options': [avro, { schema: 'int' }],
  'avroFile options': [avroFile, { schema: { type: 'record', name: 'R', fields: [{ name: 'a', type: 'long' }] } }],
  'decompress options': [(options) => decompress((bytes) => bytes, options), {}],
  'csvRow options': [csvRow, { columns: ['a'] }],
  'messagePack options': [(options) => messagePack(undefined, options), {}],
  'textDecoder options': [textDecoder, {}],
  'avroSchemaOf options': [
    (options) => avroSchemaOf({ name: 'R', _tag: 'InterfaceType', props: {} } as never, options),
    { name: 'R' },
  ],
  'csv options': [csv, { columns: ['a'] }],
  'parquet options': [parquet, { schema: { a: column.int32() } }],
  'sequenceFile options': [sequenceFile, { value: { writable: 'Text', of: String } }],
  'flumePath options': [(options) => flumePath('%Y', options), {}],
  'syslogEvent options': [syslogEvent, {}],
  'flumeAvroFile options': [rxflume.flumeAvroFile, {}],
  'flumeText options': [rxflume.flumeText, {}],
  'json options': [(options) => rxflume.json(undefined, options), {}],
  'jsonLines options': [rxflume.jsonLines, {}],
  'text options': [rxflume.text, {}],
  'MemoryHttp options': [(options) => new MemoryHttp(options), {}],
  'memoryFileSystem options': [memoryFileSystem, {}],
  'aggregateByKey options': [
    (options) => operators.aggregateByKey(() => 'k', options),
    { windowMs: 1, initial: () => 0, add: (sum: number) => sum },
  ],
  'balance options': [(options) => operators.balance([sink], options), {}],
  'batch options': [operators.batch, { count: 1 }],
  'deadLetter options': [(options) => operators.deadLetter(sink, options), {}],
  'decode options': [(options) => operators.decode((value) => value, options), {}],
  'dedupeBy options': [(options) => operators.dedupeBy(() => 'k', options), { windowMs: 1 }],
  'failover options': [(options) => operators.failover([sink, sink], options), {}],
  'inFlightWindow options': [operators.inFlightWindow, {}],
  'mapValueAsync options': [(options) => operators.mapValueAsync(() => EMPTY, options), {}],
  'mergeSources options': [(options) => operators.mergeSources([source], options), {}],
  'rateLimit options': [operators.rateLimit, { count: 1, perMs: 1 }],
  'retryConnect options': [operators.retryConnect, {}],
  'retryWrite options': [(options) => operators.retryWrite(() => EMPTY, options), {}],
  'routeBy options': [(options) => operators.routeBy(() => 'a', { a: sink }, options), {}],
  'tee options': [(options) => operators.tee({ a: sink }, options), {}],
  'timeoutUnsettled options': [operators.timeoutUnsettled, { name: 'n', afterMs: 1 }],
  'transmit options': [(options) => operators.transmit(() => EMPTY, options), {}],
};

describe('an option that is undefined counts as absent', () => {
  it('for every part that takes options', () => {
    const named = [...sourcesUnder('src'), ...sourcesUnder('operators')].flatMap((text) =>
      [...text.matchAll(/'(\w+ options|plan inputs)'/g)].map((match) => match[1] as string),
    );
    const parts = new Set(named.filter((name) => name !== 'TLS options'));
    expect(parts).toEqual(new Set(Object.keys(TAKERS)));
  });

  it.each(Object.keys(TAKERS))('%s', (name) => {
    const [take, least] = TAKERS[name] as (typeof TAKERS)[string];
    const known = knownTo(take, least);
    expect(known.length).toBeGreaterThan(0);
    for (const key of known) {
      const { [key as never]: _, ...without } = least;
      expect([key, outcome(take, { ...least, [key]: undefined })]).toEqual([key, outcome(take, without)]);
      for (const inner of groupOf(take, least, key)) {
        const path = `${key}.${inner}`;
        const absent = outcome(take, { ...least, [key]: {} });
        expect([path, outcome(take, { ...least, [key]: { [inner]: undefined } })]).toEqual([path, absent]);
      }
    }
  });

  it.each(Object.keys(TAKERS))('%s: a group that is no object is rejected', (name) => {
    const [take, least] = TAKERS[name] as (typeof TAKERS)[string];
    for (const key of knownTo(take, least)) {
      if (groupOf(take, least, key).length === 0) continue;
      for (const wrong of [null, 5]) {
        expect([key, outcome(take, { ...least, [key]: wrong })]).toEqual([
          key,
          expect.stringContaining('an object of options'),
        ]);
      }
    }
  });
});

function outcome(take: (options: object) => unknown, options: object): unknown {
  try {
    // Functions that are made at each call differ without a difference.
    return JSON.stringify(take(options));
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
}

/** All options that it takes, as it says itself of an unknown one. */
function knownTo(take: (options: object) => unknown, least: object): readonly string[] {
  return listed(take, { ...least, misspelt: 1 });
}

/** The options inside a group such as `retry`; none where it is no group. */
function groupOf(take: (options: object) => unknown, least: object, key: string): readonly string[] {
  return key === 'body' || key === 'declare' ? [] : listed(take, { ...least, [key]: { misspelt: 1 } });
}

function listed(take: (options: object) => unknown, options: object): readonly string[] {
  try {
    take(options);
  } catch (error) {
    if (error instanceof OptionError) return (error.details.known as readonly string[] | undefined) ?? [];
  }
  return [];
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}
