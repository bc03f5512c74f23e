import type { Observable } from 'rxjs';
import type { ListenerEvents, Listening } from './listening.js';

/** The answer to a request. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text; none: an empty body. */
  readonly body?: string;
}

/** A request as far as its head goes. */
export interface HttpHead {
  /** The client, for messages, such as `10.0.0.7:40112`. */
  readonly client: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** By lower-case name; those that are repeated are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request whose body has come whole; to be answered once. */
export interface HttpReceived extends HttpHead {
  /** As it is after `content-encoding` was undone. */
  readonly body: Uint8Array;
  /** Its size as received. */
  readonly byteLength: number;
  /** Answers the client; false where it has gone. Later calls do nothing. It keeps no body in memory. */
  readonly reply: (answer: HttpReply) => boolean;
}

/** What the server calls. */
export interface HttpServerListener extends ListenerEvents {
  /**
   * Called when the head of a request has come and its client has shown who it is: null to have its body received, else the
   * answer, at once.
   */
  admit(head: HttpHead): HttpReply | null;
  /** Takes a request over; it must not block. */
  request(request: HttpReceived): void;
  /** Whether it takes requests: what a health check asks, which needs no authorization. */
  isReady(): boolean;
}

/** A server of HTTP requests. */
export interface HttpServer {
  /** For messages, such as `http 0.0.0.0:8080`. No secret. */
  readonly name: string;
  /**
   * Cold: subscribing listens, and emits once when clients can connect; unsubscribing closes everything at once.
   * Completes after `close`. Fails with `ConnectError` (`RXF_SOURCE_LISTEN`) where the address cannot be had or is lost.
   */
  listen(listener: HttpServerListener): Observable<Listening>;
}
