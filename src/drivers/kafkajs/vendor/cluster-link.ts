import type { DriverLog } from '../driver-log.js';
import { connectError, unreachable } from '../errors.js';
import { type CheckedOptions, secretsOf } from '../options.js';
import type { Cluster, Internals } from './internals.js';
import { type OpenSocket, Sockets } from './sockets.js';

const LOG_WARN = 2;
export const READ_COMMITTED = 1;
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

/** One connection to a cluster, as kafkajs makes it from our options, and all its sockets. */
export abstract class ClusterLink {
  protected readonly sockets: Sockets;
  protected readonly options: CheckedOptions;
  protected readonly driverLog: DriverLog;
  protected readonly internals: Internals;
  protected readonly cluster: Cluster;
  /** What other parts of kafkajs are to share with the cluster. */
  protected readonly shared: { readonly logger: unknown; readonly instrumentationEmitter: unknown };

  #refreshing: Promise<void> | undefined;

  constructor(internals: Internals, options: CheckedOptions, driverLog: DriverLog, open: OpenSocket) {
    this.sockets = new Sockets(open);
    this.options = options;
    this.driverLog = driverLog;
    this.internals = internals;
    this.shared = {
      logger: internals.createLogger({ level: LOG_WARN, logCreator: driverLog.logCreator }),
      instrumentationEmitter: new internals.Emitter(),
    };
    this.cluster = new internals.Cluster({
      ...this.shared,
      socketFactory: this.sockets.factory,
      brokers: options.brokers,
      ssl: options.tls,
      sasl: options.sasl ?? null,
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
  }

  /** Reaches the cluster within `connectTimeoutMs`. Fails with `ConnectError`. */
  async connect(): Promise<void> {
    const { brokers, connectTimeoutMs } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = this.driverLog.lastFailure ?? `no response within ${connectTimeoutMs} ms`;
        reject(unreachable(brokers.join(', '), reason, undefined));
      }, connectTimeoutMs);
    });
    const connecting = this.begin().catch((error: unknown) => {
      throw connectError(error, { brokers, secrets: secretsOf(this.options) });
    });
    connecting.catch(() => undefined);
    try {
      await Promise.race([connecting, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What connecting is: reaching the cluster, and whatever else must be known at once. */
  protected async begin(): Promise<void> {
    await this.cluster.connect();
  }

  /** Learns which brokers there are now, and what they lead; one question for all who ask meanwhile. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.cluster.refreshMetadata().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  readonly errorOf = (code: number): Error => this.internals.createErrorFromCode(code);

  /** Drops the sockets of a broker that did not answer: kafkajs would go on asking through them. */
  forget(error: unknown): void {
    const { name, broker } = error as { name?: string; broker?: string };
    if (name === 'KafkaJSRequestTimeoutError' && broker !== undefined) this.sockets.destroyTo(broker);
  }

  destroy(): void {
    this.sockets.destroy();
  }
}
