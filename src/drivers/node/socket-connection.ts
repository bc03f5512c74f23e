import type { Socket } from 'node:net';
import { monotonicMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import { MiB } from '../../core/units.js';
import type { SocketPeer, SocketReader } from '../../ports/socket-server.js';

/** Probes a client that says nothing, so that one that vanished is found. */
const PROBE_SILENT_PEER_MS = 30_000;

/** Answers that a client does not read; it is closed beyond. */
const MAX_UNREAD_BYTES = MiB;

/** What a socket says when the other side has gone. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']);

/** What a connection tells the server it belongs to. */
export interface ConnectionHost {
  /** Why a client was closed, where a person may want to know. */
  rejected(client: string, problem: string): void;
  /** It has sent something: others are silent for longer. */
  heard(connection: SocketConnection): void;
  ended(connection: SocketConnection): void;
}

/**
 * One client of a stream.
 *
 * Bounds: what one reading brings (64 KiB) while it is paused; 1 MiB of answers that it does not read.
 */
export class SocketConnection implements SocketPeer {
  readonly client: string;
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #reader: SocketReader;
  readonly #holds = new Set<'server' | 'reader'>();
  #isSecured: boolean;
  #isOver = false;
  #isClosing = false;
  #heardAt = monotonicMs();
  /** What it was in the middle of as of the last look, and for how long. */
  #stalledIn = 0;
  #stalledMs = 0;

  /** `connect`: gives the reader of a peer. */
  constructor(
    client: string,
    socket: Socket,
    isSecured: boolean,
    host: ConnectionHost,
    connect: (peer: SocketPeer) => SocketReader,
  ) {
    this.client = client;
    this.#socket = socket;
    this.#host = host;
    this.#isSecured = isSecured;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_SILENT_PEER_MS);
    this.#reader = connect(this);
    socket.on('data', (chunk: Buffer) => {
      this.#heardAt = monotonicMs();
      host.heard(this);
      if (!this.#isClosing) this.#reader.data(chunk);
    });
    socket.on('secure', () => {
      this.#isSecured = true;
    });
    socket.on('error', (error: Error) => {
      if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) host.rejected(client, describeError(error));
      this.destroy();
    });
    socket.on('end', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  /** How long it has sent nothing, where it is not made to wait; else 0. */
  get silentMs(): number {
    return this.#holds.size > 0 ? 0 : monotonicMs() - this.#heardAt;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver || this.#socket.destroyed) return false;
    this.#socket.write(bytes);
    if (this.#socket.writableLength <= MAX_UNREAD_BYTES) return true;
    this.#reject(`it does not read ${MAX_UNREAD_BYTES} bytes of answers`);
    return false;
  }

  pause(): void {
    this.hold('reader');
  }

  resume(): void {
    this.release('reader');
  }

  hold(why: 'server' | 'reader'): void {
    this.#holds.add(why);
    this.#socket.pause();
  }

  release(why: 'server' | 'reader'): void {
    this.#holds.delete(why);
    if (this.#holds.size === 0 && !this.#isOver) this.#socket.resume();
  }

  end(): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    this.#socket.end();
    // Its end would not be seen while nothing is read.
    this.#socket.resume();
  }

  /** Receives no more; the reader closes it when what it sent is answered. */
  leave(): void {
    if (this.#isOver) return;
    this.hold('server');
    this.#reader.closing();
  }

  /** To be called every `elapsedMs`: ends a client that has stayed in the middle of something for too long. */
  look(elapsedMs: number, stallTimeoutMs: number): void {
    const within = this.#isSecured ? this.#reader.unfinished : -1;
    const isStalling = within !== 0 && within === this.#stalledIn && this.#holds.size === 0;
    this.#stalledMs = isStalling ? this.#stalledMs + elapsedMs : 0;
    this.#stalledIn = within;
    if (this.#stalledMs <= stallTimeoutMs) return;
    const what = within === -1 ? 'the TLS handshake' : 'a line or frame';
    this.#reject(`it stayed in ${what} for more than ${stallTimeoutMs} ms (stallTimeoutMs)`);
  }

  /** Ends it, since another wants its slot. */
  giveUp(): void {
    this.#reject(`it sent nothing for ${Math.round(this.silentMs)} ms, and another wants its slot (maxClients)`);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#reader.ended();
    this.#host.ended(this);
  }

  #reject(problem: string): void {
    if (this.#isOver) return;
    this.#host.rejected(this.client, problem);
    this.destroy();
  }
}
