/**
 * Marble tests, the fakes of every port in virtual time, the contracts of ports, sources and sinks, and `proveExactlyOnce`.
 *
 * @packageDocumentation
 */
export type { DiskFile, DiskStats, DiskSystem } from '../ports/disk-system.js';
export { amqpConsumerContract } from './contracts/amqp-consumer-contract.js';
export { amqpPublisherContract } from './contracts/amqp-publisher-contract.js';
export type { AmqpCheck, AmqpSubject } from './contracts/amqp-subject.js';
export type { It } from './contracts/contract-run.js';
export { describeSink, type SinkSetting } from './describe-sink.js';
export { describeSource, type SourceSetting, type SourceUnderTest } from './describe-source.js';
export { MarbleError } from './marbles/difference.js';
export { MarbleAmqp, type MarbleAmqpOptions } from './marbles/marble-amqp.js';
export { MarbleKafka, type MarbleKafkaOptions } from './marbles/marble-kafka.js';
export { type Marbles, marbles, type PartitionRows } from './marbles/marbles.js';
export type { Mark } from './marbles/row.js';
export { MemoryAmqp, type MemoryAmqpOptions } from './memory/memory-amqp.js';
export type { SeenSettlement } from './memory/memory-amqp-channel.js';
export type { PublishAnswer } from './memory/memory-amqp-publisher.js';
export type { HeldMessage } from './memory/memory-amqp-queue.js';
export { type MemoryCommand, MemoryCommandRunner } from './memory/memory-command-runner.js';
export {
  type FileVerb,
  type MemoryFileSystem,
  type MemoryFileSystemOptions,
  memoryFileSystem,
} from './memory/memory-file-system.js';
export { MemoryFlume, type MemoryFlumeOptions } from './memory/memory-flume.js';
export { type HttpScript, MemoryHttp, type MemoryHttpOptions, type SeenRequest } from './memory/memory-http.js';
export { MemoryHttpServer, type MemoryPost } from './memory/memory-http-server.js';
export { MemoryKafka, type MemoryKafkaOptions, type SeenCommit } from './memory/memory-kafka.js';
export { MemoryLocalFiles, type MemoryLocalFilesOptions } from './memory/memory-local-files.js';
export type { MemoryRecord } from './memory/memory-log.js';
export type { ProducerFate, ProducerStep } from './memory/memory-producer.js';
export { type MemorySocket, MemorySockets } from './memory/memory-sockets.js';
export type { TopicConfig } from './memory/memory-topic-rules.js';
export type { ReadLines } from './proof/comparison.js';
export { ProofError } from './proof/failure.js';
export { PROOF_DEFAULTS, type ProofOptions } from './proof/options.js';
export type { FaultKind } from './proof/schedule.js';
export type { BuildCollector, ProofInput, ProofParts } from './proof/trial.js';
export { type ProofReport, proveExactlyOnce } from './prove-exactly-once.js';
export { RecordingAcker, type Settlement } from './recording-acker.js';
