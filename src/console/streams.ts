import { monotonicMs } from '../core/clock.js';
import { answer, Denied } from './answers.js';
import type { LogLine, TapValue } from './contract.js';

const MAX_STREAMS = 16;
/** What may wait for one reader, besides a snapshot: log events and taps. More is dropped. */
const MAX_WAITING_BYTES = 262_144;
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is disconnected. */
const STUCK_FOR_MS = 60_000;

interface Stream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly taps: ReadonlySet<string>;
  /** Undefined while nothing waits for it. */
  stuckSinceMs: number | undefined;
  saidAtMs: number;
  readonly onEnd: () => void;
}

/**
 * The event streams of open pages. A reader that is slow misses snapshots, and what does not fit: nothing is queued for it.
 *
 * Bounds: 16 streams, each with one snapshot and 256 KiB that wait.
 *
 * Source: HTML Living Standard, 9.2 Server-sent events.
 */
export class Streams {
  readonly #streams = new Set<Stream>();

  get count(): number {
    return this.#streams.size;
  }

  /** A stream that begins with these log lines, and gets values of these taps; `onEnd` is called once, however it ends. */
  open(lines: readonly LogLine[], taps: readonly string[], onEnd: () => void): Response {
    if (this.#streams.size >= MAX_STREAMS) {
      onEnd();
      const message = `${MAX_STREAMS} pages are open, which is the limit. Close one of them.`;
      throw new Denied(503, 'RXF_CONSOLE_LIMIT', message, { 'retry-after': '10' });
    }
    let stream: Stream | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = { controller, taps: new Set(taps), stuckSinceMs: undefined, saidAtMs: monotonicMs(), onEnd };
          this.#streams.add(stream);
          // The answer's head goes out with the first bytes; a browser that is disconnected waits 2 s.
          this.#send(stream, 'retry: 2000\n\n');
          for (const line of lines) this.#send(stream, logText(line));
        },
        cancel: () => {
          if (stream !== undefined) this.#remove(stream);
        },
      },
      { highWaterMark: MAX_WAITING_BYTES, size: (chunk) => chunk?.length ?? 0 },
    );
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
    return answer(200, body, headers);
  }

  /** A snapshot, for all who have read what came before. */
  snapshot(json: string): void {
    const text = `event: snapshot\ndata: ${json}\n\n`;
    for (const stream of [...this.#streams]) if (waiting(stream) === 0) this.#send(stream, text);
  }

  log(line: LogLine): void {
    for (const stream of [...this.#streams]) this.#send(stream, logText(line));
  }

  tap(value: TapValue): void {
    const readers = [...this.#streams].filter(({ taps }) => taps.has(value.tap));
    if (readers.length === 0) return;
    const text = `event: tap\ndata: ${JSON.stringify(value)}\n\n`;
    for (const stream of readers) this.#send(stream, text);
  }

  /** Says something to who has heard nothing for long, and disconnects who reads nothing. */
  beat(): void {
    const now = monotonicMs();
    for (const stream of [...this.#streams]) {
      if (waiting(stream) === 0) stream.stuckSinceMs = undefined;
      else stream.stuckSinceMs ??= now;
      if (now - (stream.stuckSinceMs ?? now) > STUCK_FOR_MS) this.#disconnect(stream);
      else if (now - stream.saidAtMs >= HEARTBEAT_MS) this.#send(stream, ': still here\n\n');
    }
  }

  end(): void {
    for (const stream of [...this.#streams]) this.#disconnect(stream);
  }

  #send(stream: Stream, text: string): void {
    const bytes = Buffer.from(text);
    const left = MAX_WAITING_BYTES - waiting(stream);
    // Where nothing waits, also what is longer fits.
    if (left < MAX_WAITING_BYTES && bytes.length > left) return;
    stream.saidAtMs = monotonicMs();
    stream.controller.enqueue(bytes);
  }

  #disconnect(stream: Stream): void {
    this.#remove(stream);
    // What waits is not sent any more.
    stream.controller.error(new Error('The console has ended this stream.'));
  }

  #remove(stream: Stream): void {
    if (this.#streams.delete(stream)) stream.onEnd();
  }
}

function waiting({ controller }: Stream): number {
  return MAX_WAITING_BYTES - (controller.desiredSize ?? 0);
}

function logText(line: LogLine): string {
  return `event: log\nid: ${line.seq}\ndata: ${JSON.stringify(line)}\n\n`;
}
