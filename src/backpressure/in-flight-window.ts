/** The maximum that may be unreleased at once. */
export interface WindowLimits {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Counts unreleased deliveries and their bytes. Full when either limit is reached; a value larger than the whole window passes
 * alone, so that nothing waits forever.
 */
export class InFlightWindow {
  readonly limits: WindowLimits;
  count = 0;
  bytes = 0;
  /** How many were ever counted. */
  taken = 0;

  constructor(limits: WindowLimits) {
    this.limits = limits;
  }

  get isFull(): boolean {
    return this.count >= this.limits.count || this.bytes >= this.limits.bytes;
  }

  take(bytes: number): void {
    this.count += 1;
    this.taken += 1;
    this.bytes += bytes;
  }

  free(count: number, bytes: number): void {
    this.count -= count;
    this.bytes -= bytes;
  }
}
