/**
 * Metrics and traces for OpenTelemetry: over its API alone, so your application brings the SDK and the exporter. Needs `@opentelemetry/api`.
 *
 * @packageDocumentation
 */
export { openTelemetryMetrics } from './metrics.js';
export { type TracingOptions, traceDeliveries } from './trace-deliveries.js';
export { type TracedBatch, traceHeaders } from './trace-headers.js';
