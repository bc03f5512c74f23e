import type { Observable } from 'rxjs';
import { DecodeError, describeError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { Digest } from '../../delivery/digest.js';
import type { HttpHead, HttpReceived, HttpReply, HttpServer, HttpServerListener } from '../../ports/http-server.js';
import type { Listening } from '../../ports/listening.js';
import type { Intake, IntakeListener, Measured, Outcome } from '../listening/intake.js';
import type { AnsweredKeys } from './answered-keys.js';
import type { CheckedOptions } from './options.js';
import { BodyError, type HttpValue, isKnownType, mediaType, valuesOf } from './request-body.js';

/** What a value keeps in memory beside its bytes, and how much larger it is once it is read. */
const OVERHEAD_BYTES = 320;
const READ_FACTOR = 2;

const MAX_KEY_LENGTH = 255;

/** What clients post, as a source that listens takes it: the answer is the ack. */
export class HttpIntake implements Intake<HttpValue> {
  readonly kind = 'http';
  readonly turnsAway = true;
  readonly words = { values: 'values', afterNack: 'The client got 503 or 422' };
  readonly answerTimeoutMs: number;
  readonly #server: HttpServer;
  readonly #options: CheckedOptions;
  readonly #keys: AnsweredKeys;
  readonly #retryAfter: Readonly<Record<string, string>>;

  constructor(server: HttpServer, options: CheckedOptions, keys: AnsweredKeys) {
    this.#server = server;
    this.#options = options;
    this.#keys = keys;
    this.answerTimeoutMs = options.answerTimeoutMs;
    this.#retryAfter = { 'retry-after': String(Math.ceil(options.retryAfterMs / 1_000)) };
  }

  get server(): string {
    return this.#server.name;
  }

  listen(listener: IntakeListener<HttpValue>): Observable<Listening> {
    const own: HttpServerListener = {
      admit: (head) => this.#problemOf(head, listener),
      request: (request) => this.#take(request, listener),
      isReady: () => listener.isTaking,
      clients: (count) => listener.clients(count),
      logEvent: (level, what, message) => listener.logEvent(level, what, message),
    };
    return this.#server.listen(own);
  }

  measure({ byteLength }: HttpValue): Measured {
    return { byteLength, memory: byteLength * READ_FACTOR + OVERHEAD_BYTES };
  }

  #problemOf({ method, path, headers }: HttpHead, listener: IntakeListener<HttpValue>): HttpReply | null {
    if (path !== this.#options.path)
      return { status: 404, ...message(`There is nothing at this path; post to ${this.#options.path}.`) };
    if (method !== 'POST') return { status: 405, headers: { allow: 'POST' }, ...message('Only POST is taken.') };
    const type = mediaType(headers['content-type']);
    if (!isKnownType(this.#options.body, type)) {
      const kinds = this.#options.body === 'json' ? 'application/json or application/x-ndjson' : 'application/json';
      return { status: 415, ...message(`Send ${kinds}, not ${type}.`) };
    }
    if ((headers['idempotency-key']?.length ?? 0) > MAX_KEY_LENGTH) {
      return { status: 400, ...message(`An Idempotency-Key has at most ${MAX_KEY_LENGTH} characters.`) };
    }
    return this.#unavailable(listener);
  }

  #unavailable({ isTaking, isFull }: IntakeListener<HttpValue>): HttpReply | null {
    if (isTaking && !isFull) return null;
    return this.#later(
      isTaking ? 'The window is full. Send again later.' : 'The source is paused or draining. Send again later.',
    );
  }

  #take(request: HttpReceived, listener: IntakeListener<HttpValue>): void {
    const { headers, body, byteLength, client, reply } = request;
    const busy = this.#unavailable(listener);
    if (busy !== null) {
      reply(busy);
      return;
    }
    let values: HttpValue[];
    try {
      values = valuesOf(this.#options.body, mediaType(headers['content-type']), body, this.#options.maxBatchCount);
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      const { status, index } = error;
      const more = 'Nothing of this request was taken.';
      reply({ status, ...message(`${sentence(error.message)} ${more}`, { ...(index !== undefined && { index }) }) });
      return;
    }
    if (values.length === 0) {
      reply({ status: 200, body: JSON.stringify({ accepted: 0 }) });
      return;
    }
    const count = values.length;
    const key = headers['idempotency-key'];
    const digest = key === undefined ? '' : digestOf(body);
    if (key !== undefined && !this.#isFirst(key, digest, reply)) return;
    listener.received({
      client,
      values,
      byteLength,
      reply: (outcome) => {
        const answer = this.#answerTo(outcome, count);
        const hasHeard = reply(answer);
        const hasOther = key !== undefined && this.#keys.end(key, digest, answer, outcome.isDurable);
        return hasHeard || hasOther;
      },
    });
  }

  /** Whether it is the first of its key; if not, it is answered, now or later. */
  #isFirst(key: string, digest: string, reply: (answer: HttpReply) => boolean): boolean {
    const turn = this.#keys.begin(key, digest, reply);
    if (turn === 'other-content') {
      reply({
        status: 422,
        ...message('This Idempotency-Key came with another body. Make a new key for each request.'),
      });
    } else if (turn === 'busy') {
      reply({
        status: 409,
        headers: this.#retryAfter,
        ...message('Requests with this Idempotency-Key are under way.'),
      });
    }
    return turn === 'first';
  }

  #answerTo(outcome: Outcome, count: number): HttpReply {
    if (outcome.isDurable) return { status: 200, body: `{"accepted":${count}}` };
    const { why, index, durable, cause } = outcome;
    if (why === 'draining')
      return this.#later('The source is draining, and not all values are durable. Send all of them again.');
    if (why === 'late') {
      return this.#later(
        `Not all values were durable within ${this.#options.answerTimeoutMs} ms. Send all of them again; some may be stored twice.`,
      );
    }
    const said = `Value ${index} was not stored (${describeError(cause)}).`;
    const details = { index, durable };
    // Sent again, it would fail again.
    if (cause instanceof DecodeError) {
      return {
        status: 422,
        ...message(`${said} Correct it, and send all values again; some may be stored twice.`, details),
      };
    }
    return { ...this.#later(''), ...message(`${said} Send all values again; some may be stored twice.`, details) };
  }

  #later(text: string): HttpReply {
    return { status: 503, headers: this.#retryAfter, ...message(text) };
  }
}

function message(text: string, more: Readonly<Record<string, unknown>> = {}): { readonly body: string } {
  return { body: JSON.stringify({ message: text, ...more }) };
}

/** Tells whether a body is that of the first request of its key. */
function digestOf(body: Uint8Array): string {
  const digest = new Digest();
  digest.addNumber(body.length);
  for (const byte of body) digest.addNumber(byte);
  return String(digest);
}
