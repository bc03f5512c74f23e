/**
 * What the author of a flow writes: `flow`, sources, sinks, formats and decoders, and the errors they raise.
 *
 * @packageDocumentation
 */
export type { CircuitBreakerOptions } from './backpressure/circuit-breaker.js';
export type { WindowLimits } from './backpressure/in-flight-window.js';
export { ERRORS, type ErrorCode, type ErrorFamily } from './core/error-codes.js';
export {
  CommitError,
  ConnectError,
  DecodeError,
  type ErrorExtras,
  FencedError,
  isRetryable,
  OptionError,
  RxflumeError,
  SinkError,
  SourceError,
} from './core/errors.js';
export type { HeaderList, HeaderMap, HeaderValue } from './core/headers.js';
export type { Histogram, HistogramReading } from './core/histogram.js';
export { jsonText } from './core/json-text.js';
export type { Location } from './core/location.js';
export {
  type Collector,
  defaultMonitor,
  type Failure,
  type Labels,
  type Level,
  type LogEvent,
  type Metric,
  Monitor,
  type Sample,
} from './core/monitor.js';
export { GiB, KiB, MiB } from './core/units.js';
export type { Acker, FlushSignal, ResumeTracker } from './delivery/acker.js';
export type { Branch } from './delivery/branches.js';
export type { DeadLetter, DeadLetterCause, DeadLetterHeader } from './delivery/dead-letter.js';
export { Delivery, type Origin } from './delivery/delivery.js';
export type { DeliveryOperator, EndOperator, SettlingOperator } from './delivery/delivery-operator.js';
export { joinDeliveries } from './delivery/join.js';
export type { LeakDetectorOptions } from './delivery/leak-detector.js';
export type { Receipt, Sink } from './delivery/receipt.js';
export { Source } from './delivery/source.js';
export { splitDelivery } from './delivery/split.js';
export type { SinkLedger, SinkTraits, SourceTraits } from './delivery/traits.js';
export { Flow, flow, isFlow } from './flow/flow.js';
export type { Guarantee } from './flow/guarantee.js';
export { LEAK_DETECTOR_DEFAULTS } from './flow/probes.js';
export type { Compression, CompressionName, CompressionOptions } from './formats/compression.js';
export type { Decoder, DecoderLike, IoTsDecoder, StandardSchema } from './formats/decoder.js';
export { flumeAvro, toFlumeAvro } from './formats/flume-avro.js';
export { type FlumeAvroFileOptions, flumeAvroFile } from './formats/flume-avro-file.js';
export type { FlumeEvent } from './formats/flume-event.js';
export { type FlumeTextOptions, flumeText } from './formats/flume-text.js';
export type { Encoder, FileFacts, Format, FormatChunk } from './formats/format.js';
export { JSON_DEFAULTS, type JsonOptions, json } from './formats/json.js';
export { jsonLines, type LinesOptions } from './formats/json-lines.js';
export { text } from './formats/text.js';
export type { RedeliverOptions } from './offsets/nack-policy.js';
export type { AckedUpTo, OffsetStore, OffsetStoreReader } from './offsets/offset-store.js';
export { type AmqpOrigin, isAmqpOrigin } from './ports/amqp-consumer.js';
export { type AmqpSink, amqpSink } from './sinks/amqp/amqp-sink.js';
export { keptProperties } from './sinks/amqp/kept-properties.js';
export { AMQP_SINK_DEFAULTS, type AmqpSinkOptions, type AmqpSinkReconnectOptions } from './sinks/amqp/options.js';
export { type ConsoleSink, consoleSink } from './sinks/console/console-sink.js';
export { CONSOLE_SINK_DEFAULTS, type ConsoleSinkOptions } from './sinks/console/options.js';
export { bucketSegment } from './sinks/files/buckets/bucket.js';
export type { PathOf } from './sinks/files/buckets/bucket-of.js';
export type { TimeOptions } from './sinks/files/buckets/value-time.js';
export { type FileSink, fileSink } from './sinks/files/file-sink.js';
export {
  type ChunkOptions,
  FILE_SINK_DEFAULTS,
  type FileSinkOptions,
  type RollOptions,
} from './sinks/files/options.js';
export { type FlumeSink, flumeSink } from './sinks/flume/flume-sink.js';
export {
  FLUME_SINK_DEFAULTS,
  type FlumeBatchOptions,
  type FlumeOrder,
  type FlumeRetryOptions,
  type FlumeSinkOptions,
  type FlumeStrategy,
} from './sinks/flume/options.js';
export type { HttpBatch } from './sinks/http/batch-id.js';
export type { HttpBody } from './sinks/http/http-body.js';
export { type HttpSink, httpSink } from './sinks/http/http-sink.js';
export {
  HTTP_SINK_DEFAULTS,
  type HttpBatchOptions,
  type HttpHeaders,
  type HttpOrder,
  type HttpRetryOptions,
  type HttpSinkOptions,
} from './sinks/http/options.js';
export { type KafkaSink, kafkaSink } from './sinks/kafka/kafka-sink.js';
export {
  type FromValue,
  KAFKA_SINK_DEFAULTS,
  type KafkaBatchOptions,
  type KafkaBytes,
  type KafkaSinkOptions,
  type KafkaTransactionOptions,
} from './sinks/kafka/options.js';
export { NULL_SINK_DEFAULTS, type NullSink, type NullSinkOptions, nullSink } from './sinks/null/null-sink.js';
export type { AckOptions } from './sources/amqp/acks.js';
export { amqpSource } from './sources/amqp/amqp-source.js';
export { amqpStreamSource } from './sources/amqp/amqp-stream-source.js';
export {
  AMQP_SOURCE_DEFAULTS,
  type AmqpReadOptions,
  type AmqpSourceOptions,
  type ReconnectOptions,
} from './sources/amqp/options.js';
export {
  AMQP_STREAM_SOURCE_DEFAULTS,
  type AmqpStreamSourceOptions,
  type StreamStart,
} from './sources/amqp/stream-options.js';
export { flumeSource } from './sources/flume/flume-source.js';
export { FLUME_SOURCE_DEFAULTS, type FlumeSourceOptions } from './sources/flume/options.js';
export type { CommitOptions } from './sources/kafka/commit-scheduler.js';
export { kafkaSource } from './sources/kafka/kafka-source.js';
export { KAFKA_SOURCE_DEFAULTS, type KafkaSourceOptions } from './sources/kafka/options.js';
