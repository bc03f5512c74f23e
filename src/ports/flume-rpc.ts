import type { Observable } from 'rxjs';
import type { Probe } from '../delivery/probe.js';
import type { FlumeEvent } from '../formats/flume-event.js';
import type { ListenerEvents, PausableListening } from './listening.js';

/**
 * What a receiver answers to a batch. `OK`: it has the whole batch, in a channel or durable. `FAILED`, `UNKNOWN`: it has
 * not, or does not say; the batch must be sent again.
 */
export type FlumeStatus = 'OK' | 'FAILED' | 'UNKNOWN';

/** An open connection: both sides have agreed on the calls. */
export interface FlumeConnection {
  /**
   * Sends a batch of at least one event when subscribed to, and emits once what the agent answers; several may be under way at
   * once, and answers come in any order. Fails with `SinkError`: `RXF_FLUME_REJECTED` when the agent answers with an error (the
   * connection lives), `RXF_FLUME_TIMEOUT` when it does not answer in time, `RXF_FLUME_LOST` when the connection ends before
   * the answer. After the last two the agent may or may not have the batch, and the connection is closed.
   */
  append(events: readonly FlumeEvent[]): Observable<FlumeStatus>;
  /** Closes; what is under way fails with `RXF_FLUME_LOST`. Idempotent, never fails. */
  close(): void;
}

/** The way to one or more agents. */
export interface FlumeRpcClient {
  /** For messages, such as `avro a1:4141,a2:4141`. No secret. */
  readonly name: string;
  /** The agents by their names, such as `a1:4141`, best first. At least one. */
  readonly agents: readonly string[];
  /**
   * Cold: subscribing connects to the agent at that index of `agents` and agrees on the calls, then emits the connection
   * once; unsubscribing closes it at once. Completes after `close`. Fails with `ConnectError`: `RXF_FLUME_UNREACHABLE`
   * where no connection can be made, or an open one has ended; `RXF_FLUME_TLS` where TLS fails; `RXF_FLUME_PROTOCOL`
   * where the other side is no agent.
   */
  connect(agent: number): Observable<FlumeConnection>;
  /** Tries the addresses of its agents, for `rxflume doctor`. Left out where the client cannot. */
  readonly probe?: Probe;
}

/** A batch as a client sent it, never empty; to be answered once. */
export interface FlumeBatch {
  /** The client, for messages, such as `10.0.0.7:40112`. */
  readonly client: string;
  readonly events: readonly FlumeEvent[];
  /** Its size as received. */
  readonly byteLength: number;
  /**
   * Answers the client; false where it has gone, so that it will send the batch again. Later calls do nothing. It is called
   * by itself, and keeps no event in memory.
   */
  readonly reply: (status: FlumeStatus) => boolean;
}

/** What the server calls. */
export interface FlumeListener extends ListenerEvents {
  /** Takes a batch over; it must not block. After `pause` a few may still come: what was received before. */
  batch(batch: FlumeBatch): void;
}

/** A server that listens. */
export type FlumeListening = PausableListening;

/** A server that Flume's clients send to. */
export interface FlumeRpcServer {
  /** For messages, such as `avro 0.0.0.0:4141`. No secret. */
  readonly name: string;
  /**
   * Cold: subscribing listens, and emits once when clients can connect; unsubscribing closes everything at once.
   * Completes after `close`. Fails with `ConnectError` (`RXF_FLUME_LISTEN`) where the address cannot be had or is lost.
   */
  listen(listener: FlumeListener): Observable<FlumeListening>;
}
