import { type AlertEvent, fingerprintOf } from '../alerts/alert.js';
import { monotonicMs } from '../core/clock.js';
import type { AlertView } from './contract.js';

const MAX_ALERTS = 1_000;
/** For so long one that was resolved is shown. */
const RESOLVED_FOR_MS = 900_000;

/** The alerts that are pending or fire, and those resolved in the last 15 minutes. Bounds: 1,000, the newest. */
export class AlertViews {
  readonly #alerts = new Map<string, { readonly view: AlertView; readonly atMs: number }>();

  take({ state, isFiring, labels, annotations, startsAt, at }: AlertEvent): void {
    const key = fingerprintOf(labels);
    const phase = isFiring ? 'firing' : state === 'pending' || state === 'resolved' ? state : undefined;
    this.#alerts.delete(key);
    if (phase === undefined) return;
    const since = phase === 'resolved' ? at : startsAt;
    const { alertname: name = '', flow = '' } = labels;
    const message = annotations.summary ?? annotations.description ?? '';
    this.#alerts.set(key, { view: { name, flow, phase, since, message }, atMs: monotonicMs() });
    for (const oldest of this.#alerts.keys()) {
      if (this.#alerts.size <= MAX_ALERTS) break;
      this.#alerts.delete(oldest);
    }
  }

  views(): AlertView[] {
    const now = monotonicMs();
    for (const [key, { view, atMs }] of this.#alerts) {
      if (view.phase === 'resolved' && now - atMs > RESOLVED_FOR_MS) this.#alerts.delete(key);
    }
    return [...this.#alerts.values()].map(({ view }) => view);
  }
}
