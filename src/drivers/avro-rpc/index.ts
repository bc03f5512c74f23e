/**
 * Flume agents, on Avro RPC: a client for `flumeSink`, and a server for `flumeSource`.
 *
 * @packageDocumentation
 */
export { avroRpcClient } from './client.js';
export {
  AVRO_RPC_CLIENT_DEFAULTS,
  AVRO_RPC_SERVER_DEFAULTS,
  type AvroRpcClientOptions,
  type AvroRpcServerOptions,
  type DeflateOrder,
  type WireCompression,
} from './options.js';
export { avroRpcServer } from './server.js';
