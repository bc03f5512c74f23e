import { SourceError } from '../../../core/errors.js';
import type { KafkaSubscription } from '../../../ports/kafka-consumer.js';
import { instanceError, reasonOf, typeOf } from '../errors.js';

/** The group is to be joined by the classic protocol, since that was left to us and the other does not fit. */
export class ClassicInstead extends Error {}

/** Errors by which `auto` turns to the classic protocol. */
const CLASSIC_FITS: ReadonlySet<string> = new Set([
  'UNSUPPORTED_VERSION',
  'GROUP_ID_NOT_FOUND',
  'INCONSISTENT_GROUP_PROTOCOL',
]);

/** What the group's answer to joining means for who subscribed; any other error is left as it is. */
export function joinError(error: unknown, subscription: KafkaSubscription): unknown {
  const { groupId, protocol } = subscription;
  const type = typeOf(error);
  if (protocol === 'auto' && CLASSIC_FITS.has(type)) return new ClassicInstead(reasonOf(error));
  const next = NEXT[type];
  if (type === 'UNRELEASED_INSTANCE_ID' || type === 'FENCED_INSTANCE_ID') return instanceError(error, subscription);
  if (next === undefined) return error;
  return new SourceError(
    'RXF_KAFKA_GROUP',
    `Cannot join group ${groupId} by the consumer protocol: ${reasonOf(error)}. ${next}`,
    { details: { groupId, type }, cause: error },
  );
}

export function unofferedError({ groupId }: KafkaSubscription, reason: string): SourceError {
  return new SourceError(
    'RXF_KAFKA_GROUP',
    `Cannot join group ${groupId} by the consumer protocol: ${reason}. Use \`protocol: 'auto'\` or \`'classic'\`, or upgrade the ` +
      'cluster (Kafka 4.0, kafka-features.sh upgrade --feature group.version=1).',
    { details: { groupId } },
  );
}

const CLASSIC = "Use `protocol: 'classic'`";

const NEXT: Readonly<Record<string, string>> = {
  UNSUPPORTED_VERSION: `${CLASSIC}, or allow it in the brokers' \`group.coordinator.rebalance.protocols\`.`,
  GROUP_ID_NOT_FOUND:
    'The group has members of the classic protocol that the broker does not convert (`group.consumer.migration.policy`). ' +
    `Stop them first, or u${CLASSIC.slice(1)}.`,
  INCONSISTENT_GROUP_PROTOCOL: `The group has members that are no consumers. Use another \`groupId\`.`,
  UNSUPPORTED_ASSIGNOR: 'See `group.consumer.assignors` of the brokers: none of them fits the group.',
  GROUP_MAX_SIZE_REACHED: 'Start fewer members, or raise `group.consumer.max.size` of the brokers.',
  INVALID_REQUEST: `The broker does not understand the request. ${CLASSIC}, and report this.`,
};
