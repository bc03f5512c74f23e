/**
 * Every error rxflume raises, as one table: code → family (the class that carries it) and whether the same thing may
 * succeed when tried again. `docs/reference/errors.md` explains each row; a test holds the two equal.
 *
 * ```ts
 * import { ERRORS } from 'rxflume';
 *
 * ERRORS.RXF_KAFKA_AUTH; // → { family: 'ConnectError', retryable: false }
 * ```
 */
export const ERRORS = {
  RXF_OPTION_INVALID: { family: 'OptionError', retryable: false },
  RXF_FLOW_INVALID: { family: 'OptionError', retryable: false },
  RXF_FLOW_LOOP: { family: 'OptionError', retryable: false },
  RXF_FLOW_COMMAND: { family: 'OptionError', retryable: false },
  RXF_FLOW_FILE: { family: 'OptionError', retryable: false },
  RXF_TEXT_DATA: { family: 'OptionError', retryable: false },
  RXF_TEXT_MODEL: { family: 'OptionError', retryable: false },
  RXF_DRIVER_MISSING: { family: 'OptionError', retryable: false },
  RXF_SECRET_UNREADABLE: { family: 'ConnectError', retryable: true },

  RXF_KAFKA_UNREACHABLE: { family: 'ConnectError', retryable: true },
  RXF_KAFKA_LOST: { family: 'ConnectError', retryable: true },
  RXF_KAFKA_AUTH: { family: 'ConnectError', retryable: false },
  RXF_KAFKA_TOPIC_MISSING: { family: 'ConnectError', retryable: false },
  RXF_KAFKA_RESUME: { family: 'ConnectError', retryable: true },

  RXF_FLUME_UNREACHABLE: { family: 'ConnectError', retryable: true },
  RXF_FLUME_TLS: { family: 'ConnectError', retryable: false },
  RXF_FLUME_PROTOCOL: { family: 'ConnectError', retryable: false },
  RXF_FLUME_LISTEN: { family: 'ConnectError', retryable: true },
  RXF_EXEC_START: { family: 'ConnectError', retryable: false },
  RXF_SOURCE_LISTEN: { family: 'ConnectError', retryable: true },
  RXF_METRICS_LISTEN: { family: 'ConnectError', retryable: false },
  RXF_CONSOLE_LISTEN: { family: 'ConnectError', retryable: false },
  RXF_CONSOLE_UNREACHABLE: { family: 'ConnectError', retryable: true },
  RXF_CONSOLE_SESSION: { family: 'ConnectError', retryable: false },
  RXF_CONSOLE_ORIGIN: { family: 'ConnectError', retryable: false },
  RXF_CONSOLE_READ_ONLY: { family: 'ConnectError', retryable: false },
  RXF_CONSOLE_LIMIT: { family: 'ConnectError', retryable: true },
  RXF_CONSOLE_REQUEST: { family: 'ConnectError', retryable: false },

  RXF_AMQP_UNREACHABLE: { family: 'ConnectError', retryable: true },
  RXF_AMQP_AUTH: { family: 'ConnectError', retryable: false },
  RXF_AMQP_MISSING: { family: 'ConnectError', retryable: false },
  RXF_AMQP_MISMATCH: { family: 'ConnectError', retryable: false },
  RXF_AMQP_LOST: { family: 'ConnectError', retryable: true },
  RXF_AMQP_CANCELLED: { family: 'ConnectError', retryable: true },
  RXF_AMQP_RESUME: { family: 'ConnectError', retryable: true },
  RXF_SOURCE_FILES: { family: 'ConnectError', retryable: true },
  RXF_SOURCE_RESUME: { family: 'ConnectError', retryable: true },
  RXF_HTTP_UNREACHABLE: { family: 'ConnectError', retryable: true },
  RXF_HTTP_TLS: { family: 'ConnectError', retryable: false },
  RXF_HTTP_PROTOCOL: { family: 'ConnectError', retryable: false },
  RXF_REGISTRY_UNREACHABLE: { family: 'ConnectError', retryable: true },
  RXF_REGISTRY_PROTOCOL: { family: 'ConnectError', retryable: true },
  RXF_REGISTRY_DENIED: { family: 'ConnectError', retryable: false },

  RXF_TAIL_RESUME: { family: 'ConnectError', retryable: true },
  RXF_TAIL_IN_USE: { family: 'ConnectError', retryable: true },
  RXF_TAIL_DAMAGED: { family: 'ConnectError', retryable: false },

  RXF_KAFKA_PROTOCOL: { family: 'SourceError', retryable: false },
  RXF_KAFKA_DATA_LOST: { family: 'SourceError', retryable: false },
  RXF_KAFKA_GROUP: { family: 'SourceError', retryable: false },
  RXF_AMQP_DATA_LOST: { family: 'SourceError', retryable: false },
  RXF_TAIL_TOO_LONG: { family: 'SourceError', retryable: false },
  RXF_TAIL_DATA_LOST: { family: 'SourceError', retryable: false },
  RXF_DEAD_LETTERS_DAMAGED: { family: 'SourceError', retryable: false },
  RXF_SOURCE_NACKED: { family: 'SourceError', retryable: false },
  RXF_SOURCE_FILE: { family: 'SourceError', retryable: false },
  RXF_SOURCE_FILE_CHANGED: { family: 'SourceError', retryable: false },
  RXF_EXEC_EXITED: { family: 'SourceError', retryable: false },
  RXF_SOURCE_OVERFLOW: { family: 'SourceError', retryable: false },
  RXF_SOURCE_CALLBACK: { family: 'SourceError', retryable: false },
  RXF_SOURCE_DRAIN_TIMEOUT: { family: 'SourceError', retryable: true },
  RXF_SOURCE_DRAIN_LOST: { family: 'SourceError', retryable: true },

  RXF_KAFKA_COMMIT: { family: 'CommitError', retryable: true },
  RXF_TAIL_POSITION: { family: 'CommitError', retryable: true },

  RXF_DECODE_EMPTY: { family: 'DecodeError', retryable: false },
  RXF_DECODE_SYNTAX: { family: 'DecodeError', retryable: false },
  RXF_DECODE_INEXACT: { family: 'DecodeError', retryable: false },
  RXF_DECODE_TOO_LARGE: { family: 'DecodeError', retryable: false },
  RXF_DECODE_SHAPE: { family: 'DecodeError', retryable: false },
  RXF_DECODE_SCHEMA: { family: 'DecodeError', retryable: false },

  RXF_FILES_UNREACHABLE: { family: 'SinkError', retryable: true },
  RXF_FILES_STANDBY: { family: 'SinkError', retryable: true },
  RXF_FILES_SAFE_MODE: { family: 'SinkError', retryable: true },
  RXF_FILES_KERBEROS: { family: 'SinkError', retryable: false },
  RXF_FILES_DENIED: { family: 'SinkError', retryable: false },
  RXF_FILES_FULL: { family: 'SinkError', retryable: true },
  RXF_FILES_EXISTS: { family: 'SinkError', retryable: false },
  RXF_FILES_MISSING: { family: 'SinkError', retryable: false },
  RXF_FILES_TLS: { family: 'SinkError', retryable: false },
  RXF_FILES_NAME: { family: 'SinkError', retryable: false },
  RXF_FILES_LENGTH: { family: 'SinkError', retryable: true },
  RXF_FILES_TIMEOUT: { family: 'SinkError', retryable: true },
  RXF_FILES_REMOTE: { family: 'SinkError', retryable: true },
  RXF_FILES_PROTOCOL: { family: 'SinkError', retryable: false },
  RXF_FILES_ABORTED: { family: 'SinkError', retryable: true },
  RXF_FLUME_REJECTED: { family: 'SinkError', retryable: true },
  RXF_FLUME_EVENT_REJECTED: { family: 'SinkError', retryable: true },
  RXF_FLUME_TIMEOUT: { family: 'SinkError', retryable: true },
  RXF_FLUME_LOST: { family: 'SinkError', retryable: true },
  RXF_FLUME_DOWN: { family: 'SinkError', retryable: true },
  RXF_AMQP_UNROUTABLE: { family: 'SinkError', retryable: false },
  RXF_AMQP_REJECTED: { family: 'SinkError', retryable: true },
  RXF_AMQP_UNCONFIRMED: { family: 'SinkError', retryable: true },
  RXF_KAFKA_RECORD_TOO_LARGE: { family: 'SinkError', retryable: false },
  RXF_KAFKA_RECORD_REJECTED: { family: 'SinkError', retryable: false },
  RXF_KAFKA_REJECTED: { family: 'SinkError', retryable: false },
  RXF_KAFKA_SEND: { family: 'SinkError', retryable: true },
  RXF_KAFKA_TRANSACTION: { family: 'SinkError', retryable: true },
  RXF_HTTP_LOST: { family: 'SinkError', retryable: true },
  RXF_HTTP_TIMEOUT: { family: 'SinkError', retryable: true },
  RXF_HTTP_UNAVAILABLE: { family: 'SinkError', retryable: true },
  RXF_HTTP_REJECTED: { family: 'SinkError', retryable: false },
  RXF_HTTP_TOO_LARGE: { family: 'SinkError', retryable: false },
  RXF_HTTP_DENIED: { family: 'SinkError', retryable: false },
  RXF_HTTP_REDIRECT: { family: 'SinkError', retryable: false },
  RXF_CONSOLE_CLOSED: { family: 'SinkError', retryable: false },
  RXF_SINK_BUCKET: { family: 'SinkError', retryable: false },
  RXF_SINK_TIME: { family: 'SinkError', retryable: false },
  RXF_SINK_MIXED: { family: 'SinkError', retryable: false },
  RXF_SINK_FORMAT: { family: 'SinkError', retryable: false },
  RXF_SINK_WRITE: { family: 'SinkError', retryable: true },
  RXF_SINK_STOPPED: { family: 'SinkError', retryable: true },
  RXF_SCHEMA_REJECTED: { family: 'SinkError', retryable: false },
  RXF_SINK_ROUTE: { family: 'SinkError', retryable: false },
  RXF_SINK_LOOP: { family: 'SinkError', retryable: false },
  RXF_OPERATOR_FAILED: { family: 'SinkError', retryable: true },
  RXF_OPERATOR_TIMEOUT: { family: 'SinkError', retryable: true },
  RXF_LEDGER_BEHIND: { family: 'SinkError', retryable: true },
  RXF_LEDGER_COLUMN: { family: 'SinkError', retryable: false },
  RXF_LEDGER_DAMAGED: { family: 'SinkError', retryable: false },
  RXF_LEDGER_ENTRY: { family: 'SinkError', retryable: true },
  RXF_LEDGER_ORDER: { family: 'SinkError', retryable: false },
  RXF_ALERT_SEND: { family: 'SinkError', retryable: true },

  RXF_LEDGER_FENCED: { family: 'FencedError', retryable: true },
  RXF_DEAD_LETTERS_FENCED: { family: 'FencedError', retryable: true },
  RXF_KAFKA_FENCED: { family: 'FencedError', retryable: true },
} as const satisfies Record<string, { readonly family: ErrorFamily; readonly retryable: boolean }>;

export type ErrorFamily =
  | 'OptionError'
  | 'ConnectError'
  | 'SourceError'
  | 'CommitError'
  | 'DecodeError'
  | 'SinkError'
  | 'FencedError';

export type ErrorCode = keyof typeof ERRORS;

/** The codes that belong to one family. */
export type CodeOf<F extends ErrorFamily> = {
  [C in ErrorCode]: (typeof ERRORS)[C]['family'] extends F ? C : never;
}[ErrorCode];
