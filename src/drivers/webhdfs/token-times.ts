/** When a delegation token must be renewed and replaced, in milliseconds of a monotonic clock. */
export interface TokenTimes {
  /** Renewed, or replaced, from then on. */
  readonly renewAt: number;
  readonly expiresAt: number;
  /** A renewal no longer extends it: files that are begun get another one. */
  readonly isLast: boolean;
}

/** The share of its time after which a token is renewed. */
const USED = 0.75;
const EQUAL_MS = 1_000;

/**
 * Pure. `leftMs`: until it expires, as the server answered a renewal; `toEndMs`: until it can no longer be renewed. A token whose
 * renewal reaches its end is replaced at once, so that a file begun with it has a whole interval left; but not before half of its
 * life, which is its interval where it cannot be renewed at all.
 */
export function timesOf(now: number, leftMs: number, toEndMs: number, gotAt: number): TokenTimes {
  const isLast = leftMs >= toEndMs - EQUAL_MS;
  const halfLife = gotAt + (now + toEndMs - gotAt) / 2;
  const renewAt = isLast ? Math.max(now, Math.min(halfLife, now + leftMs * USED)) : now + leftMs * USED;
  return { renewAt, expiresAt: now + leftMs, isLast };
}

/**
 * When a token can no longer be renewed, in milliseconds since 1970; null where its form is another. Source: Hadoop 3,
 * `AbstractDelegationTokenIdentifier` (a version, three texts, then the issue date and the last date), `Token.encodeToUrlString`.
 */
export function lastDateOf(token: string): number | null {
  const bytes = new Reading(Buffer.from(token, 'base64url'));
  const identifier = new Reading(bytes.take(bytes.vlong()));
  if (identifier.take(1)?.[0] !== 0) return null;
  for (let text = 0; text < 3; text++) identifier.take(identifier.vlong());
  identifier.vlong();
  const date = identifier.vlong();
  return date === null || date <= 0 ? null : date;
}

/** Reads until something is missing; all is null from then on. */
class Reading {
  #bytes: Buffer | null;

  constructor(bytes: Buffer | null) {
    this.#bytes = bytes;
  }

  take(count: number | null): Buffer | null {
    if (this.#bytes === null || count === null || count < 0 || count > this.#bytes.length) {
      this.#bytes = null;
      return null;
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Hadoop's variable length: a byte from -112 is the value; below, it says how many bytes follow, and the sign. */
  vlong(): number | null {
    const first = this.take(1)?.readInt8();
    if (first === undefined) return null;
    if (first >= -112) return first;
    const isNegative = first < -120;
    const rest = this.take(isNegative ? -120 - first : -112 - first);
    if (rest === null) return null;
    const value = Number(rest.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n));
    return isNegative ? -1 - value : value;
  }
}
