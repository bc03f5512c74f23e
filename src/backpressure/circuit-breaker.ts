import { expectMs, expectWhole, withDefaults } from '../core/options.js';

export interface CircuitBreakerOptions {
  /** The number of consecutive failures that opens it. Default 5. */
  readonly failures?: number;
  /** How long it stays open; then one attempt decides. Default 10,000. */
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
 * A circuit breaker: after a number of consecutive failures it opens, and nothing may be tried. After a time one attempt is let
 * through, and decides. Pure: the caller supplies the clock.
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

  /** Whether it is open or half-open. */
  get isOpen(): boolean {
    return this.#failures >= this.#most;
  }

  /** Whether something may be tried now. */
  mayTry(now: number): boolean {
    return !this.isOpen || (now >= this.#openUntil && !this.#isTrying);
  }

  /** How long it stays open at least; 0 if an attempt is allowed, or one in progress decides. */
  openMs(now: number): number {
    return this.isOpen ? Math.max(0, this.#openUntil - now) : 0;
  }

  /** An attempt begins: `succeeded`, `failed` or `left` must follow. */
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

  /** An attempt was abandoned without a result. */
  left(): void {
    this.#isTrying = false;
  }
}
