import type { Observable } from 'rxjs';
import type { SourceError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import type { Delivery } from '../../delivery/delivery.js';

/** Reads one queue or stream for a session: through as many channels as it takes, one after the other. */
export interface Reader {
  readonly queue: string;
  readonly stream: string;
  start(): void;
  /** Takes no more, and asks for what is out to be settled, again and again. */
  stop(): void;
  /** Whether nothing that is out can still be settled. */
  readonly isSettled: boolean;
  /** How many are out and not settled. */
  readonly unsettled: number;
  /** What was refused and waits to be redelivered: leaving now must not look like success. */
  readonly waiting: SourceError | undefined;
  /** Tells the broker what is settled, and leaves it; completes when that is done. */
  close(): Observable<unknown>;
  /** Ends everything at once. */
  end(): void;
}

/** What a reader needs of the session it reads for. */
export interface ReadsFor {
  /** Whether messages are taken now. */
  readonly isTaking: boolean;
  /** Whether one of the readers has had a channel: from then on they come back by themselves. */
  readonly hasConnected: boolean;
  emit(delivery: Delivery<Buffer>): void;
  connected(): void;
  /** Something was settled, or can no longer be. */
  settled(): void;
  /** A channel is over, with so many out that can no longer be settled. */
  lost(stream: string, count: number): void;
  /** A refusal that trying again cannot mend: leave. */
  refused(error: SourceError): void;
  /** It cannot go on. */
  failed(error: unknown): void;
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
  report(failure: Failure): void;
}
