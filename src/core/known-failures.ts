/** For how long a failure is known: after that it is news again, in case that nobody looked. */
const KNOWN_MS = 60_000;
/** The same text is said at most once in this time. */
const SAME_AGAIN_AFTER_MS = 10_000;
const MOST_TEXTS = 1_000;
const DEEPEST_CAUSE = 20;

/**
 * Which failures have been reported, by whoever saw them first.
 *
 * Bounds: errors are held weakly; 1,000 texts, of which the one said longest ago is forgotten first.
 */
export class KnownFailures {
  readonly #causes = new WeakMap<object, number>();
  readonly #texts = new Map<string, { readonly saidAt: number; heldBack: number }>();

  /** The first error that was reported, of this one and those behind it (`cause`); undefined where none was. */
  find(error: unknown, now: number): object | undefined {
    return chain(error).find((cause) => now - (this.#causes.get(cause) ?? Number.NEGATIVE_INFINITY) < KNOWN_MS);
  }

  /** This error is reported, and so are those behind it. */
  add(error: unknown, now: number): void {
    for (const cause of chain(error)) this.#causes.set(cause, now);
  }

  /** This text has nothing new to say for as long as if it had been said. */
  hush(text: string, now: number): void {
    this.#texts.set(text, { saidAt: now, heldBack: this.#texts.get(text)?.heldBack ?? 0 });
  }

  /** How often this text was held back since it was said last; null where it is held back now. */
  say(text: string, now: number): number | null {
    const before = this.#texts.get(text);
    if (before !== undefined && now - before.saidAt < SAME_AGAIN_AFTER_MS) {
      before.heldBack += 1;
      return null;
    }
    this.#texts.delete(text);
    this.#texts.set(text, { saidAt: now, heldBack: 0 });
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MOST_TEXTS) break;
      this.#texts.delete(oldest);
    }
    return before?.heldBack ?? 0;
  }
}

/** An error and those behind it. Texts and numbers that were thrown are left out: two that are equal are not one. */
function chain(error: unknown): object[] {
  const causes: object[] = [];
  let cause = error;
  while (typeof cause === 'object' && cause !== null && causes.length < DEEPEST_CAUSE && !causes.includes(cause)) {
    causes.push(cause);
    cause = (cause as { readonly cause?: unknown }).cause;
  }
  return causes;
}
