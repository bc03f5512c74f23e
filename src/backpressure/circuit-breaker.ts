import { expectMs, expectWhole, withDefaults } from '../core/options.js';

export interface CircuitBreakerOptions {
  /** So many failures in a row open it. Default 5. */
  readonly failures?: number;
  /** How long it stays open; then one try decides. Default 10,000. */
  readonly openMs?: number;
}

export const CIRCUIT_BREAKER_DEFAULTS = { failures: 5, openMs: 10_000 } as const satisfies CircuitBreakerOptions;

/** Checks the options of a breaker, whose name is `name`. Throws `OptionError`. */
export function expectCircuitBreaker(name: string, options: CircuitBreakerOptions): void {
  const { failures, openMs } = withDefaults(name, CIRCUIT_BREAKER_DEFAULTS, options);
  expectWhole(`${name}.failures`, failures, 1);
  expectMs(`${name}.openMs`, openMs, 1);
}

/**
 * Spares something that fails: after so many failures in a row it is open, and nothing is to be tried. When that time is
 * over one try is let through, and decides. Pure: the caller has the clock.
 */
export class CircuitBreaker {
  readonly #most: number;
  readonly #openMs: number;
  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;
  #isTrying = false;

  constructor(options: CircuitBreakerOptions = {}) {
    const { failures, openMs } = withDefaults('breaker', CIRCUIT_BREAKER_DEFAULTS, options);
    this.#most = failures;
    this.#openMs = openMs;
  }

  /** Whether it is open, or waits for the one try that decides. */
  get isOpen(): boolean {
    return this.#failures >= this.#most;
  }

  /** Whether something may be tried now. */
  mayTry(now: number): boolean {
    return !this.isOpen || (now >= this.#openUntil && !this.#isTrying);
  }

  /** How long it certainly stays open; 0 where it may be tried, or where a try under way decides. */
  openMs(now: number): number {
    return this.isOpen ? Math.max(0, this.#openUntil - now) : 0;
  }

  /** A try begins: `succeeded`, `failed` or `left` is to follow. */
  began(): void {
    if (this.isOpen) this.#isTrying = true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#isTrying = false;
  }

  failed(now: number): void {
    this.#failures += 1;
    this.#isTrying = false;
    if (this.isOpen) this.#openUntil = now + this.#openMs;
  }

  /** A try was given up before it said anything. */
  left(): void {
    this.#isTrying = false;
  }
}
