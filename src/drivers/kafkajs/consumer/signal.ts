import { doublingMs } from '../../../backpressure/backoff.js';

export const FIRST_WAIT_MS = 100;
export const MAX_WAIT_MS = 2_000;

/** How long to wait after so many failures in a row before the cluster is asked again. */
export function retryMs(failures: number): number {
  return doublingMs(failures, FIRST_WAIT_MS, MAX_WAIT_MS);
}

/** Something that loops wait for, with or without a limit. A wait that has ended leaves nothing behind. */
export class Signal {
  readonly #waiting = new Set<() => void>();

  /** Ends every wait. */
  fire(): void {
    for (const end of [...this.#waiting]) end();
  }

  /** Resolves at the next `fire`, or after so many milliseconds. */
  wait(ms = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      if (Number.isFinite(ms)) timer = setTimeout(end, ms);
      this.#waiting.add(end);
    });
  }
}
