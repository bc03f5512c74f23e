import type { Observable } from 'rxjs';
import type { HeaderMap } from '../../core/headers.js';
import type { ListenerEvents, Listening, PausableListening } from '../../ports/listening.js';

/** What becomes of a request: all of it is durable, or it is not to be counted on. */
export type Outcome =
  | { readonly isDurable: true }
  | {
      readonly isDurable: false;
      /** `nacked`: one of its values was. `late`: not settled in time. `draining`: the source is about to leave. */
      readonly why: 'nacked' | 'late' | 'draining';
      /** Of a nack: which of its values, from 0, and how many of the others are durable already. */
      readonly index?: number;
      readonly durable?: number;
      readonly cause?: unknown;
    };

/** What a client sent at once, never empty; answered once. */
export interface Received<T> {
  /** The client, for messages, such as `10.0.0.7:40112`. */
  readonly client: string;
  readonly values: readonly T[];
  /** Its size as received. */
  readonly byteLength: number;
  /** Answers the client; false where it has gone. Called by itself, and keeps no value in memory. */
  readonly reply: (outcome: Outcome) => boolean;
}

/** What a value takes, and what is known of it. */
export interface Measured {
  /** Its size as received, in bytes, and what it takes in memory. */
  readonly byteLength: number;
  readonly memory: number;
  /** Milliseconds since 1970. */
  readonly timestamp?: number | undefined;
  readonly headers?: HeaderMap | undefined;
}

/** What the server of an intake calls. */
export interface IntakeListener<T> extends ListenerEvents {
  /** Whether nothing more should be received for now. */
  readonly isFull: boolean;
  /** Whether it takes requests at all: it runs, is not paused, and does not drain. */
  readonly isTaking: boolean;
  /** Takes a request over. */
  received(request: Received<T>): void;
  /** So many values were received and cannot be delivered; for what cannot be answered. */
  lost(count: number, why: string): void;
}

/** One kind of source that listens: what differs between them. */
export interface Intake<T> {
  /** The label `source` of its metrics; with the name, the stream. */
  readonly kind: string;
  /** The server, for messages. */
  readonly server: string;
  /** Cold, as the ports have it. */
  listen(listener: IntakeListener<T>): Observable<Listening | PausableListening>;
  measure(value: T): Measured;
  /** What it calls its values, and what follows from a nack; for messages. */
  readonly words: { readonly values: string; readonly afterNack: string };
  /** What happens where a value is nacked and its client hears of nothing. Undefined where it can. */
  readonly whenNacked?: 'stop' | 'drop';
  /** Whether a paused flow turns requests away, so that a client may turn to another server; otherwise clients wait. */
  readonly turnsAway?: boolean;
  /** The longest a client waits for its answer, in milliseconds. */
  readonly answerTimeoutMs?: number;
}

/** The answer of a source whose protocol has none. */
export const NO_ANSWER = (_: Outcome): boolean => true;
