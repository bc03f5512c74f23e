import { readHostPort } from '../../../core/address.js';
import { createCodecs } from '../codecs/codecs.js';
import { type CheckedOptions, DEFAULT_BROKER_PORT } from '../options.js';
import { corrupt, type MessageDecoders, messagesDecoder } from '../records/fetched-messages.js';
import { readHeadersOf } from '../records/header-reading.js';
import { leanDecoder } from '../records/lean-batch.js';
import type { Sasl } from '../sasl.js';
import type { Internals } from './internals.js';
import { type Amendments, openPrivateInstance, type PrivateInstance, steadyMs } from './private-instance.js';

type Prototype = Record<string, (this: never, ...given: never[]) => unknown>;

interface PatchedQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
}

/** kafkajs asks for its pending requests every millisecond, forever, with a negative timeout (tulios/kafkajs#1704). */
function onlyWhenPending(RequestQueue: { prototype: Prototype }): unknown {
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests as (this: unknown) => void;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: PatchedQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > steadyMs()) schedule.call(this);
  };
  return RequestQueue;
}

interface PatchedConnection {
  bytesBuffered: number;
  bytesNeeded: number;
  chunks: Buffer[];
  isConnected(): boolean;
}

/** kafkajs keeps the empty rest behind an answer and joins the next one to it, which copies all of that. */
function withoutEmptyRest(Connection: { prototype: Prototype }): { prototype: Prototype } {
  const processData = Connection.prototype.processData as (this: unknown, bytes: Buffer) => void;
  Connection.prototype.processData = function (this: PatchedConnection, bytes: Buffer): void {
    if (this.bytesBuffered === 0) this.chunks = [];
    processData.call(this, bytes);
  };
  return Connection;
}

const SIZE_BYTES = 4;

/**
 * Two requests on one lost connection open two sockets, of which kafkajs forgets the first. And the part of an answer that
 * had come when a connection broke stays in kafkajs's buffer, so that no answer on the next one is ever understood.
 */
function onlyOneCleanConnect(Connection: { prototype: Prototype }): unknown {
  const connect = Connection.prototype.connect as (this: unknown) => Promise<unknown>;
  const underWay = new WeakMap<object, Promise<unknown>>();
  Connection.prototype.connect = function (this: PatchedConnection): Promise<unknown> {
    const known = underWay.get(this);
    if (known !== undefined) return known;
    if (!this.isConnected()) Object.assign(this, { bytesBuffered: 0, bytesNeeded: SIZE_BYTES, chunks: [] });
    const fresh = connect.call(this).finally(() => underWay.delete(this));
    underWay.set(this, fresh);
    return fresh;
  };
  return Connection;
}

interface PatchedSession {
  readonly authenticatedAt: [number, number] | null;
  readonly sessionLifetime: { toString(): string };
}

/** The most time before its end at which a session is renewed, and the part of a short session. */
const RENEW_BEFORE_MS = 10_000;
const RENEW_BEFORE_PART = 0.2;
/** A broker takes a second login at the earliest a second after the first. */
const LEAST_SESSION_MS = 1_100;

/**
 * kafkajs renews a session 10 s before its end, so one of 10 s or less at each request, which brokers reject.
 *
 * Source: KIP-368; Kafka's `KafkaChannel.maybeBeginServerReauthentication`.
 */
function renewingShortSessions(Connection: { prototype: Prototype }): { prototype: Prototype } {
  Connection.prototype.isAuthenticated = function (this: PatchedSession): boolean {
    if (this.authenticatedAt === null) return false;
    const lifetimeMs = Number(String(this.sessionLifetime));
    if (lifetimeMs === 0) return true;
    const [seconds, nanos] = process.hrtime(this.authenticatedAt);
    const ageMs = seconds * 1_000 + nanos / 1e6;
    const renewAtMs = lifetimeMs - Math.min(RENEW_BEFORE_MS, lifetimeMs * RENEW_BEFORE_PART);
    return ageMs < Math.max(LEAST_SESSION_MS, renewAtMs);
  };
  return Connection;
}

interface LoginConnection {
  readonly host: string;
  readonly port: number;
  readonly sasl: Sasl;
  send(request: unknown): unknown;
  sendAuthRequest(request: unknown): unknown;
}

/**
 * kafkajs asks for a token when the broker waits for it already, and reads passwords once. Ours are all read before a login begins, each time.
 */
function withFreshSecrets(Authenticator: { prototype: Prototype }): unknown {
  const authenticate = Authenticator.prototype.authenticate as (this: object) => Promise<unknown>;
  Authenticator.prototype.authenticate = async function (this: { connection: LoginConnection }): Promise<unknown> {
    const { connection } = this;
    const { host, port } = connection;
    const view = {
      host,
      port,
      sasl: await connection.sasl.login(),
      send: (request: unknown) => connection.send(request),
      sendAuthRequest: (request: unknown) => connection.sendAuthRequest(request),
    };
    return authenticate.call(Object.assign(this, { connection: view }));
  };
  return Authenticator;
}

interface PatchedCluster {
  readonly brokerPool: { withBroker(use: (found: unknown) => Promise<unknown>): Promise<unknown> };
}

/** kafkajs drops a broker's answer to who coordinates a group, and says no more than that none was found. */
function sayingWhyNoCoordinator(Cluster: { prototype: Prototype }): unknown {
  const find = Cluster.prototype.findGroupCoordinatorMetadata as (this: object, of: unknown) => Promise<unknown>;
  Cluster.prototype.findGroupCoordinatorMetadata = async function (
    this: PatchedCluster,
    of: unknown,
  ): Promise<unknown> {
    const { brokerPool } = this;
    let denied: unknown;
    const withBroker = (use: (found: unknown) => Promise<unknown>) =>
      brokerPool.withBroker((found) =>
        use(found).catch((error: unknown) => {
          if (/AUTHORIZATION_FAILED$/.test(String((error as { type?: unknown } | null)?.type))) denied = error;
          throw error;
        }),
      );
    try {
      return await find.call(Object.create(this, { brokerPool: { value: { withBroker } } }), of);
    } catch (error) {
      throw denied ?? error;
    }
  };
  return Cluster;
}

/** kafkajs throws away an answer about all topics and partitions where one of them has an error. Ours looks at each. */
function errorsOfEach<R extends object>(response: R): unknown {
  return { ...response, parse: async (decoded: unknown) => decoded };
}

/** kafkajs commits its default offset when an offset is out of range, with `autoCommit: false` too (#1133). */
function neverCommitByItself(OffsetManager: { prototype: Prototype }): unknown {
  const reject = async (): Promise<never> => {
    throw new Error('rxflume commits offsets itself; kafkajs must not');
  };
  OffsetManager.prototype.setDefaultOffset = reject;
  OffsetManager.prototype.seek = reject;
  OffsetManager.prototype.commitOffsets = reject;
  return OffsetManager;
}

interface ReadingDecoder {
  readonly offset: number;
  readonly buffer: Buffer;
  readInt32(): number;
}

/** kafkajs takes any length for granted: a negative one moves it backwards, to read the same again forever. */
function onlyWithin(Decoder: { prototype: Prototype }): unknown {
  const readBytes = Decoder.prototype.readBytes as (this: unknown, length: number) => unknown;
  Decoder.prototype.readBytes = function (this: ReadingDecoder, given?: number): unknown {
    const length = given ?? this.readInt32();
    if (length < -1 || length > this.buffer.length - this.offset) throw corrupt(`a length is ${length}`);
    return readBytes.call(this, length);
  };
  return Decoder;
}

interface Destination {
  readonly host?: string;
  readonly port?: number;
  readonly rack?: string;
}

type PoolBuilder = (options: { readonly brokers: readonly string[] }) => { build(to?: Destination): unknown };

/** kafkajs cuts an address at its first colon, which an IPv6 address begins with. */
function withWholeAddresses(poolBuilder: PoolBuilder): PoolBuilder {
  return (options) => {
    const pools = poolBuilder(options);
    let turn = 0;
    return {
      build: async (to = {}) => {
        if (to.host !== undefined) return pools.build(to);
        const broker = options.brokers[turn % options.brokers.length];
        turn += 1;
        const { host, port } = readHostPort('brokers', broker, DEFAULT_BROKER_PORT);
        return pools.build({ ...to, host, port });
      },
    };
  };
}

interface StockRecord {
  readonly headers: object;
}

/** kafkajs gathers headers by name, which loses their order and any that is called `__proto__`. */
function withHeadersInOrder(decode: (from: ReadingDecoder, context: unknown) => StockRecord): unknown {
  return (from: ReadingDecoder, context: unknown) => {
    const start = from.offset;
    const record = decode(from, context);
    return { ...record, headerList: readHeadersOf(from.buffer, start) };
  };
}

interface ErrorModule {
  readonly errorCodes: { type: string; code: number; retriable: boolean; message: string }[];
}

/** kafkajs knows the errors of Kafka 2.5; these came with the consumer protocol. Source: Kafka 4.2, Errors. */
function withNewerErrors(module: ErrorModule): ErrorModule {
  const add = (code: number, type: string, message: string) =>
    module.errorCodes.push({ type, code, retriable: false, message });
  add(100, 'UNKNOWN_TOPIC_ID', 'This server does not host this topic ID');
  add(103, 'INCONSISTENT_TOPIC_ID', "The log's topic ID did not match the topic ID in the request");
  add(110, 'FENCED_MEMBER_EPOCH', 'The group has given our partitions away');
  add(111, 'UNRELEASED_INSTANCE_ID', 'The instance ID is still used by another member of the group');
  add(112, 'UNSUPPORTED_ASSIGNOR', 'The group does not support the assignor');
  add(113, 'STALE_MEMBER_EPOCH', 'The member has a newer epoch');
  add(128, 'INVALID_REGULAR_EXPRESSION', 'The regular expression is not valid');
  return module;
}

const AMENDMENTS: Amendments = {
  'src/protocol/error.js': withNewerErrors,
  'src/cluster/connectionPoolBuilder.js': withWholeAddresses,
  'src/protocol/decoder.js': onlyWithin,
  'src/network/requestQueue/index.js': onlyWhenPending,
  'src/network/connection.js': (Connection: { prototype: Prototype }) =>
    onlyOneCleanConnect(renewingShortSessions(withoutEmptyRest(Connection))),
  'src/broker/saslAuthenticator/index.js': withFreshSecrets,
  'src/cluster/index.js': sayingWhyNoCoordinator,
  'src/protocol/recordBatch/record/v0/decoder.js': withHeadersInOrder,
  ...Object.fromEntries(
    // Later versions take the parts of these.
    ['fetch/v0', 'metadata/v0', 'listOffsets/v0', 'listOffsets/v1', 'listOffsets/v2']
      .concat(['offsetFetch/v1', 'offsetFetch/v2', 'offsetCommit/v0'])
      .map((version) => [`src/protocol/requests/${version}/response.js`, errorsOfEach]),
  ),
  'src/consumer/offsetManager/index.js': neverCommitByItself,
};

export type DecodingOptions = Pick<CheckedOptions, 'recordDecoder' | 'checkCrc' | 'maxBatchBytes'>;

/** A kafkajs of our own with its defects patched and all codecs in. */
export function openInternals(options: DecodingOptions): Internals {
  const { recordDecoder, checkCrc, maxBatchBytes } = options;
  const { load } = openPrivateInstance({
    ...AMENDMENTS,
    'src/protocol/requests/fetch/v4/decodeMessages.js': () => {
      const decoders: MessageDecoders = {
        Decoder: load('src/protocol/decoder.js') as MessageDecoders['Decoder'],
        decodeBatch: load('src/protocol/recordBatch/v0/decoder.js') as MessageDecoders['decodeBatch'],
        decodeOldSet: load('src/protocol/messageSet/decoder.js') as MessageDecoders['decodeOldSet'],
      };
      if (recordDecoder === 'kafkajs') return messagesDecoder(decoders);
      return leanDecoder({ codecs: codecsIn(load), checkCrc }, decoders);
    },
  });
  const { createLogger } = load('src/loggers/index.js') as Pick<Internals, 'createLogger'>;
  const { roundRobin } = load('src/consumer/assigners/index.js') as Pick<Internals, 'roundRobin'>;
  const { createErrorFromCode } = load('src/protocol/error.js') as Pick<Internals, 'createErrorFromCode'>;
  const codecs = codecsIn(load);
  for (const [type, codec] of Object.entries(createCodecs({ maxBatchBytes }))) codecs[Number(type)] = () => codec;
  return {
    Cluster: load('src/cluster/index.js') as Internals['Cluster'],
    ConsumerGroup: load('src/consumer/consumerGroup.js') as Internals['ConsumerGroup'],
    Emitter: load('src/instrumentation/emitter.js') as Internals['Emitter'],
    createLogger,
    roundRobin,
    assignerProtocol: load('src/consumer/assignerProtocol.js') as Internals['assignerProtocol'],
    createErrorFromCode,
    codecs,
    load,
  };
}

function codecsIn(load: PrivateInstance['load']): Internals['codecs'] {
  return (load('src/protocol/message/compression/index.js') as { Codecs: Internals['codecs'] }).Codecs;
}
