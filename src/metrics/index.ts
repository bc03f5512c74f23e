/**
 * Metrics for Prometheus, health checks and the status of a flow, for an HTTP server of yours.
 *
 * @packageDocumentation
 */
export { type Description, METRICS } from './catalog.js';
export { type Culprit, culpritOf } from './culprit.js';
export {
  METRICS_HANDLER_DEFAULTS,
  type MetricsHandler,
  type MetricsHandlerOptions,
  metricsHandler,
} from './handler.js';
export { type Health, type HealthLimits, type HealthReason, livenessOf, readinessOf } from './health.js';
export { type PromClientRegistry, promClientMetrics } from './prom-client.js';
export {
  type FlowStatus,
  type OperatorStatus,
  type SinkStatus,
  type SourceStatus,
  type StreamStatus,
  statusOf,
} from './status.js';
