/**
 * What an answer of a broker means for who reads. `again`: ask the same again later. `refresh`: the leader has moved, or is
 * away; learn the leaders first. `moved`: so has the group's coordinator. `rebalance`: join again. `stale`: the group goes on
 * without us. `outOfRange`: the log does not hold that offset. `missing`, `forbidden`: of one topic, which is not there or
 * not ours to read. `denied`: of the whole connection. `fatal`: asking again brings the same.
 */
export type Meaning =
  | 'again'
  | 'refresh'
  | 'moved'
  | 'rebalance'
  | 'stale'
  | 'outOfRange'
  | 'missing'
  | 'forbidden'
  | 'denied'
  | 'fatal';

/**
 * By the names that kafkajs gives the codes; what is not here is fatal.
 *
 * Source: Kafka's Errors; for fetches, offsets, commits and joins what Java's consumer makes of each.
 */
export const MEANINGS: Readonly<Record<string, Meaning>> = {
  // The broker does not say what went wrong: often a log that is being closed or moved.
  UNKNOWN: 'again',
  CORRUPT_MESSAGE: 'again',
  REQUEST_TIMED_OUT: 'again',
  NETWORK_EXCEPTION: 'again',
  BROKER_NOT_AVAILABLE: 'again',
  STALE_BROKER_EPOCH: 'again',
  REASSIGNMENT_IN_PROGRESS: 'again',
  FETCH_SESSION_ID_NOT_FOUND: 'again',
  INVALID_FETCH_SESSION_EPOCH: 'again',
  OFFSET_NOT_AVAILABLE: 'again',
  UNSTABLE_OFFSET_COMMIT: 'again',
  CONCURRENT_TRANSACTIONS: 'again',
  NOT_ENOUGH_REPLICAS: 'again',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'again',

  LEADER_NOT_AVAILABLE: 'refresh',
  NOT_LEADER_FOR_PARTITION: 'refresh',
  REPLICA_NOT_AVAILABLE: 'refresh',
  KAFKA_STORAGE_ERROR: 'refresh',
  LISTENER_NOT_FOUND: 'refresh',
  FENCED_LEADER_EPOCH: 'refresh',
  UNKNOWN_LEADER_EPOCH: 'refresh',
  PREFERRED_LEADER_NOT_AVAILABLE: 'refresh',
  ELIGIBLE_LEADERS_NOT_AVAILABLE: 'refresh',
  NOT_CONTROLLER: 'refresh',
  UNKNOWN_TOPIC_ID: 'refresh',
  INCONSISTENT_TOPIC_ID: 'refresh',

  NOT_COORDINATOR_FOR_GROUP: 'moved',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'moved',
  GROUP_LOAD_IN_PROGRESS: 'moved',

  REBALANCE_IN_PROGRESS: 'rebalance',
  MEMBER_ID_REQUIRED: 'rebalance',
  UNKNOWN_MEMBER_ID: 'stale',
  ILLEGAL_GENERATION: 'stale',
  FENCED_INSTANCE_ID: 'stale',
  FENCED_MEMBER_EPOCH: 'stale',
  // The group has gone on, and we with it: the next heartbeat brings our new epoch.
  STALE_MEMBER_EPOCH: 'rebalance',
  UNRELEASED_INSTANCE_ID: 'again',

  OFFSET_OUT_OF_RANGE: 'outOfRange',

  UNKNOWN_TOPIC_OR_PARTITION: 'missing',
  INVALID_TOPIC_EXCEPTION: 'missing',
  TOPIC_AUTHORIZATION_FAILED: 'forbidden',

  GROUP_AUTHORIZATION_FAILED: 'denied',
  CLUSTER_AUTHORIZATION_FAILED: 'denied',
  SASL_AUTHENTICATION_FAILED: 'denied',
  UNSUPPORTED_SASL_MECHANISM: 'denied',
  ILLEGAL_SASL_STATE: 'denied',
  SECURITY_DISABLED: 'denied',
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: 'denied',
  DELEGATION_TOKEN_EXPIRED: 'denied',
};
