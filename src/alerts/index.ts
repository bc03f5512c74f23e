/**
 * Alerts on flows and on values: rules, surges, receivers.
 *
 * @packageDocumentation
 */
export type { AlertEvent, AlertRule, AlertState, Severity } from './alert.js';
export { ALERT_WHEN_DEFAULTS, type AlertWhenOptions, alertWhen } from './alert-when.js';
export {
  ALERTMANAGER_RECEIVER_DEFAULTS,
  type AlertmanagerReceiverOptions,
  alertmanagerReceiver,
} from './alertmanager-receiver.js';
export { alerts } from './alerts.js';
export { BUILT_IN_ALERTS_DEFAULTS, type BuiltInAlertsOptions, builtInAlerts } from './built-in-alerts.js';
export { type AlertCase, type AlertCaseResult, testAlerts } from './cases.js';
export type { ClassifierError } from './cusum.js';
export { type AlertStateStore, fileState } from './file-state.js';
export {
  FLOW_SNAPSHOTS_DEFAULTS,
  type FlowSnapshot,
  type FlowSnapshotsOptions,
  flowSnapshots,
} from './flow-snapshots.js';
export { LOG_RECEIVER_DEFAULTS, type LogReceiverOptions, logReceiver } from './log-receiver.js';
export { notify } from './notify.js';
export { type AlertRetryOptions, NOTIFY_DEFAULTS, type NotifyOptions } from './notify-options.js';
export type { NotificationResult } from './outbox.js';
export type { Notification, NotifiedAlert, Receiver } from './receiver.js';
export type { Silence } from './silence.js';
export {
  SURGE_DEFAULTS,
  type Surge,
  type SurgeBacktest,
  type SurgeBaselineOptions,
  type SurgeOptions,
  surge,
} from './surge.js';
export { WEBHOOK_RECEIVER_DEFAULTS, type WebhookReceiverOptions, webhookReceiver } from './webhook-receiver.js';
