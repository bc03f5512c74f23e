import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { monotonicMs } from '../core/clock.js';

/** A session that asks for nothing for so long is over. */
const SESSION_MS = 12 * 3_600_000;
/** Of more, the one that has asked for nothing the longest is over. */
const MAX_SESSIONS = 100;
/** Links that were made and not used. */
const MAX_LINKS = 10;
/** Wrong passwords within a minute, from all clients together: it cannot be seen who they are behind a proxy. */
const MAX_WRONG_A_MINUTE = 10;
const MINUTE_MS = 60_000;

/** 256 random bits, as text for URLs and cookies. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether two secrets are equal, in a time that tells nothing of them. */
export function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/**
 * Who is logged in: browsers by a cookie, each for a link that works once, or for the password.
 *
 * Bounds: 100 sessions, 10 unused links, 10 wrong passwords a minute.
 */
export class Sessions {
  /** When each was seen last, the least recent first. */
  readonly #seen = new Map<string, number>();
  readonly #links: string[] = [];
  #wrong = 0;
  #wrongSince = Number.NEGATIVE_INFINITY;

  /** A secret that logs in once. */
  newLink(): string {
    const link = newToken();
    this.#links.push(link);
    if (this.#links.length > MAX_LINKS) this.#links.shift();
    return link;
  }

  /** Uses the link up; false where there is no such. */
  useLink(given: string): boolean {
    const at = this.#links.findIndex((link) => isSameSecret(link, given));
    if (at < 0) return false;
    this.#links.splice(at, 1);
    return true;
  }

  /** Seconds until a password may be tried again; 0 for now. */
  get waitSeconds(): number {
    const left = this.#wrongSince + MINUTE_MS - monotonicMs();
    return this.#wrong < MAX_WRONG_A_MINUTE || left <= 0 ? 0 : Math.ceil(left / 1_000);
  }

  /** Notes a wrong password. */
  wrong(): void {
    const now = monotonicMs();
    if (now - this.#wrongSince >= MINUTE_MS) {
      this.#wrong = 0;
      this.#wrongSince = now;
    }
    this.#wrong += 1;
  }

  begin(): string {
    const id = newToken();
    this.#seen.set(id, monotonicMs());
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= MAX_SESSIONS) break;
      this.#seen.delete(oldest);
    }
    return id;
  }

  /** Whether it goes on; then it does for 12 hours more. */
  isOpen(id: string): boolean {
    const seen = this.#seen.get(id);
    if (seen === undefined) return false;
    this.#seen.delete(id);
    const now = monotonicMs();
    if (now - seen > SESSION_MS) return false;
    this.#seen.set(id, now);
    return true;
  }

  end(id: string): void {
    this.#seen.delete(id);
  }
}
