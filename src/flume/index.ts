/**
 * What flows that replace an agent of Apache Flume are made of: its path escapes, its interceptors, and events as its sources make them. Each does
 * what Flume 1.11 does, and says where it differs.
 *
 * @packageDocumentation
 */
export { env } from './env.js';
export { eventTimeMs, FLUME_PATH_DEFAULTS, type FlumePathOptions, flumePath } from './flume-path.js';
export { gap } from './gap.js';
export {
  bodyMatches,
  HEADER_DEFAULTS,
  type HeaderOptions,
  hostHeader,
  type Interceptor,
  not,
  regexExtractor,
  removeHeaders,
  searchReplace,
  staticHeader,
  timestampHeader,
  uuidHeader,
} from './interceptors.js';
export { SYSLOG_EVENT_DEFAULTS, type SyslogEventOptions, type SyslogField, syslogEvent } from './syslog.js';
export {
  type FileEventOptions,
  fileEvent,
  type KafkaEventOptions,
  kafkaEvent,
  lineEvent,
  type SpoolEventOptions,
  spoolEvent,
} from './to-flume.js';
