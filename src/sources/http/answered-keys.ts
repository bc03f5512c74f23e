import type { HttpReply } from '../../ports/http-server.js';

/** The requests of one key that wait for the same answer; a client sends again what it got no answer to. */
const MAX_WAITING = 16;

type Reply = (answer: HttpReply) => boolean;

interface Known {
  /** What the first request of the key held. */
  readonly digest: string;
  /** The answer, once all of it is durable. */
  answer: HttpReply | undefined;
  waiting: Reply[];
}

/** What a request with a key gets: it is the first of it, or is answered, waits, or cannot be. */
export type KeyTurn = 'first' | 'answered' | 'waits' | 'other-content' | 'busy';

/**
 * Remembers the keys of requests: one that a client sends again is answered as before, or waits for the answer of the first, and its
 * values are not delivered again. Only what became durable is remembered: after any other answer the key is new.
 *
 * Bounds: `maxKeys`; beyond, the oldest is forgotten, and a request with it is delivered again. So is one that comes after a
 * restart, or to another process: the keys are in this process's memory alone.
 */
export class AnsweredKeys {
  readonly #maxKeys: number;
  readonly #known = new Map<string, Known>();

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** A request has come: what it gets. */
  begin(key: string, digest: string, reply: Reply): KeyTurn {
    const known = this.#known.get(key);
    if (known === undefined) {
      const [oldest] = this.#known.keys();
      if (this.#known.size >= this.#maxKeys && oldest !== undefined) this.#known.delete(oldest);
      this.#known.set(key, { digest, answer: undefined, waiting: [] });
      return 'first';
    }
    if (known.digest !== digest) return 'other-content';
    if (known.answer !== undefined) {
      reply({ ...known.answer, headers: { ...known.answer.headers, 'idempotency-replayed': 'true' } });
      return 'answered';
    }
    if (known.waiting.length >= MAX_WAITING) return 'busy';
    known.waiting.push(reply);
    return 'waits';
  }

  /** Those whose requests will not be answered any more, since their subscription has ended. */
  forgetUnanswered(): void {
    for (const [key, { answer }] of this.#known) if (answer === undefined) this.#known.delete(key);
  }

  /** The first request of the key has its answer; whether another client waited for it and is there. */
  end(key: string, digest: string, answer: HttpReply, isDurable: boolean): boolean {
    const known = this.#known.get(key);
    if (known === undefined || known.digest !== digest || known.answer !== undefined) return false;
    const { waiting } = known;
    known.waiting = [];
    if (isDurable) known.answer = answer;
    else this.#known.delete(key);
    return waiting.filter((reply) => reply(answer)).length > 0;
  }
}
