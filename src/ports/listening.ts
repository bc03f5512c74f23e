import type { ObservableInput } from 'rxjs';

/** A server that listens. */
export interface Listening {
  /** Where it listens, for messages and clients, such as `0.0.0.0:4141`. */
  readonly address: string;
  /**
   * Takes no more clients and nothing more of those it has, and closes each connection when what it sent is answered;
   * answers when all are closed, or after a bounded time. Idempotent, never fails.
   */
  close(): ObservableInput<unknown>;
}

/** One whose clients can be made to wait. */
export interface PausableListening extends Listening {
  /** Receives nothing more from any client until `resume`; clients wait. */
  pause(): void;
  resume(): void;
}

/** What every server tells. */
export interface ListenerEvents {
  /** How many clients are connected now. */
  clients(count: number): void;
  /** Something to log; the server continues by itself. */
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
}
