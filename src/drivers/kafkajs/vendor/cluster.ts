import type { DriverLog } from '../driver-log.js';
import { connectError, unreachable } from '../errors.js';
import { type CheckedOptions, secretsOf } from '../options.js';
import type { Cluster, Internals } from './internals.js';
import type { Sockets } from './sockets.js';

const LOG_WARN = 2;
export const READ_COMMITTED = 1;
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

/** kafkajs's view of a cluster, with the logger and emitter that other parts of kafkajs are to share. */
export interface OpenCluster {
  readonly cluster: Cluster;
  readonly logger: unknown;
  readonly instrumentationEmitter: unknown;
}

/** Makes kafkajs's cluster from our options; nothing is connected yet. */
export function openCluster(
  internals: Internals,
  options: CheckedOptions,
  driverLog: DriverLog,
  sockets: Sockets,
): OpenCluster {
  const logger = internals.createLogger({ level: LOG_WARN, logCreator: driverLog.logCreator });
  const instrumentationEmitter = new internals.Emitter();
  const cluster = new internals.Cluster({
    logger,
    instrumentationEmitter,
    socketFactory: sockets.factory,
    brokers: options.brokers,
    ssl: options.tls || null,
    // kafkajs writes into it.
    sasl: options.sasl === undefined ? null : { ...options.sasl },
    clientId: options.clientId,
    connectionTimeout: options.connectTimeoutMs,
    authenticationTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    metadataMaxAge: options.metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
    retry: { ...RETRY, retries: Math.max(RETRY.retries, options.brokers.length) },
  });
  return { cluster, logger, instrumentationEmitter };
}

/** Reaches the cluster within `connectTimeoutMs`. Fails with `ConnectError`. */
export async function connectWithin(
  connect: () => Promise<void>,
  options: CheckedOptions,
  driverLog: DriverLog,
): Promise<void> {
  const { brokers, connectTimeoutMs } = options;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = driverLog.lastFailure ?? `no response within ${connectTimeoutMs} ms`;
      reject(unreachable(brokers.join(', '), reason, undefined));
    }, connectTimeoutMs);
  });
  const connecting = connect().catch((error: unknown) => {
    throw connectError(error, { brokers, secrets: secretsOf(options) });
  });
  connecting.catch(() => undefined);
  try {
    await Promise.race([connecting, late]);
  } finally {
    clearTimeout(timer);
  }
}
