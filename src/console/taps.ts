import { randomBytes } from 'node:crypto';
import type { Subscription } from 'rxjs';
import { monotonicMs } from '../core/clock.js';
import type { FlowControl } from '../flow/flow-control.js';
import type { Tapped } from '../flow/tap.js';
import { Denied } from './answers.js';
import type { TapRequest, TapValue, TapValues } from './contract.js';

const MAX_TAPS = 8;
const MAX_VALUES = 100;
/** Of the texts of one tap, in characters. */
const MAX_TEXT = 4 * 1_048_576;
/** A tap that no stream has, and nothing has read, ends after so long: the tab is gone. */
const UNREAD_FOR_MS = 30_000;

interface Tap extends Required<Pick<TapRequest, 'flow' | 'edge'>> {
  readonly id: string;
  readonly control: FlowControl;
  readonly values: TapValue[];
  readonly subscription: Subscription;
  dropped: number;
  length: number;
  /** How many streams want it. */
  readers: number;
  readAtMs: number;
}

/**
 * Taps on edges of flows.
 *
 * Bounds: 8; of each 100 values, of 64 KiB each and 4 Mi characters together.
 */
export class Taps {
  readonly #taps = new Map<string, Tap>();
  readonly #onValue: (value: TapValue) => void;

  constructor(onValue: (value: TapValue) => void) {
    this.#onValue = onValue;
  }

  /** Begins one, and returns its id. */
  begin(control: FlowControl, { flow, edge, contains, everyN }: TapRequest, redact: readonly string[]): string {
    if (this.#taps.size >= MAX_TAPS) {
      const message = `${MAX_TAPS} taps are open, which is the limit. End one, or close the page that has it.`;
      throw new Denied(409, 'RXF_CONSOLE_LIMIT', message);
    }
    const id = randomBytes(8).toString('hex');
    const limits = { ...(contains && { contains }), ...(everyN !== undefined && { everyN }), redact };
    const tapped$ = control.tap(edge, limits);
    const tap: Partial<Tap> = { id, flow, edge, control, values: [], dropped: 0, length: 0, readers: 0 };
    Object.assign(tap, { readAtMs: monotonicMs() });
    const whole = tap as Tap;
    this.#taps.set(id, whole);
    const subscription = tapped$.subscribe({
      next: (value) => this.#take(whole, value),
      // The flow has ended: what was tapped can still be read.
      error: () => undefined,
    });
    Object.assign(tap, { subscription });
    return id;
  }

  read(id: string): TapValues {
    const tap = this.#of(id);
    const { flow, edge, values, dropped } = tap;
    return { id, flow, edge, values: [...values], dropped };
  }

  end(id: string): void {
    this.#taps.get(id)?.subscription.unsubscribe();
    this.#taps.delete(id);
  }

  /** A stream wants these; returns what says that it has ended. */
  wanted(ids: readonly string[]): () => void {
    const taps = ids.flatMap((id) => this.#taps.get(id) ?? []);
    for (const tap of taps) tap.readers += 1;
    return () => {
      for (const tap of taps) {
        tap.readers -= 1;
        tap.readAtMs = monotonicMs();
      }
    };
  }

  /** Ends those that are not read any more. */
  sweep(): void {
    const now = monotonicMs();
    for (const { id, readers, readAtMs } of [...this.#taps.values()]) {
      if (readers === 0 && now - readAtMs > UNREAD_FOR_MS) this.end(id);
    }
  }

  endAll(): void {
    for (const id of [...this.#taps.keys()]) this.end(id);
  }

  #take(tap: Tap, { atMs, stream, offset, text, isCut, isRedacted, unseen }: Tapped): void {
    const value: TapValue = { tap: tap.id, atMs, stream, offset, text, cut: isCut, redacted: isRedacted };
    tap.values.push(value);
    tap.dropped += unseen;
    tap.length += text.length;
    while (tap.values.length > MAX_VALUES || tap.length > MAX_TEXT) tap.length -= tap.values.shift()?.text.length ?? 0;
    this.#onValue(value);
  }

  #of(id: string): Tap {
    const tap = this.#taps.get(id);
    if (tap === undefined) {
      const message = `There is no tap \`${id}\`: it has ended, as one does half a minute after its page is gone. Tap again.`;
      throw new Denied(404, 'RXF_CONSOLE_REQUEST', message);
    }
    tap.readAtMs = monotonicMs();
    return tap;
  }
}
