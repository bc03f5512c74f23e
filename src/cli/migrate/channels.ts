import type { Component } from './agent.js';
import { type Code, call, object, quoted } from './code.js';
import { clientRules, kafkaDriver } from './kafka.js';
import { lacks, no, type Rules, to } from './settings.js';
import { connecting, type SourceCode } from './source-type.js';
import type { Writing } from './writing.js';

const WINDOW = no('the window of the source bounds what is in flight: 100,000 values and 64 MiB; see `window`');
const NO_DISK = no('nothing is kept on a disk: what is not committed is read again from the source');

const MEMORY: Rules = {
  capacity: WINDOW,
  transactionCapacity: WINDOW,
  byteCapacity: WINDOW,
  byteCapacityBufferPercentage: WINDOW,
  'keep-alive': WINDOW,
};

const FILE: Rules = {
  capacity: WINDOW,
  transactionCapacity: WINDOW,
  'keep-alive': WINDOW,
  'encryption.*': NO_DISK,
  ...Object.fromEntries(
    [
      ...[
        'checkpointDir',
        'dataDirs',
        'useDualCheckpoints',
        'backupCheckpointDir',
        'compressBackupCheckpoint',
        'checkpointInterval',
      ],
      ...[
        'maxFileSize',
        'minimumRequiredSpace',
        'fsyncPerTransaction',
        'fsyncInterval',
        'checkpointOnClose',
        'use-log-replay-v1',
      ],
      'use-fast-replay',
    ].map((key) => [key, NO_DISK]),
  ),
};

const KAFKA: Rules = {
  'kafka.bootstrap.servers': to('`brokers` of `kafkajs`'),
  'kafka.topic': to('the topic between the two flows'),
  'kafka.consumer.group.id': to('`groupId` of `kafkaSource`'),
  parseAsFlumeEvent: to('`toFlumeAvro` and `flumeAvro`'),
  'kafka.pollTimeout': no('see `maxWaitMs` of `kafkaSource`'),
  pollTimeout: no('Flume ignores it, too: its name is kafka.pollTimeout'),
  defaultPartitionId: to('`partition` of `kafkaSink`'),
  partitionIdHeader: to('`partition` of `kafkaSink`'),
  migrateZookeeperOffsets: no('Kafka keeps no offsets in ZooKeeper any more'),
  'kafka.consumer.auto.offset.reset': to('`startAt` of `kafkaSource`'),
  ...clientRules('kafka.consumer.'),
  ...clientRules('kafka.producer.'),
  'kafka.producer.acks': to('acks of all replicas in sync, always'),
};

const TYPES: Readonly<Record<string, Rules>> = {
  memory: MEMORY,
  file: FILE,
  spillablememory: { ...MEMORY, ...FILE, memoryCapacity: WINDOW, 'overflow*': WINDOW, avgEventSize: WINDOW },
  jdbc: { '*': NO_DISK },
  'org.apache.flume.channel.kafka.kafkachannel': KAFKA,
};

export function isKafkaChannel({ type }: Component): boolean {
  return type === 'org.apache.flume.channel.kafka.kafkachannel';
}

/** Says what becomes of the settings of a channel, and what its users should know. */
export function accountForChannel(channel: Component, writing: Writing): void {
  const { type, settings, name } = channel;
  const rules = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (rules === undefined) {
    settings.say('type', lacks('a channel of this type has no counterpart here'));
    writing.lack([
      `line ${settings.line('type')}: the channel ${name} of type ${settings.text('type') ?? '(none)'} has no counterpart here`,
    ]);
    settings.accountFor('channel', { '*': no('belongs to a channel that has no counterpart') });
    return;
  }
  writing.lack(settings.accountFor(`channel ${settings.text('type')}`, { type: to('the flow'), ...rules }));
  const line = settings.line('type');
  if (type === 'memory')
    writing.warn(
      line,
      `Flume loses what is in the memory channel ${name} when the agent is stopped or killed. The flow commits a record when the sink has it.`,
    );
  if (['file', 'spillablememory', 'jdbc'].includes(type))
    writing.warn(
      line,
      `Drain the channel ${name} before you stop the agent: let its sinks run until it is empty. The flow does not read it.`,
    );
}

/** The sink that writes to the topic of a Kafka channel. */
export function channelSink({ settings }: Component, writing: Writing): Code {
  const header = settings.text('partitionIdHeader');
  const options = object({
    topic: writing.text(settings.text('kafka.topic') ?? 'flume-channel'),
    encode: settings.flag('parseAsFlumeEvent', true) ? writing.use('', 'toFlumeAvro') : '({ body }) => body',
    key: '({ headers }) => headers.key ?? null',
    headers: '() => ({})',
    partition: header === undefined ? undefined : `({ headers }) => Number(headers[${quoted(header)}])`,
  });
  const type = `<${writing.use('', 'type FlumeEvent')}>`;
  return call(
    `${writing.use('', 'kafkaSink')}${type}`,
    kafkaDriver(settings, 'kafka.bootstrap.servers', 'kafka.producer.', writing),
    options,
  );
}

/** The source that reads the topic of a Kafka channel. */
export function channelSource({ settings }: Component, writing: Writing, resume: Code | undefined): SourceCode {
  const topic = settings.text('kafka.topic') ?? 'flume-channel';
  const isEvent = settings.flag('parseAsFlumeEvent', true);
  const options = object({
    topics: { open: '[', items: [writing.text(topic)], close: ']' },
    groupId: writing.text(settings.text('kafka.consumer.group.id') ?? 'flume'),
    startAt: quoted(settings.text('kafka.consumer.auto.offset.reset') === 'latest' ? 'latest' : 'earliest'),
    resumeFrom: resume,
  });
  const driver = kafkaDriver(settings, 'kafka.bootstrap.servers', 'kafka.consumer.', writing);
  const step = isEvent
    ? writing.call('operators', 'decode', writing.call('', 'flumeAvro'))
    : writing.call('operators', 'mapValue', writing.call('flume', 'kafkaEvent', object({ topicHeader: 'null' })));
  return {
    source: connecting(writing.call('', 'kafkaSource', driver, options), writing),
    steps: [step],
  };
}
