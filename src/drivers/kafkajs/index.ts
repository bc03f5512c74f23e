/**
 * Kafka, through the package kafkajs.
 *
 * @packageDocumentation
 */
export { kafkajs } from './kafkajs.js';
export {
  KAFKAJS_DEFAULTS,
  type KafkajsOptions,
  type KafkajsSasl,
  type ReconnectOptions,
  type RecordDecoder,
} from './options.js';
