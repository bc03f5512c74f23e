import type { Observable } from 'rxjs';
import type { HeaderMap } from '../../core/headers.js';
import type { PausableListening } from '../../ports/listening.js';
import type { SocketServer } from '../../ports/socket-server.js';
import { type Frame, LengthFramer, LineFramer } from '../listening/frames.js';
import { type Intake, type IntakeListener, type Measured, NO_ANSWER } from '../listening/intake.js';
import { PartialBytes } from '../listening/partial-bytes.js';
import { StreamReader, type StreamReaderHost } from '../listening/stream-reader.js';
import type { CheckedOptions } from './options.js';

/** A frame and who sent it. */
export interface NetFrame extends Frame {
  readonly headers: HeaderMap;
}

/** What a value keeps in memory beside its bytes. */
const OVERHEAD_BYTES = 320;

const LF = 0x0a;
const CR = 0x0d;
const TRUE = Buffer.from('true');

/** What clients of sockets send, as a source that listens takes it; none of them hears of it. */
export class NetIntake implements Intake<NetFrame> {
  readonly kind = 'net';
  readonly words;
  readonly whenNacked: 'stop' | 'drop';
  readonly #server: SocketServer;
  readonly #options: CheckedOptions;

  constructor(server: SocketServer, options: CheckedOptions) {
    this.#server = server;
    this.#options = options;
    this.whenNacked = options.whenNacked;
    this.words = { values: 'values', afterNack: 'They are lost' };
  }

  get server(): string {
    return this.#server.name;
  }

  listen(listener: IntakeListener<NetFrame>): Observable<PausableListening> {
    const { framing, maxMessageBytes, maxBufferedBytes } = this.#options;
    const host: StreamReaderHost = {
      partial: new PartialBytes(maxBufferedBytes),
      frames: (frames, client, byteLength) => this.#take(listener, frames, client, byteLength),
      lost: (count, why) => listener.lost(count, why),
    };
    return this.#server.listen({
      connected: (peer) => {
        const framer = framing === 'lines' ? new LineFramer(maxMessageBytes) : new LengthFramer(maxMessageBytes);
        return new StreamReader(peer, framer, maxMessageBytes, host);
      },
      datagram: (bytes, client) => {
        if (listener.isFull) listener.lost(1, 'the window was full, and no client of UDP can be made to wait');
        else this.#take(listener, [this.#frameOf(bytes)], client, bytes.length);
      },
      dropped: (count, why) => listener.lost(count, why),
      clients: (count) => listener.clients(count),
      logEvent: (level, what, message) => listener.logEvent(level, what, message),
    });
  }

  measure({ bytes, headers }: NetFrame): Measured {
    const byteLength = Math.max(1, bytes.length);
    return { byteLength, memory: byteLength + OVERHEAD_BYTES, headers };
  }

  #frameOf(datagram: Uint8Array): Frame {
    const { framing, maxMessageBytes } = this.#options;
    let { length } = datagram;
    if (framing === 'lines' && datagram[length - 1] === LF) length -= datagram[length - 2] === CR ? 2 : 1;
    return { bytes: datagram.subarray(0, Math.min(length, maxMessageBytes)), isCut: length > maxMessageBytes };
  }

  #take(listener: IntakeListener<NetFrame>, frames: readonly Frame[], client: string, byteLength: number): void {
    const headers = { client: Buffer.from(client) };
    const values = frames.map(({ bytes, isCut }) => ({
      bytes,
      isCut,
      headers: isCut ? { ...headers, truncated: TRUE } : headers,
    }));
    listener.received({ client, values, byteLength, reply: NO_ANSWER });
  }
}
