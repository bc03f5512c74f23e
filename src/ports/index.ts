/**
 * The interfaces between sources or sinks and what is outside: implement one to write a driver of your own.
 *
 * @packageDocumentation
 */
export type { Certificate, Endpoint, EndpointOutcome, Fact, FactOf, Probe, ProbeSetting } from '../delivery/probe.js';
export type {
  AmqpBinding,
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpExchangeKind,
  AmqpListener,
  AmqpMessage,
  AmqpProperties,
  AmqpQueueDeclaration,
  AmqpQueueKind,
  AmqpTable,
  AmqpValue,
} from './amqp-consumer.js';
export type {
  AmqpOutgoing,
  AmqpPublisher,
  AmqpPublisherDriver,
  AmqpPublisherListener,
} from './amqp-publisher.js';
export { type AmqpTime, amqpTimeOf } from './amqp-timestamp.js';
export type { CommandExit, CommandLine, CommandListener, CommandRunner, RunningCommand } from './command-runner.js';
export type { FileInput, FoundFile } from './file-input.js';
export type { FileStatus, FileSystem, FileWriter } from './file-system.js';
export type {
  FlumeBatch,
  FlumeConnection,
  FlumeListener,
  FlumeListening,
  FlumeRpcClient,
  FlumeRpcServer,
  FlumeStatus,
} from './flume-rpc.js';
export type { HttpAnswer, HttpClient, HttpRequest } from './http-client.js';
export type { HttpHead, HttpReceived, HttpReply, HttpServer, HttpServerListener } from './http-server.js';
export type {
  CommittedOffset,
  GroupProtocol,
  KafkaBatch,
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  KafkaProbed,
  KafkaRecord,
  KafkaRecords,
  KafkaSubscription,
  LogFacts,
  PartitionOffset,
  StartAt,
  TopicPartition,
} from './kafka-consumer.js';
export { partitionOfKey } from './kafka-key.js';
export type {
  KafkaCompression,
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducerDriver,
  KafkaProducerListener,
  KafkaProducing,
  KafkaSent,
  KafkaTransactions,
} from './kafka-producer.js';
export type { ListenerEvents, Listening, PausableListening } from './listening.js';
export type { LocalFile, LocalFileStats, LocalFiles, LocalName } from './local-files.js';
export type {
  SocketPeer,
  SocketReader,
  SocketServer,
  SocketServerListener,
  SocketTransport,
} from './socket-server.js';
export type { TextOutput } from './text-output.js';
