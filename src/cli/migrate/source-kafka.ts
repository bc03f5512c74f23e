import type { Component } from './agent.js';
import { list, object, quoted } from './code.js';
import { clientRules, kafkaDriver } from './kafka.js';
import { instead, no, to } from './settings.js';
import { connecting, regexCode, type SourceType } from './source-type.js';

/** The topics that a source of Kafka names. */
function topicsOf({ settings }: Component): string[] {
  return (settings.text('kafka.topics') ?? settings.text('topic') ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
}

export const KAFKA_SOURCE: SourceType = {
  topics(source) {
    const names = topicsOf(source);
    return names.length === 0 ? ['the topics it reads'] : names;
  },
  rules: {
    'kafka.bootstrap.servers': to('`brokers` of `kafkajs`'),
    'kafka.topics': to('`topics` of `kafkaSource`'),
    'kafka.topics.regex': to('`topics` of `kafkaSource`, a regular expression'),
    'kafka.consumer.group.id': to('`groupId` of `kafkaSource`'),
    'kafka.consumer.auto.offset.reset': to('`startAt` of `kafkaSource`'),
    useFlumeEventFormat: to('`decode(flumeAvro())`'),
    setTopicHeader: to('`topicHeader` of `kafkaEvent`'),
    topicHeader: to('`topicHeader` of `kafkaEvent`'),
    'header.*': to('`headers` of `kafkaEvent`'),
    migrateZookeeperOffsets: no('Kafka keeps no offsets in ZooKeeper any more'),
    'kafka.consumer.enable.auto.commit': no('an offset is committed when the sink has the record'),
    'kafka.consumer.key.deserializer': no('keys are bytes'),
    'kafka.consumer.value.deserializer': no('values are bytes'),
    ...clientRules('kafka.consumer.'),
    topic: to('`topics`; the name of this setting before Flume 1.7'),
    groupId: to('`groupId`; the name of this setting before Flume 1.7'),
    zookeeperConnect: instead('name the brokers: Kafka has no ZooKeeper any more'),
  },
  write(source, writing, resume) {
    const { settings } = source;
    const regex = settings.text('kafka.topics.regex');
    const names = topicsOf(source);
    const reset = settings.text('kafka.consumer.auto.offset.reset') ?? 'latest';
    const pattern = regex === undefined ? undefined : regexCode(regex, settings.line('kafka.topics.regex'), writing);
    const headers = settings.under('header.');
    const copied = headers.names.map((name) => [name, writing.text(headers.text(name) as string)] as const);
    const topicHeader = settings.flag('setTopicHeader', true) ? (settings.text('topicHeader') ?? 'topic') : null;
    const options = object({
      topics:
        pattern ??
        (names.length > 0 ? writing.texts(names.join(',')) : list([writing.gap('no topics: kafka.topics is missing')])),
      groupId: writing.text(settings.text('kafka.consumer.group.id') ?? settings.text('groupId') ?? 'flume'),
      // Kafka's own default, which is the other way round here.
      startAt: quoted(reset === 'earliest' ? 'earliest' : 'latest'),
      resumeFrom: resume,
    });
    const event = object({
      topicHeader: topicHeader === 'topic' ? undefined : topicHeader === null ? 'null' : quoted(topicHeader),
      headers: copied.length === 0 ? undefined : object(Object.fromEntries(copied)),
    });
    const decoding = settings.flag('useFlumeEventFormat', false)
      ? [writing.call('operators', 'decode', writing.call('', 'flumeAvro'))]
      : [];
    const driver = kafkaDriver(settings, 'kafka.bootstrap.servers', 'kafka.consumer.', writing);
    const mapped = writing.call('flume', 'kafkaEvent', ...(event === '{}' ? [] : [event]));
    return {
      source: connecting(writing.call('', 'kafkaSource', driver, options), writing),
      steps: [...decoding, writing.call('operators', 'mapValue', mapped)],
    };
  },
};
