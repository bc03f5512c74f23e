import type { Observable } from 'rxjs';
import { timeOfDayMs } from '../../core/clock.js';
import type { PausableListening } from '../../ports/listening.js';
import type { SocketPeer, SocketReader, SocketServer } from '../../ports/socket-server.js';
import type { Frame } from '../listening/frames.js';
import { type Intake, type IntakeListener, type Measured, NO_ANSWER, type Outcome } from '../listening/intake.js';
import { PartialBytes } from '../listening/partial-bytes.js';
import { StreamReader } from '../listening/stream-reader.js';
import type { CheckedOptions } from './options.js';
import { parseSyslog } from './parse-syslog.js';
import { RelpReader } from './relp-reader.js';
import { syslogFramer } from './syslog-framer.js';
import type { SyslogMessage } from './syslog-message.js';

/** What a message keeps in memory beside its bytes, and how much larger it is once it is read. */
const OVERHEAD_BYTES = 640;
const READ_FACTOR = 3;

/** What senders of syslog send, as a source that listens takes it; by RELP they hear of it. */
export class SyslogIntake implements Intake<SyslogMessage> {
  readonly kind = 'syslog';
  readonly words;
  readonly whenNacked?: 'stop' | 'drop';
  readonly #server: SocketServer;
  readonly #options: CheckedOptions;
  readonly #partial: PartialBytes;

  constructor(server: SocketServer, options: CheckedOptions) {
    this.#server = server;
    this.#options = options;
    this.#partial = new PartialBytes(options.maxBufferedBytes);
    const isRelp = options.framing === 'relp';
    if (!isRelp) this.whenNacked = options.whenNacked;
    const afterNack = isRelp ? 'The client got 500, and sends again' : 'They are lost';
    this.words = { values: 'messages', afterNack };
  }

  get server(): string {
    return this.#server.name;
  }

  listen(listener: IntakeListener<SyslogMessage>): Observable<PausableListening> {
    return this.#server.listen({
      connected: (peer) => this.#reader(peer, listener),
      datagram: (bytes, client) => {
        if (listener.isFull) listener.lost(1, 'the window was full, and no client of UDP can be made to wait');
        else this.#take(listener, [this.#frameOf(bytes)], client, bytes.length, NO_ANSWER);
      },
      dropped: (count, why) => listener.lost(count, why),
      clients: (count) => listener.clients(count),
      logEvent: (level, what, message) => listener.logEvent(level, what, message),
    });
  }

  measure({ raw, timestamp }: SyslogMessage): Measured {
    const byteLength = Math.max(1, raw.length);
    return { byteLength, memory: byteLength * READ_FACTOR + OVERHEAD_BYTES, timestamp };
  }

  #reader(peer: SocketPeer, listener: IntakeListener<SyslogMessage>): SocketReader {
    const { framing, maxMessageBytes } = this.#options;
    if (framing !== 'relp') {
      return new StreamReader(peer, syslogFramer(framing, maxMessageBytes), maxMessageBytes, {
        partial: this.#partial,
        frames: (frames, client, byteLength) => this.#take(listener, frames, client, byteLength, NO_ANSWER),
        lost: (count, why) => listener.lost(count, why),
      });
    }
    return new RelpReader(peer, maxMessageBytes, {
      partial: this.#partial,
      messages: (frames, client, byteLength, reply) => this.#take(listener, frames, client, byteLength, reply),
      rejected: (client, problem) =>
        listener.logEvent('warn', 'syslog.rejected', `Closed the connection of ${client}: ${problem}.`),
    });
  }

  #frameOf(datagram: Uint8Array): Frame {
    const { maxMessageBytes } = this.#options;
    return { bytes: datagram.subarray(0, maxMessageBytes), isCut: datagram.length > maxMessageBytes };
  }

  /** Whether there was a value among them. */
  #take(
    listener: IntakeListener<SyslogMessage>,
    frames: readonly Frame[],
    client: string,
    byteLength: number,
    reply: (outcome: Outcome) => boolean,
  ): boolean {
    const now = timeOfDayMs();
    const parsed = frames.map((frame) => parseSyslog(frame, now)).filter(({ raw }) => raw.length > 0);
    const values = this.#options.invalid === 'mark' ? parsed : parsed.filter(({ format }) => format !== 'unparsed');
    const dropped = parsed.length - values.length;
    if (dropped > 0) listener.lost(dropped, `${client} sent messages without a priority (invalid: 'drop')`);
    if (values.length === 0) return false;
    listener.received({ client, values, byteLength, reply });
    return true;
  }
}
