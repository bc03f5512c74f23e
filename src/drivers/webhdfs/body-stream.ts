import type { ClientRequest, IncomingMessage } from 'node:http';
import {
  type Answer,
  answerOf,
  type Connecting,
  collect,
  faultOf,
  MAX_ERROR_BYTES,
  open,
  WireFault,
  watchConnect,
} from './request.js';

export interface BodyStreamOptions extends Connecting {
  readonly connectTimeoutMs: number;
  /** The longest the server may take nothing of a write. */
  readonly idleTimeoutMs: number;
  /** The longest from the body's end until the answer. */
  readonly requestTimeoutMs: number;
}

/** The server answered before the body's end: it takes no more. */
export class EarlyAnswer extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`HTTP ${answer.status}`);
    this.answer = answer;
  }
}

const PROBE_SILENT_PEER_MS = 30_000;

/**
 * A PUT whose body is sent chunk by chunk, the next when the socket has taken the last. `node:http` and not fetch: a
 * DataNode sends `100 Continue` unasked, on which fetch gives up.
 * Bounds: one chunk, not copied.
 * Fails: `WireFault`, `EarlyAnswer`; once failed, each further call fails alike.
 */
export class BodyStream {
  readonly #request: ClientRequest;
  readonly #url: URL;
  readonly #options: BodyStreamOptions;
  /** Set once nothing more can be sent. */
  #end: Error | undefined;
  #answering = false;
  #settled: ((answer: Answer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  private constructor(request: ClientRequest, url: URL, options: BodyStreamOptions) {
    this.#request = request;
    this.#url = url;
    this.#options = options;
    request.on('response', (response) => this.#receive(response));
    // An error of the socket must not hide an answer that is being read: a rejecting server answers, then closes.
    request.on('error', (error) => this.#answering || this.#fail(faultOf(error, true)));
    request.on(
      'close',
      () => this.#answering || this.#fail(new WireFault('the connection was closed', { sent: true })),
    );
  }

  /** Connects and sends the headers. */
  static open(url: URL, options: BodyStreamOptions, signal: AbortSignal): Promise<BodyStream> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const headers = { 'content-type': 'application/octet-stream' };
      const request = open(url, 'PUT', false, options, headers);
      const fail = (error: unknown) => {
        connection.release();
        signal.removeEventListener('abort', abandon);
        request.destroy();
        reject(error);
      };
      const early = (error: unknown) => fail(faultOf(error, connection.isOpen));
      const abandon = () => fail(signal.reason);
      const connection = watchConnect(request, options.connectTimeoutMs, fail, (socket) => {
        connection.release();
        signal.removeEventListener('abort', abandon);
        request.off('error', early);
        const stream = new BodyStream(request, url, options);
        socket.setNoDelay(true);
        socket.setKeepAlive(true, PROBE_SILENT_PEER_MS);
        socket.setTimeout(options.idleTimeoutMs, () => stream.#stalled());
        resolve(stream);
      });
      request.on('error', early);
      signal.addEventListener('abort', abandon, { once: true });
      request.flushHeaders();
    });
  }

  /** Answers when the socket has taken the chunk. */
  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end);
      if (chunk.byteLength === 0) return resolve();
      this.#reject = reject;
      this.#request.write(chunk, (error) => {
        if (this.#reject !== reject) return;
        if (error) {
          if (!this.#answering) this.#fail(faultOf(error, true));
          return;
        }
        this.#reject = undefined;
        resolve();
      });
    });
  }

  /** Ends the body; gives the server's answer. */
  finish(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end);
      const limit = this.#options.requestTimeoutMs;
      const timer = setTimeout(() => {
        this.#fail(new WireFault(`no answer within ${limit} ms after the last byte`, { sent: true, kind: 'timeout' }));
      }, limit);
      this.#reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.#settled = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#request.end();
    });
  }

  destroy(): void {
    this.#fail(new WireFault('given up', { sent: true }));
  }

  #receive(response: IncomingMessage): void {
    this.#answering = true;
    const complete = this.#settled !== undefined;
    collect(response, MAX_ERROR_BYTES).then(
      (body) => {
        const answer = answerOf(response, body, this.#url);
        if (complete) {
          this.#end = new WireFault('already answered', { sent: true });
          this.#reject = undefined;
          this.#settled?.(answer);
          this.#request.destroy();
        } else this.#fail(new EarlyAnswer(answer));
      },
      (error: unknown) => this.#fail(faultOf(error, true)),
    );
  }

  #stalled(): void {
    // Without a write or an end under way, the silence is ours.
    if (!this.#reject || this.#settled) return;
    const message = `nothing was taken for ${this.#options.idleTimeoutMs} ms`;
    this.#fail(new WireFault(message, { sent: true, kind: 'timeout' }));
  }

  #fail(error: Error): void {
    if (this.#end) return;
    this.#end = error;
    this.#request.destroy();
    const reject = this.#reject;
    this.#reject = undefined;
    reject?.(error);
  }
}
