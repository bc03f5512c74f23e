import type { Observable } from 'rxjs';
import type { ListenerEvents, PausableListening } from './listening.js';

/** A client of a stream: what can be done to it. Nothing here throws, or does anything once it is closed. */
export interface SocketPeer {
  /** For messages, such as `10.0.0.7:40112`. */
  readonly client: string;
  /** Sends; false where the client has gone. One that does not read what it is sent is closed after a bounded time. */
  write(bytes: Uint8Array): boolean;
  /** Receives nothing of this client until `resume`. */
  pause(): void;
  resume(): void;
  /** Closes once what was written is sent; what still comes is dropped. */
  end(): void;
}

/** Whatever reads what one client sends. */
export interface SocketReader {
  /** Bytes in order, as they come; they are the reader's to keep. */
  data(bytes: Uint8Array): void;
  /** The client has closed its side, or the connection is lost. Called once, last. */
  ended(): void;
  /** The server is closing: nothing more is received of this client, which closes by `peer.end()`, or after a bounded time. */
  closing(): void;
  /**
   * What the client is in the middle of, as a number of its own for each frame; 0: between two. A client may not stay in the
   * middle of one without a bound.
   */
  readonly unfinished: number;
}

/** What the server calls. */
export interface SocketServerListener extends ListenerEvents {
  /** A client has connected. */
  connected(peer: SocketPeer): SocketReader;
  /** One datagram, where the transport has these. */
  datagram(bytes: Uint8Array, client: string): void;
  /** The system or the server has dropped so many datagrams or connections, as far as it is known. */
  dropped(count: number, why: string): void;
}

/** How bytes come. */
export type SocketTransport = 'tcp' | 'tls' | 'udp' | 'unix';

/** A server of streams of bytes, or of datagrams. */
export interface SocketServer {
  /** For messages, such as `tcp 0.0.0.0:514`. No secret. */
  readonly name: string;
  readonly transport: SocketTransport;
  /**
   * Cold: subscribing listens, and emits once when clients can connect; unsubscribing closes everything at once. A pause
   * makes clients of a stream wait; datagrams still come. Completes after `close`. Fails with `ConnectError` (`RXF_SOURCE_LISTEN`)
   * where the address cannot be had or is lost.
   */
  listen(listener: SocketServerListener): Observable<PausableListening>;
}
