import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { timeOfDayMs } from '../../core/clock.js';
import { type Secret, secretNow } from '../../core/secret.js';
import type { HttpHead } from '../../ports/http-server.js';
import type { HttpSecrets } from './http-options.js';

/** How far the clock of a client that signs may be off. */
const MAX_SKEW_MS = 300_000;

/** Whether a client may send: by its head, and where it signs, by its body too. Each answers null, or what is wrong. */
export class Authorization {
  readonly #tokens: readonly KnownToken[];
  readonly #secret: Secret | null;
  readonly #isOpen: boolean;

  constructor(auth: HttpSecrets | null) {
    this.#tokens = auth !== null && 'bearer' in auth ? auth.bearer.map((token) => new KnownToken(token)) : [];
    this.#secret = auth !== null && 'hmac' in auth ? auth.hmac : null;
    this.#isOpen = auth === null;
  }

  problemOfHead({ headers }: HttpHead): string | null {
    if (this.#isOpen) return null;
    if (this.#secret !== null) {
      return headers['x-rxflume-signature'] === undefined ? 'the request has no header x-rxflume-signature' : null;
    }
    const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) return 'the request has no header `authorization: Bearer …`';
    const hash = hashOf(token);
    // All of them, so that the time does not tell which one it was.
    const matches = this.#tokens.filter((known) => timingSafeEqual(known.hash, hash));
    return matches.length > 0 ? null : 'the token is not known';
  }

  problemOfBody({ headers }: HttpHead, body: Uint8Array): string | null {
    if (this.#secret === null) return null;
    const timestamp = headers['x-rxflume-timestamp'] ?? '';
    const mac = createHmac('sha256', secretNow('auth.hmac', this.#secret))
      .update(`${timestamp}.`)
      .update(body)
      .digest();
    const [, given] = /^sha256=([0-9a-f]{64})$/i.exec(headers['x-rxflume-signature'] ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(mac, Buffer.from(given, 'hex'))) {
      return 'the header x-rxflume-signature is not that of the body and x-rxflume-timestamp';
    }
    const off = Math.abs(Number(timestamp) * 1_000 - timeOfDayMs());
    return off <= MAX_SKEW_MS ? null : 'x-rxflume-timestamp is more than five minutes off';
  }
}

/** Kept as its hash: all have one length, so comparing them tells nothing of a token. */
class KnownToken {
  readonly #token: Secret;
  #text = '';
  #hash: Buffer = Buffer.alloc(0);

  constructor(token: Secret) {
    this.#token = token;
  }

  get hash(): Buffer {
    const text = secretNow('auth.bearer', this.#token);
    if (text !== this.#text) {
      this.#text = text;
      this.#hash = hashOf(text);
    }
    return this.#hash;
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
