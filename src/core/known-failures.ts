/** How long a failure counts as reported; after that it is reported again. */
const KNOWN_MS = 60_000;
/** The same text is logged at most once in this time. */
const SAME_AGAIN_AFTER_MS = 10_000;
const MAX_TEXTS = 1_000;
const DEEPEST_CAUSE = 20;

/**
 * Tracks which failures have been reported, and by which part first.
 *
 * Bounds: errors are held weakly; 1,000 texts, of which the least recently logged is forgotten first.
 */
export class KnownFailures {
  readonly #causes = new WeakMap<object, number>();
  readonly #texts = new Map<string, { readonly saidAt: number; heldBack: number }>();

  /** The first reported error of this one and its causes; undefined if none was reported. */
  find(error: unknown, now: number): object | undefined {
    return chain(error).find((cause) => now - (this.#causes.get(cause) ?? Number.NEGATIVE_INFINITY) < KNOWN_MS);
  }

  /** Marks this error and its causes as reported. */
  add(error: unknown, now: number): void {
    for (const cause of chain(error)) this.#causes.set(cause, now);
  }

  /** Suppresses this text for as long as if it had been logged. */
  hush(text: string, now: number): void {
    this.#texts.set(text, { saidAt: now, heldBack: this.#texts.get(text)?.heldBack ?? 0 });
  }

  /** How often this text was suppressed since it was last logged; null if it is suppressed now. */
  say(text: string, now: number): number | null {
    const before = this.#texts.get(text);
    if (before !== undefined && now - before.saidAt < SAME_AGAIN_AFTER_MS) {
      before.heldBack += 1;
      return null;
    }
    this.#texts.delete(text);
    this.#texts.set(text, { saidAt: now, heldBack: 0 });
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MAX_TEXTS) break;
      this.#texts.delete(oldest);
    }
    return before?.heldBack ?? 0;
  }
}

/** An error and its causes. Thrown strings and numbers are excluded: two equal ones are not the same failure. */
function chain(error: unknown): object[] {
  const causes: object[] = [];
  let cause = error;
  while (typeof cause === 'object' && cause !== null && causes.length < DEEPEST_CAUSE && !causes.includes(cause)) {
    causes.push(cause);
    cause = (cause as { readonly cause?: unknown }).cause;
  }
  return causes;
}
