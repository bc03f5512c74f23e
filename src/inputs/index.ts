/**
 * Sources beside Kafka, RabbitMQ and Flume: what an application has at hand, and files that others write.
 *
 * @packageDocumentation
 */

export type { CallbackConnection, CallbackListener, ConnectCallback } from '../sources/from/callback-connection.js';
export { fromCallback } from '../sources/from/from-callback.js';
export { fromObservable$ } from '../sources/from/from-observable.js';
export { fromReadable, type ReadableInput } from '../sources/from/from-readable.js';
export { FROM_DEFAULTS, type FromOptions, type OverflowPolicy, type ValueFacts } from '../sources/from/options.js';
export type { TailOrigin } from '../sources/tail/file-stream.js';
export {
  MULTILINE_DEFAULTS,
  type MultilineOptions,
  TAIL_SOURCE_DEFAULTS,
  type TailSourceOptions,
} from '../sources/tail/options.js';
export { tailSource } from '../sources/tail/tail-source.js';
