import { CommitError, ConnectError, RxflumeError, SourceError } from '../../core/errors.js';
import { withoutStop } from '../../core/sentence.js';
import { isTlsFault, plainPortHint, tlsAdvice } from '../../core/tls-fault.js';
import type { KafkaSubscription, TopicPartition } from '../../ports/kafka-consumer.js';
import { MEANINGS, type Meaning } from './records/read-answers.js';
import type { ForeignError } from './vendor/internals.js';

const AUTH_TYPES = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'SECURITY_DISABLED',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

const NETWORK_CODE = /^E[A-Z]+$/;

/** kafkajs calls these final; the cluster may answer otherwise a moment later. */
const PASSING_NAMES = new Set(['KafkaJSLockTimeout', 'KafkaJSGroupCoordinatorNotFound', 'KafkaJSBrokerNotFound']);

/** What an error means for who reads: by the broker's answer, or where there was none, by what is known of the network. */
export function meaningOf(error: unknown): Meaning {
  const own = ownIn(error);
  if (own !== undefined) return own.retryable ? 'again' : 'fatal';
  const known = MEANINGS[typeOf(error)];
  if (known !== undefined) return known;
  if (isAuth(error)) return 'denied';
  return isPassing(error) ? 'again' : 'fatal';
}

/** Whether the same may go well with the same cluster a moment later. */
export function mayPass(error: unknown): boolean {
  const meaning = meaningOf(error);
  return meaning === 'again' || meaning === 'refresh' || meaning === 'moved';
}

/** Worth another try with the same cluster: the network, or a broker that says so itself. */
export function isPassing(error: unknown): boolean {
  const own = ownIn(error);
  if (own !== undefined) return own.retryable;
  if (isAuth(error)) return false;
  const { name, retriable, code } = innermost(error);
  return retriable === true || PASSING_NAMES.has(name) || NETWORK_CODE.test(String(code ?? ''));
}

export function isAuth(error: unknown): boolean {
  const { name, type, code } = innermost(error);
  return name === 'KafkaJSSASLAuthenticationError' || AUTH_TYPES.has(type ?? '') || isTlsFault({ code });
}

/** A short reason, such as `connect ECONNREFUSED 127.0.0.1:9092`, without secrets and without a full stop. */
export function reasonOf(error: unknown, secrets: readonly string[] = []): string {
  const { message, name } = innermost(error);
  const line = String(message || name || error).split('\n', 1)[0] as string;
  return withoutStop(redact(line.replace(/^(Connection error: )+/, ''), secrets).slice(0, 500));
}

export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/** The broker's error name, such as `UNKNOWN_MEMBER_ID`, or an empty text. */
export function typeOf(error: unknown): string {
  return innermost(error).type ?? '';
}

/** kafkajs wraps: retries around kafkajs errors around broker errors. The one inside says what happened. */
function innermost(error: unknown): ForeignError {
  let inner = error as ForeignError;
  for (let depth = 0; depth < 8; depth += 1) {
    const { cause } = inner ?? {};
    if (inner?.type !== undefined || typeof cause !== 'object' || cause === null || cause === inner) break;
    inner = cause as ForeignError;
  }
  return inner ?? { name: 'Error', message: String(error) };
}

/** kafkajs wraps ours too, as that of a secret that cannot be read. */
function ownIn(error: unknown): RxflumeError | undefined {
  let inner = error;
  for (let depth = 0; depth < 8 && typeof inner === 'object' && inner !== null; depth += 1) {
    if (inner instanceof RxflumeError) return inner;
    inner = (inner as { readonly cause?: unknown }).cause;
  }
  return undefined;
}

export interface Setting {
  readonly brokers: readonly string[];
  readonly secrets: readonly string[];
}

/** An error while connecting, joining or reading, as ours. What is no error of kafkajs or the network is a bug, and kept. */
export function connectError(error: unknown, { brokers, secrets }: Setting, lastReason?: string): unknown {
  const own = ownIn(error);
  if (own !== undefined) return own;
  if (!isForeign(error)) return error;
  const where = brokers.join(', ');
  const reason = reasonOf(error, secrets);
  const extras = { details: { brokers }, cause: error };
  if (isAuth(error)) {
    const inner = innermost(error);
    const message = isTlsFault(inner)
      ? `Cannot establish a TLS connection to Kafka at ${where}: ${reason}. ${tlsAdvice(inner, 'tls.ca', NO_TLS)}.`
      : `Kafka at ${where} rejected ${deniedAdvice(inner, reason)}.`;
    return new ConnectError('RXF_KAFKA_AUTH', message, extras);
  }
  if (typeOf(error) === 'INCONSISTENT_GROUP_PROTOCOL') {
    const message =
      `The group has members that use another partition assignor than kafkajs's round robin: ${reason}. ` +
      'Stop those members, or use another `groupId`.';
    return new SourceError('RXF_KAFKA_PROTOCOL', message, extras);
  }
  if (!mayPass(error)) {
    return new SourceError('RXF_KAFKA_PROTOCOL', `Kafka at ${where} sent an unusable response: ${reason}.`, extras);
  }
  return unreachable(where, lastReason ?? reason, error);
}

/** Another member has our static id, or the group holds it for one that is gone. */
export function instanceError(
  error: unknown,
  { groupId, groupInstanceId }: Pick<KafkaSubscription, 'groupId' | 'groupInstanceId'>,
): SourceError {
  return new SourceError(
    'RXF_KAFKA_GROUP',
    `Group ${groupId} has another member with \`groupInstanceId\` ${groupInstanceId}: ${reasonOf(error)}. Give each process an id ` +
      'of its own, such as the name of its pod, and start this one again.',
    { details: { groupId, groupInstanceId }, cause: error },
  );
}

/** What each of Kafka's rejections is about, and the right that is missing. */
const MISSING_RIGHTS: Readonly<Record<string, string>> = {
  GROUP_AUTHORIZATION_FAILED: 'the operation `Read` on the group',
  TOPIC_AUTHORIZATION_FAILED: 'on the topic the operation `Read` to a source, `Write` to a sink',
  CLUSTER_AUTHORIZATION_FAILED: 'the operation `IdempotentWrite` on the cluster',
};

/** Follows `Kafka at k1:9093 rejected`. */
function deniedAdvice({ type, name }: ForeignError, reason: string): string {
  const right = MISSING_RIGHTS[type ?? ''];
  if (right !== undefined) return `the request: ${reason}. Grant ${right} (\`kafka-acls --add\`)`;
  if (type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/.test(reason)) {
    return `the login: ${reason}. Correct \`sasl.mechanism\`, or enable it at the broker`;
  }
  if (type === 'SASL_AUTHENTICATION_FAILED' || name === 'KafkaJSSASLAuthenticationError') {
    return `the credentials: ${reason}. Correct what \`sasl\` logs in with`;
  }
  return `the credentials or the request: ${reason}. Check \`sasl\`, \`tls\` and the ACLs`;
}

const NO_TLS = 'leave out `tls`';

/** kafkajs's words for a broker that ends a connection without an answer, as one that wants TLS does. */
function tlsPortHint(reason: string): string {
  return /Closed connection$|without TLS$/.test(reason) ? ' If the port requires TLS, set `tls`.' : '';
}

export function unreachable(where: string, reason: string, cause: unknown): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_UNREACHABLE',
    `Cannot reach Kafka at ${where}: ${reason}. Check the addresses in \`brokers\`, that the brokers run, and that ` +
      `their advertised addresses can be reached from here.${plainPortHint(reason, NO_TLS)}${tlsPortHint(reason)}`,
    { details: { brokers: where.split(', ') }, cause },
  );
}

function isForeign(error: unknown): boolean {
  const { name, code } = innermost(error);
  return String(name).startsWith('KafkaJS') || isAuth(error) || NETWORK_CODE.test(String(code ?? ''));
}

/** The broker accepted the other offsets and rejected this one. */
export function partitionCommitError(
  { topic, partition }: TopicPartition,
  error: unknown,
  groupId: string,
  secrets: readonly string[],
): CommitError {
  return new CommitError(
    'RXF_KAFKA_COMMIT',
    `Cannot commit the offset of group ${groupId} in ${topic}/${partition}: ${reasonOf(error, secrets)}.`,
    { details: { groupId, topic, partition, type: typeOf(error) }, cause: error, retryable: mayPass(error) },
  );
}

/** Whether the group's generation has ended, or is ending. */
export function groupHasMovedOn(error: unknown): boolean {
  const meaning = meaningOf(error);
  return meaning === 'rebalance' || meaning === 'stale';
}

/** A commit that the broker rejected, or that did not reach it. */
export function commitError(error: unknown, groupId: string, secrets: readonly string[]): CommitError {
  if (error instanceof CommitError) return error;
  return new CommitError(
    'RXF_KAFKA_COMMIT',
    `Cannot commit the offsets of group ${groupId}: ${reasonOf(error, secrets)}.`,
    {
      details: { groupId, type: typeOf(error) },
      cause: error,
      retryable: mayPass(error) || groupHasMovedOn(error),
    },
  );
}
