/**
 * Operators on deliveries: each passes the acker on with the value, and settles what it drops.
 *
 * @packageDocumentation
 */
export { type Aggregate, type AggregateByKeyOptions, aggregateByKey } from './aggregate-by-key.js';
export { type BalanceOptions, balance } from './balance.js';
export { BATCH_DEFAULTS, type BatchOptions, batch } from './batch.js';
export { type DeadLetterOptions, deadLetter } from './dead-letter.js';
export { type DecodeOptions, decode } from './decode.js';
export { type DedupeByOptions, dedupeBy } from './dedupe-by.js';
export { drainOn } from './drain-on.js';
export { FAILOVER_DEFAULTS, type FailoverOptions, failover } from './failover.js';
export { filterValue } from './filter-value.js';
export { type InFlightWindowOptions, inFlightWindow } from './in-flight-window.js';
export { mapValue } from './map-value.js';
export { MAP_VALUE_ASYNC_DEFAULTS, type MapValueAsyncOptions, mapValueAsync } from './map-value-async.js';
export { MERGE_SOURCES_DEFAULTS, type MergeSourcesOptions, mergeSources, type TargetStatus } from './merge-sources.js';
export { type RateLimitOptions, rateLimit } from './rate-limit.js';
export { type RetryConnectOptions, retryConnect } from './retry-connect.js';
export { RETRY_WRITE_DEFAULTS, type RetryWriteOptions, retryWrite, type Write } from './retry-write.js';
export { type RouteByOptions, routeBy } from './route-by.js';
export { splitValue } from './split-value.js';
export { TEE_DEFAULTS, type TeeOptions, tee } from './tee.js';
export { type TimeoutUnsettledOptions, timeoutUnsettled } from './timeout-unsettled.js';
export { TRANSMIT_DEFAULTS, type TransmitOptions, transmit } from './transmit.js';
export { trusted } from './trusted.js';
