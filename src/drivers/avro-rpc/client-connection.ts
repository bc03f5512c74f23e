import type { Duplex } from 'node:stream';
import { Observable, type Subscriber } from 'rxjs';
import { ConnectError, describeError, SinkError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { isTlsFault, plainPortHint, tlsAdvice } from '../../core/tls-fault.js';
import { KiB, MiB } from '../../core/units.js';
import { AvroReader, AvroWriter } from '../../formats/avro-bytes.js';
import { writeFlumeEvent } from '../../formats/flume-avro.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import type { FlumeConnection, FlumeStatus } from '../../ports/flume-rpc.js';
import { type Frame, FrameReader, frameOf, writeFrame } from './frames.js';
import { readResponse, skipMeta, writeRequest } from './handshake.js';
import type { ClientSettings } from './options.js';
import { PROTOCOL_HASH, PROTOCOL_TEXT, type Protocols, STATUSES } from './protocol.js';

/** What one agent is known to speak, from connection to connection: the hash of its protocol, once it was looked at. */
export interface Known {
  serverHash: Buffer;
}

/** A connection keeps so many buffers, of at most so many bytes each, to write its batches into. */
const MAX_SPARE = 4;
const MAX_SPARE_BYTES = 4 * MiB;
const FIRST_BUFFER_BYTES = 64 * KiB;

const NO_TLS = 'leave out `tls`';

interface Request {
  readonly subscriber: Subscriber<FlumeStatus>;
  readonly timer: NodeJS.Timeout;
}

/** What becomes of a connection. */
export interface ConnectionReport {
  agreed(): void;
  ended(error: ConnectError | null): void;
}

/**
 * One connection to one agent: agrees on the protocol, then sends batches, each under a serial of its own, and finds
 * each answer's batch by it.
 *
 * Bounds: the encoded batches that the socket has not taken, and 16 MiB of buffers to write into.
 */
export class ClientConnection implements FlumeConnection {
  readonly #agent: string;
  readonly #wire: Duplex;
  readonly #settings: ClientSettings;
  readonly #protocols: Protocols;
  readonly #known: Known;
  readonly #report: ConnectionReport;
  readonly #reader: FrameReader;
  readonly #requests = new Map<number, Request>();
  #serial = 0;
  readonly #spare: Buffer[] = [];
  /** Whether our protocol was sent as a text. */
  #hasSentProtocol = false;
  #hasAgreed = false;
  #isOver = false;

  constructor(
    agent: string,
    wire: Duplex,
    settings: ClientSettings,
    of: { readonly protocols: Protocols; readonly known: Known },
    report: ConnectionReport,
  ) {
    this.#agent = agent;
    this.#wire = wire;
    this.#settings = settings;
    this.#protocols = of.protocols;
    this.#known = of.known;
    this.#report = report;
    this.#reader = new FrameReader(settings.maxFrameBytes);
    wire.on('data', (chunk: Buffer) => this.#receive(chunk));
    wire.on('error', (error: Error) => this.#end(describeError(error), error));
    wire.on('close', () => this.#end('the agent closed the connection'));
  }

  /** Asks for agreement; to be called when bytes can be sent. */
  shakeHands(clientProtocol: string | null = null): void {
    const { serverHash } = this.#known;
    this.#wire.write(
      frameOf(this.#nextSerial(), PROTOCOL_TEXT.length + 64, (writer) => {
        writeRequest(writer, { clientHash: PROTOCOL_HASH, clientProtocol, serverHash });
        // No metadata, and a call without a name: nothing is asked but the handshake.
        writer.long(0);
        writer.long(0);
      }),
    );
  }

  append(events: readonly FlumeEvent[]): Observable<FlumeStatus> {
    return new Observable((subscriber) => {
      if (this.#isOver) {
        subscriber.error(this.#lost('the connection is over'));
        return undefined;
      }
      const serial = this.#nextSerial();
      const limit = this.#settings.requestTimeoutMs;
      const timer = setTimeout(() => this.#late(serial, limit), limit);
      this.#requests.set(serial, { subscriber, timer });
      this.#send(serial, events);
      return () => {
        clearTimeout(timer);
        this.#requests.delete(serial);
      };
    });
  }

  close(): void {
    this.#end(null);
  }

  /** Gives up: the connection was not ready in time. */
  giveUp(reason: string): void {
    this.#end(reason);
  }

  /** Sends a batch from a buffer that is used again when the socket has taken it: a new one each time costs more than writing it. */
  #send(serial: number, events: readonly FlumeEvent[]): void {
    const writer = new AvroWriter(this.#spare.pop() ?? FIRST_BUFFER_BYTES);
    writeFrame(writer, serial, () => writeCall(writer, events));
    this.#wire.write(writer.written, () => {
      const isOne = this.#spare.length < MAX_SPARE && writer.buffer.length <= MAX_SPARE_BYTES;
      if (isOne) this.#spare.push(writer.buffer);
    });
  }

  #nextSerial(): number {
    this.#serial = this.#serial === 2 ** 31 - 1 ? 1 : this.#serial + 1;
    return this.#serial;
  }

  #receive(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length && !this.#isOver; ) {
        const { next, frame } = this.#reader.read(chunk, at);
        at = next;
        if (frame !== undefined) this.#answer(frame);
      }
    } catch (cause) {
      this.#misunderstood(describeError(cause), cause);
    }
  }

  #answer({ serial, payload }: Frame): void {
    const reader = new AvroReader(payload);
    if (!this.#hasAgreed) {
      this.#agree(reader);
      return;
    }
    const request = this.#requests.get(serial);
    // Given up meanwhile.
    if (request === undefined) return;
    const answer = readAnswer(reader);
    // Answered from here on, also for one who closes the connection within the answer.
    this.#requests.delete(serial);
    if ('error' in answer) {
      request.subscriber.error(this.#rejected(answer.error));
      return;
    }
    request.subscriber.next(answer.status);
    request.subscriber.complete();
  }

  #agree(reader: AvroReader): void {
    const { match, serverProtocol, serverHash } = readResponse(reader);
    if (match !== 'BOTH') {
      const problem = serverProtocol === null ? null : this.#protocols.problemOf(serverProtocol);
      if (problem !== null) throw new Error(problem);
      if (serverHash !== null) this.#known.serverHash = Buffer.from(serverHash);
    }
    if (match === 'NONE') {
      if (this.#hasSentProtocol) throw new Error('it was sent the protocol, and asks for it again');
      this.#hasSentProtocol = true;
      this.shakeHands(PROTOCOL_TEXT);
      return;
    }
    this.#hasAgreed = true;
    this.#report.agreed();
  }

  #late(serial: number, limit: number): void {
    const request = this.#requests.get(serial);
    if (request === undefined) return;
    const message = `${this.#agent} did not answer a batch within ${limit} ms. The agent may have it, so it may arrive there twice.`;
    request.subscriber.error(new SinkError('RXF_FLUME_TIMEOUT', message, { details: { agent: this.#agent } }));
    this.#end(`no answer within ${limit} ms`);
  }

  #misunderstood(problem: string, cause: unknown): void {
    this.#finish(
      new ConnectError(
        'RXF_FLUME_PROTOCOL',
        `${this.#agent} does not speak Flume's Avro RPC as it is set here: ${problem}. Check that the port is an Avro ` +
          'source, and that `tls`, `compression` and `deflateOrder` are as its configuration says.',
        { details: { agent: this.#agent }, cause },
      ),
      problem,
    );
  }

  /** The connection is over; `reason` null where we closed it. */
  #end(reason: string | null, cause?: unknown): void {
    if (reason === null) {
      this.#finish(null, 'it was closed');
      return;
    }
    const facts = { details: { agent: this.#agent }, cause };
    if (!this.#hasAgreed && isTlsFault(cause)) {
      const message = `No TLS connection to the Flume agent ${this.#agent}: ${reason}. ${tlsAdvice(cause, 'tls.ca', NO_TLS)}.`;
      this.#finish(new ConnectError('RXF_FLUME_TLS', message, facts), reason);
      return;
    }
    const message = this.#hasAgreed
      ? `The connection to ${this.#agent} has ended: ${reason}.`
      : `Cannot reach the Flume agent ${this.#agent}: ${reason}. Check the address, that the agent runs, and that ` +
        `\`tls\`, \`compression\` and \`deflateOrder\` are as its configuration says.${this.#tlsHint(reason, cause)}`;
    this.#finish(new ConnectError('RXF_FLUME_UNREACHABLE', message, facts), reason);
  }

  /** An agent whose port wants TLS, or has none, ends the connection, often without a word. */
  #tlsHint(reason: string, cause: unknown): string {
    if (this.#settings.tls === null && cause === undefined) return ' If the port wants TLS, set `tls`.';
    return plainPortHint(reason, NO_TLS);
  }

  #finish(error: ConnectError | null, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#wire.destroy();
    this.#report.ended(error);
    for (const { subscriber } of [...this.#requests.values()]) subscriber.error(this.#lost(reason));
  }

  #rejected(problem: string): SinkError {
    return new SinkError('RXF_FLUME_REJECTED', sentence(`${this.#agent} answered a batch with an error: ${problem}`), {
      details: { agent: this.#agent },
    });
  }

  #lost(reason: string): SinkError {
    return new SinkError(
      'RXF_FLUME_LOST',
      `The connection to ${this.#agent} ended before a batch was answered: ${reason}. The agent may have it, so it may arrive there twice.`,
      { details: { agent: this.#agent } },
    );
  }
}

/** A call without metadata: `append` of one event, `appendBatch` of several. */
function writeCall(writer: AvroWriter, events: readonly FlumeEvent[]): void {
  writer.long(0);
  const [only] = events;
  if (events.length === 1 && only !== undefined) {
    writer.text('append');
    writeFlumeEvent(writer, only);
    return;
  }
  writer.text('appendBatch');
  writer.long(events.length);
  for (const event of events) writeFlumeEvent(writer, event);
  writer.long(0);
}

function readAnswer(reader: AvroReader): { readonly status: FlumeStatus } | { readonly error: string } {
  skipMeta(reader);
  if (reader.boolean()) {
    // A union whose only branch is a text.
    reader.long();
    return { error: reader.text() };
  }
  const status = STATUSES[reader.long()];
  if (status === undefined) throw new Error('its answer is none of OK, FAILED, UNKNOWN');
  return { status };
}
