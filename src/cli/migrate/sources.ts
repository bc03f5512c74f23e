import type { Component } from './agent.js';
import type { Code } from './code.js';
import { lacks, no, type Rules, to } from './settings.js';
import { AVRO_SOURCE } from './source-avro.js';
import { EXEC_SOURCE } from './source-exec.js';
import { SEQ_SOURCE, STRESS_SOURCE } from './source-generated.js';
import { KAFKA_SOURCE } from './source-kafka.js';
import {
  HTTP_SOURCE,
  NETCAT_SOURCE,
  NETCAT_UDP_SOURCE,
  SYSLOG_TCP_SOURCE,
  SYSLOG_UDP_SOURCE,
} from './source-listening.js';
import { SPOOLDIR_SOURCE } from './source-spooldir.js';
import { TAILDIR_SOURCE } from './source-taildir.js';
import type { SourceCode, SourceType } from './source-type.js';
import type { Writing } from './writing.js';

/** What every source has, whatever its type. */
const COMMON: Rules = {
  type: to('the part itself'),
  channels: to('the sinks of the flow'),
  batchSize: no('there is no transaction into a channel: `window` bounds what is in flight'),
  batchDurationMillis: no('there is no transaction into a channel'),
  batchTimeout: no('there is no transaction into a channel'),
  backoffSleepIncrement: no('the source waits by backpressure'),
  maxBackoffSleep: no('the source waits by backpressure'),
};

const KAFKA_TYPE = 'org.apache.flume.source.kafka.kafkasource';

const TYPES: Readonly<Record<string, SourceType>> = {
  [KAFKA_TYPE]: KAFKA_SOURCE,
  avro: AVRO_SOURCE,
  spooldir: SPOOLDIR_SOURCE,
  taildir: TAILDIR_SOURCE,
  'org.apache.flume.source.taildir.taildirsource': TAILDIR_SOURCE,
  exec: EXEC_SOURCE,
  'org.apache.flume.source.execsource': EXEC_SOURCE,
  seq: SEQ_SOURCE,
  'org.apache.flume.source.sequencegeneratorsource': SEQ_SOURCE,
  'org.apache.flume.source.stresssource': STRESS_SOURCE,
  http: HTTP_SOURCE,
  netcat: NETCAT_SOURCE,
  netcatudp: NETCAT_UDP_SOURCE,
  syslogtcp: SYSLOG_TCP_SOURCE,
  multiport_syslogtcp: SYSLOG_TCP_SOURCE,
  syslogudp: SYSLOG_UDP_SOURCE,
};

/** The topics that a source of Kafka reads, in words; none of any other source. */
export function kafkaTopics(source: Component): readonly string[] {
  return typeOf(source)?.topics?.(source) ?? [];
}

function typeOf({ type }: Component): SourceType | undefined {
  return Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
}

/** The source as code. One of a type without a counterpart is a gap. */
export function sourceCode(source: Component, writing: Writing, resume: Code | undefined): SourceCode {
  const { settings, name } = source;
  const known = typeOf(source);
  if (known === undefined) {
    settings.say('type', lacks('a source of this type has no counterpart here'));
    settings.accountFor('source', { '*': no('belongs to a source that has no counterpart') });
    return {
      source: writing.gap(
        `line ${settings.line('type')}: the source ${name} of type ${settings.text('type') ?? '(none)'} has no counterpart here`,
      ),
      steps: [],
    };
  }
  const code = known.write(source, writing, resume);
  writing.lack(settings.accountFor(`source ${settings.text('type')}`, { ...COMMON, ...known.rules }));
  return code;
}
