import { renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';
import type { FlumeEvent } from 'rxflume';
import { type Case, event, MINUTE, START } from './case.js';
import { avroLines, eventText, hdfsLines, localLines, sequenceLines, topicRecords } from './outcome.js';
import { MULTIPORT, NETCAT, SYSLOG } from './socket-cases.js';

const TAILDIR: Case = {
  name: 'taildir',
  flows: ['a1-taildir'],
  puts: { taildirC: 43 },
  async feed({ dir }) {
    const line = (at: number, text: string) => `${START + at * 7 * MINUTE} ${text}`;
    const web = Array.from({ length: 20 }, (_, at) => line(at, `GET /${at} grüße`));
    writeFileSync(join(dir, 'tail/web/a.log'), `${web.join('\n')}\n`);
    writeFileSync(join(dir, 'tail/web/b.log'), `${line(300, 'with cr')}\r\n${line(301, '')}\n${START}\n`);
    writeFileSync(join(dir, 'tail/web/c.txt'), `${line(0, 'not followed')}\n`);
    const app = Array.from({ length: 20 }, (_, at) => line(at * 100, `{"n":${at}}`));
    writeFileSync(join(dir, 'tail/app/app.log'), `${app.join('\n')}\n${line(1, 'no end')}`);
    return [];
  },
  outcome: ({ root }) => hdfsLines(`${root}/taildir`),
};

const SPOOLDIR: Case = {
  name: 'spooldir',
  flows: ['a1-spooldir'],
  puts: { spooldirC: 10 },
  async feed({ dir }) {
    const put = (name: string, text: string) => {
      const path = join(dir, name);
      writeFileSync(path, text);
      utimesSync(path, 1_700_000_000, 1_700_000_000);
      renameSync(path, join(dir, 'spool', name));
    };
    const at = (n: number, text: string) => `${START + n} ${text}`;
    put(
      'one.log',
      `${[at(1, 'first'), at(2, 'grüße'), at(3, 'with cr\r'), at(4, 'x'.repeat(200)), at(5, 'no end')].join('\n')}`,
    );
    put('two.log', `${at(6, 'ü'.repeat(60))}\n\n`);
    put('four.tmp', `${at(7, 'unfinished')}\n`);
    put('three.part', `${at(9, 'ignored')}\n`);
    return [];
  },
  outcome: ({ root }) => sequenceLines(`${root}/spooldir`),
  differences: [
    {
      row: 'a CR before the LF',
      flume: [`/one.log | ${START + 3} ${START + 3} with cr\\r`],
      rxflume: [`/one.log | ${START + 3} ${START + 3} with cr`],
    },
    {
      row: 'spooldir: names that end in `.tmp`',
      flume: [`/four.tmp | ${START + 7} ${START + 7} unfinished`],
      rxflume: [],
    },
    {
      row: 'spooldir: `maxLineLength`',
      flume: [`/two.log | ${START + 6} ${START + 6} ${'ü'.repeat(60)}`],
      rxflume: [`/two.log | ${START + 6} ${START + 6} ${'ü'.repeat(43)}`, `/two.log | now ${'ü'.repeat(17)}`],
    },
  ],
};

const AVRO: Case = {
  name: 'avro',
  flows: ['a1-avro'],
  puts: { avroC: 4 },
  async feed(side) {
    await side.events('AVRO', [
      event('keep 1', { timestamp: '1700000000000', secret: 's', 'x-a': '1', xb: '2', city: 'Zürich' }),
      event('KEEP 2', { id: 'mine' }),
      event('dropped', { timestamp: '1' }),
      event('keep\nboth lines', {}),
      event('keep 4', { hostname: 'theirs', empty: '' }),
    ]);
    return [];
  },
  outcome: ({ received }) =>
    received.map(({ headers, body }) => {
      const { timestamp = '', id = '' } = headers;
      return eventText({
        headers: {
          ...headers,
          ...(Number(timestamp) > 1_750_000_000_000 && { timestamp: 'now' }),
          // Which name Java finds depends on the machine.
          hostname: headers.hostname === undefined ? 'missing' : '<name>',
          ...(/^e-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) && { id: 'e-<uuid>' }),
        },
        body,
      });
    }),
};

const HTTP: Case = {
  name: 'http',
  flows: ['a1-http'],
  puts: { httpC1: 3, httpC2: 1, httpC3: 3 },
  async feed(side) {
    const answers = [
      await side.post('HTTP', [
        { headers: { state: 'CZ', city: 'Plzeň' }, body: 'one "1"' },
        { headers: { state: 'US' }, body: 'both' },
        { headers: { state: 'XX' }, body: 'by default' },
        { headers: {}, body: '' },
      ]),
      await side.post('HTTP', [{ headers: { state: 'CZ', n: 5 }, body: 'a number as header' }]),
      await side.post('HTTP', [{ headers: { other: 'x' }, body: 'tab\tand ünicode' }]),
      await side.post('HTTP', '[{"headers":'),
      await side.post('HTTP', []),
    ];
    return answers.map((status, at) => `POST ${at + 1}: ${status}`);
  },
  outcome: ({ dir }) => [1, 2, 3].flatMap((n) => localLines(join(dir, `http${n}`)).map((line) => `${n} | ${line}`)),
};

const KAFKA: Case = {
  name: 'kafka',
  flows: ['a1-kafka'],
  puts: { kafkaC: 42 },
  async feed() {
    return [];
  },
  outcome: ({ root }) => hdfsLines(`${root}/kafka`),
};

/** The records of the topic that both read: around the hour that New York has twice. */
export const KAFKA_RECORDS = [
  ...Array.from({ length: 40 }, (_, at) => ({
    partition: at % 2,
    key: at % 3 === 0 ? null : `k${at}`,
    value: `record ${at}`,
    timestamp: String(Date.UTC(2023, 10, 5, 4) + at * 10 * MINUTE),
    headers: at % 4 === 0 ? { traceparent: `t-${at}`, other: 'x' } : {},
  })),
  { partition: 0, key: 'tombstone', value: null, timestamp: String(START), headers: {} },
  { partition: 1, key: '', value: '', timestamp: String(START), headers: { traceparent: '' } },
];

const KAFKA_CHANNEL: Case = {
  name: 'kafka-channel',
  flows: ['a1-kafkachannel', 'a1-kafkachannelc'],
  puts: { kafkaChannelC: 20 },
  async feed(side) {
    await side.events(
      'KAFKA_CHANNEL',
      Array.from({ length: 20 }, (_, at) =>
        event(`through the channel ${at} ü`, {
          timestamp: String(START + at * 240 * MINUTE),
          ...(at % 2 === 0 && { key: `k${at}` }),
        }),
      ),
    );
    return [];
  },
  async outcome({ root, env }) {
    const records = await topicRecords([env.CMP_CHANNEL_TOPIC as string]);
    const inTopic = records.map(
      ({ key, headers, value }) => `topic | ${key} ${JSON.stringify(headers)} ${flumeEvent(value)}`,
    );
    return [...(await avroLines(`${root}/kafka-channel`)), ...inTopic];
  },
};

const GROUPS: Case = {
  name: 'groups',
  flows: ['a1-groups'],
  puts: { groupsC1: 30, groupsC2: 30 },
  async feed(side) {
    const events = Array.from({ length: 30 }, (_, at) => ({ headers: { n: String(at) }, body: `event ${at}` }));
    return [`POST: ${await side.post('GROUPS', events)}`];
  },
  // Which of the two that share the load has a line is chance.
  outcome: ({ dir }) =>
    [1, 2, 3, 4].flatMap((n) => localLines(join(dir, `groups${n}`)).map((line) => `${Math.min(n, 3)} | ${line}`)),
};

const KAFKA_SINK: Case = {
  name: 'kafka-sink',
  flows: ['a1-kafkasink'],
  puts: { kafkaSinkC: 5 },
  async feed(side) {
    const into = `${side.env.CMP_TOPIC_OUT}-2`;
    const status = await side.post('KAFKA_SINK', [
      { headers: { key: 'k1', at: '1700000000000', trace: 't1', lane: '1' }, body: 'one' },
      { headers: { key: 'k2' }, body: 'two ü' },
      { headers: { into }, body: 'elsewhere' },
      { headers: { lane: '1', trace: '' }, body: '' },
      { headers: { at: '1700000001000' }, body: 'four' },
    ]);
    return [`POST: ${status}`];
  },
  async outcome({ env }) {
    const topic = env.CMP_TOPIC_OUT as string;
    const records = await topicRecords([topic, `${topic}-2`]);
    return records.map(({ timestamp, key, headers, value, partition, ...one }) => {
      const at = timestamp > 1_750_000_000_000 ? 'now' : timestamp;
      const text = `${one.topic}/${partition} ${key} ${at} ${JSON.stringify(headers)} ${flumeEvent(value)}`;
      return text.replaceAll(topic, 'OUT');
    });
  },
};

const EVENT = avsc.Type.forSchema({
  type: 'record',
  name: 'AvroFlumeEvent',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
});

function flumeEvent(value: Buffer): string {
  return eventText(EVENT.fromBuffer(value) as FlumeEvent);
}

export const CASES: readonly Case[] = [
  ...[NETCAT, TAILDIR, SPOOLDIR, AVRO, HTTP, SYSLOG],
  ...[MULTIPORT, KAFKA, KAFKA_CHANNEL, GROUPS, KAFKA_SINK],
];
