/** How long a flow must have run until a failure of it counts as the first again, in milliseconds. */
export const STEADY_AFTER_MS = 60_000;
/** The pause before a restart: doubled with each failure in a row, between these, in milliseconds. */
export const RESTART_DELAY_MS = { first: 1_000, most: 30_000 } as const;

/** Why a process is stopped by the one that supervises it. */
export type StopReason = 'stop' | 'reload' | 'memory';

/** What is done when a process has ended. */
export type AfterExit =
  /** It is over: `code` counts for the exit code of the whole. */
  { readonly next: 'over'; readonly code: number } | { readonly next: 'start'; readonly afterMs: number };

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** For how long it had run, in milliseconds. */
  readonly ranMs: number;
}

/**
 * Decides, of one process that is kept running, what comes after each of its ends.
 *
 * Pure. A process that drained by itself, such as by `--until-idle`, is over; so is one whose file or options are wrong, which a
 * restart does not correct. Any other is started again, later each time it fails soon.
 */
export class ChildLife {
  #failures = 0;
  #stopped: StopReason | undefined;

  /** It is about to be stopped. A reason that ends it for good wins. */
  stop(reason: StopReason): void {
    if (this.#stopped !== 'stop') this.#stopped = reason;
  }

  get isStopped(): boolean {
    return this.#stopped === 'stop';
  }

  exited({ code, signal, ranMs }: Exit): AfterExit {
    const reason = this.#stopped;
    // One that has begun drains at SIGTERM and never ends by it.
    if (reason === 'stop') return { next: 'over', code: signal === 'SIGTERM' ? 0 : (code ?? 1) };
    this.#stopped = undefined;
    // What was drained for a reload or for its memory starts anew, however the drain went: the rest is redelivered.
    if (reason !== undefined) return { next: 'start', afterMs: 0 };
    if (code === 0 || code === 2) return { next: 'over', code };
    this.#failures = ranMs >= STEADY_AFTER_MS ? 1 : this.#failures + 1;
    const { first, most } = RESTART_DELAY_MS;
    return { next: 'start', afterMs: Math.min(most, first * 2 ** (this.#failures - 1)) };
  }
}
