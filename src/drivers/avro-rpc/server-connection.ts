import type { Duplex } from 'node:stream';
import { monotonicMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import { AvroReader, type AvroWriter } from '../../formats/avro-bytes.js';
import { LEAST_EVENT_BYTES, readFlumeEvent } from '../../formats/flume-avro.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import type { FlumeBatch, FlumeStatus } from '../../ports/flume-rpc.js';
import { type Frame, FrameReader, frameOf } from './frames.js';
import { type HandshakeRequest, type Match, readRequest, skipMeta, writeResponse } from './handshake.js';
import type { QuotaHolder } from './memory-quota.js';
import type { ServerSettings } from './options.js';
import { PROTOCOL_HASH, PROTOCOL_TEXT, writeError, writeStatus } from './protocol.js';

/** What a connection asks of, and tells, the server it belongs to. */
export interface ConnectionHost {
  /** Null where the client's protocol is Flume's, else what is wrong. A protocol without its text is known, or not. */
  judge(hash: Buffer, text: string | null): 'known' | 'unknown' | { readonly problem: string };
  /** The memory taken for a frame may have changed. */
  held(connection: ServerConnection): void;
  batch(batch: FlumeBatch): void;
  /** Why a client was sent away, where a person may want to know. */
  rejected(client: string, problem: string): void;
  ended(connection: ServerConnection): void;
}

/** Why nothing is received of a client for now. */
type Hold = 'server' | 'answers' | 'memory' | 'write';

/** What a socket says when the other side has gone. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']);

/** A batch may have so many headers for each event it may have: each takes far more memory than its bytes. */
const HEADERS_AN_EVENT = 10;

/** An answer that is no batch's. */
const SMALL_ANSWER_BYTES = 64;

/**
 * One client: agrees on the protocol, reads its batches, and answers each when its `reply` is called.
 *
 * Bounds: one frame of at most `maxFrameBytes`, `maxInFlight` batches without an answer; the answers it does not read,
 * as far as the socket takes them.
 */
export class ServerConnection implements QuotaHolder {
  readonly client: string;
  readonly #wire: Duplex;
  readonly #settings: ServerSettings;
  readonly #host: ConnectionHost;
  readonly #reader: FrameReader;
  readonly #holds = new Set<Hold>();
  /** What came behind the frame at which receiving was held. */
  #rest: Buffer | undefined;
  #unanswered = 0;
  #hasAgreed = false;
  #isSecured: boolean;
  #isReading = false;
  #isLeaving = false;
  #isOver = false;
  /** Frames that have ended, and answers that were taken: what tells one stall from the next. */
  #steps = 0;
  /** When it last said something whole, or connected. */
  #heardAt = monotonicMs();
  /** How long it has been in the middle of the same thing, as of the last look. */
  #stalledMs = 0;
  #stalledIn = '';
  #stalledAt = 0;

  constructor(client: string, wire: Duplex, settings: ServerSettings, host: ConnectionHost) {
    this.client = client;
    this.#wire = wire;
    this.#settings = settings;
    this.#host = host;
    this.#isSecured = settings.certificate === null;
    this.#reader = new FrameReader(settings.maxFrameBytes);
    wire.on('data', (chunk: Buffer) => this.#receive(chunk));
    wire.on('drain', () => {
      this.#steps += 1;
      this.#release('write');
    });
    wire.on('error', (error: Error) => {
      // A client that goes away is nothing to tell of; one that is set up for another wire is.
      if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) this.#host.rejected(client, describeError(error));
      this.destroy();
    });
    wire.on('end', () => this.destroy());
    wire.on('close', () => this.destroy());
  }

  get heldBytes(): number {
    return this.#isOver ? 0 : this.#reader.heldBytes;
  }

  /** Whether it has agreed on the protocol: it is a client of Flume, and not just anybody. */
  get hasAgreed(): boolean {
    return this.#hasAgreed;
  }

  /** How long it has sent nothing whole, where nothing of it waits for an answer; else 0. */
  get silentMs(): number {
    return this.#unanswered > 0 || this.#holds.size > 0 ? 0 : monotonicMs() - this.#heardAt;
  }

  /** Its TLS handshake is done. */
  secured(): void {
    this.#isSecured = true;
  }

  mayTake(may: boolean): void {
    if (may) this.#release('memory');
    else this.#hold('memory');
  }

  pause(): void {
    this.#hold('server');
  }

  resume(): void {
    this.#release('server');
  }

  /** Receives no more, and closes when every batch is answered. */
  leave(): void {
    this.#isLeaving = true;
    this.#hold('server');
    this.#leaveWhenAnswered();
  }

  /** To be called every `elapsedMs`: ends a client that has stayed in the middle of something for too long. */
  look(elapsedMs: number): void {
    const within = this.#stalls;
    if (within === '' || within !== this.#stalledIn || this.#steps !== this.#stalledAt) this.#stalledMs = 0;
    else this.#stalledMs += elapsedMs;
    this.#stalledIn = within;
    this.#stalledAt = this.#steps;
    if (this.#stalledMs <= this.#settings.stallTimeoutMs) return;
    this.#reject(`it stayed in ${within} for more than ${this.#settings.stallTimeoutMs} ms`);
  }

  /** Ends it, since another wants its slot. */
  giveUp(): void {
    this.#reject(`it sent nothing for ${Math.round(this.silentMs)} ms, and another wants its place (maxClients)`);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#rest = undefined;
    this.#wire.destroy();
    this.#host.held(this);
    this.#host.ended(this);
  }

  /** What the client is in the middle of, where nothing of ours makes it wait. */
  get #stalls(): string {
    if (!this.#isSecured) return 'the TLS handshake';
    if (this.#holds.has('write')) return 'an answer that it does not read';
    return this.#reader.isInside && this.#holds.size === 0 ? 'a frame' : '';
  }

  #hold(why: Hold): void {
    this.#holds.add(why);
    this.#wire.pause();
  }

  #release(why: Hold): void {
    if (!this.#holds.delete(why) || this.#holds.size > 0 || this.#isOver) return;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#receive(rest);
    if (this.#holds.size === 0) this.#wire.resume();
  }

  #receive(chunk: Buffer): void {
    // Answering from within may release what holds; the reading that goes on is this one.
    if (this.#isReading || this.#holds.size > 0) {
      this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
      return;
    }
    this.#isReading = true;
    let at = 0;
    try {
      while (at < chunk.length && !this.#isOver && this.#holds.size === 0) {
        const { next, frame } = this.#reader.read(chunk, at);
        at = next;
        if (frame === undefined) continue;
        this.#steps += 1;
        this.#heardAt = monotonicMs();
        this.#take(frame);
      }
    } catch (cause) {
      this.#reject(describeError(cause));
    }
    this.#isReading = false;
    if (this.#isOver) return;
    this.#host.held(this);
    if (at < chunk.length) this.#rest = chunk.subarray(at);
    if (this.#rest !== undefined && this.#holds.size === 0) {
      const rest = this.#rest;
      this.#rest = undefined;
      this.#receive(rest);
    }
  }

  #take({ serial, payload }: Frame): void {
    const reader = new AvroReader(payload);
    let handshake: Handshake | undefined;
    if (!this.#hasAgreed) {
      handshake = this.#agree(readRequest(reader));
      this.#hasAgreed = handshake.match !== 'NONE' && handshake.problem === undefined;
      if (handshake.match === 'NONE') {
        this.#write(frameOf(serial, PROTOCOL_TEXT.length + SMALL_ANSWER_BYTES, handshake.write));
        return;
      }
    }
    skipMeta(reader);
    const call = reader.text();
    const answer = (write: (writer: AvroWriter) => void) => {
      this.#write(
        frameOf(
          serial,
          handshake === undefined ? SMALL_ANSWER_BYTES : PROTOCOL_TEXT.length + SMALL_ANSWER_BYTES,
          (writer) => {
            handshake?.write(writer);
            // A call without a name asks for nothing but the handshake.
            if (call !== '') write(writer);
          },
        ),
      );
    };
    try {
      if (handshake?.problem !== undefined) throw new Error(handshake.problem);
      if (call === '') answer(() => undefined);
      else this.#takeBatch(this.#events(call, reader), payload.length, answer);
    } catch (cause) {
      answer((writer) => writeError(writer, describeError(cause)));
      this.#host.rejected(this.client, describeError(cause));
      // A frame that is whole but no batch leaves the next one readable; a client that goes on so gets an error each time.
      if (handshake?.problem !== undefined) this.#wire.end();
    }
  }

  #agree({ clientHash, clientProtocol, serverHash }: HandshakeRequest): Handshake {
    const judged = this.#host.judge(clientHash, clientProtocol);
    const knowsUs = serverHash.equals(PROTOCOL_HASH);
    const match: Match = judged === 'unknown' ? 'NONE' : knowsUs ? 'BOTH' : 'CLIENT';
    const serverProtocol = match === 'BOTH' ? null : PROTOCOL_TEXT;
    const write = (writer: AvroWriter) =>
      writeResponse(writer, { match, serverProtocol, serverHash: serverProtocol === null ? null : PROTOCOL_HASH });
    return { match, write, problem: typeof judged === 'object' ? judged.problem : undefined };
  }

  #events(call: string, reader: AvroReader): FlumeEvent[] {
    const { maxBatchCount } = this.#settings;
    const room = { headers: maxBatchCount * HEADERS_AN_EVENT };
    if (call === 'append') return [readFlumeEvent(reader, room)];
    if (call !== 'appendBatch') throw new Error(`there is no call ${JSON.stringify(call.slice(0, 80))}`);
    const events: FlumeEvent[] = [];
    for (let count = reader.block(LEAST_EVENT_BYTES); count > 0; count = reader.block(LEAST_EVENT_BYTES)) {
      if (events.length + count > maxBatchCount) {
        throw new Error(`a batch of ${events.length + count} events or more; at most ${maxBatchCount} are taken`);
      }
      for (let at = 0; at < count; at += 1) events.push(readFlumeEvent(reader, room));
    }
    return events;
  }

  #takeBatch(events: readonly FlumeEvent[], byteLength: number, answer: (write: (writer: AvroWriter) => void) => void) {
    if (events.length === 0) {
      answer((writer) => writeStatus(writer, 'OK'));
      return;
    }
    let isAnswered = false;
    const reply = (status: FlumeStatus): boolean => {
      if (isAnswered) return false;
      isAnswered = true;
      this.#unanswered -= 1;
      if (this.#isOver) return false;
      answer((writer) => writeStatus(writer, status));
      if (this.#isLeaving) this.#leaveWhenAnswered();
      else this.#release('answers');
      return true;
    };
    this.#unanswered += 1;
    if (this.#unanswered >= this.#settings.maxInFlight) this.#hold('answers');
    this.#host.batch({ client: this.client, events, byteLength, reply });
  }

  #leaveWhenAnswered(): void {
    if (this.#unanswered > 0 || this.#isOver) return;
    // Its end would not be seen while nothing is read; what still comes is dropped.
    this.#wire.removeAllListeners('data');
    this.#wire.end();
    this.#wire.resume();
  }

  #write(frame: Buffer): void {
    if (!this.#wire.write(frame)) this.#hold('write');
  }

  #reject(problem: string): void {
    if (this.#isOver) return;
    this.#host.rejected(this.client, problem);
    this.destroy();
  }
}

interface Handshake {
  readonly match: Match;
  readonly problem: string | undefined;
  readonly write: (writer: AvroWriter) => void;
}
