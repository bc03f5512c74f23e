import { Subscription } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import type { RunningFlow } from '../flow/running-flows.js';
import { type FlowStatus, statusesOf } from '../metrics/status.js';
import { AlertViews } from './alert-views.js';
import type { ConsoleHistory, ConsoleSnapshot, FlowView } from './contract.js';
import { storeOfFlow } from './dead-letter-routes.js';
import { flowView } from './flow-view.js';
import { History, POINT_MS } from './history.js';
import type { CheckedOptions } from './options.js';
import type { Peers } from './peers.js';
import { Rates } from './rates.js';

/** How far snapshots are apart at least. */
export const SNAPSHOT_MS = 250;
/** Of the time of the process, snapshots may take one part in so many: one of many partitions is made less often. */
const SHARE_OF_TIME = 100;
const MOST_APART_MS = 5_000;

export interface SnapshotParts {
  readonly name: string;
  readonly version: string;
  readonly running: () => readonly RunningFlow[];
  readonly peers: Peers;
}

/**
 * Looks at the flows of this process: at most 4 times a second while somebody wants to see it, otherwise every 5 s for the history.
 *
 * Bounds: one snapshot; rates, history, files and alerts as they say.
 */
export class Snapshots {
  readonly #options: CheckedOptions;
  readonly #parts: SnapshotParts;
  readonly #rates = new Rates();
  readonly #history = new History();
  readonly #alerts = new AlertViews();
  readonly #subscription = new Subscription();
  #flows: readonly FlowView[] = [];
  #atMs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #apartMs = SNAPSHOT_MS;
  #pointMs = Number.NEGATIVE_INFINITY;

  constructor(options: CheckedOptions, parts: SnapshotParts) {
    this.#options = options;
    this.#parts = parts;
    const { alerts$ } = options;
    const failed = () => undefined; // What runs the rules reports it.
    this.#subscription.add(alerts$?.subscribe({ next: (alert) => this.#alerts.take(alert), error: failed }));
  }

  /** Looks, where it is time to. Where somebody wants to see it, `send` gets it; what that takes counts as time of the snapshot. */
  tick(send?: (snapshot: ConsoleSnapshot) => void): void {
    const now = monotonicMs();
    if (now - this.#lookedMs < (send === undefined ? POINT_MS : this.#apartMs)) return;
    this.#look(now);
    if (send === undefined) return;
    send(this.#snapshot(false));
    this.#space(now);
  }

  /** At this moment, or as it was a moment ago. */
  read(isAlone = false): ConsoleSnapshot {
    const now = monotonicMs();
    if (now - this.#lookedMs >= this.#apartMs) this.#look(now);
    return this.#snapshot(isAlone);
  }

  #snapshot(isAlone: boolean): ConsoleSnapshot {
    const { readOnly, alerts$ } = this.#options;
    const { name, version, peers } = this.#parts;
    return {
      atMs: this.#atMs,
      process: name,
      version,
      readOnly,
      flows: this.#flows,
      watchesAlerts: alerts$ !== undefined,
      alerts: this.#alerts.views(),
      peers: isAlone ? [] : peers.views(),
    };
  }

  history(): ConsoleHistory {
    return this.#history.read();
  }

  end(): void {
    this.#subscription.unsubscribe();
  }

  #look(now: number): void {
    const running = this.#parts.running();
    const samples = this.#options.monitor.samples();
    this.#rates.add(now, samples);
    const byName = new Map(running.map((one) => [one.control.name, one]));
    this.#flows = statusesOf(samples)
      .filter(({ flow }) => flow !== '')
      .map((status) => this.#view(status, byName.get(status.flow)));
    this.#lookedMs = now;
    this.#atMs = timeOfDayMs();
    if (now - this.#pointMs >= POINT_MS) {
      this.#pointMs = now;
      this.#history.add(this.#atMs, this.#flows, samples);
    }
    this.#space(now);
  }

  /** How far the next one is apart from what has taken the time since then. */
  #space(beganMs: number): void {
    const tookMs = monotonicMs() - beganMs;
    this.#apartMs = Math.min(MOST_APART_MS, Math.max(SNAPSHOT_MS, tookMs * SHARE_OF_TIME));
  }

  #view(status: FlowStatus, one: RunningFlow | undefined): FlowView {
    const { flow, control } = one ?? {};
    const state = control?.state ?? status.state ?? 'running';
    const commands = this.#options.readOnly ? [] : (control?.commands ?? []);
    const files = [...(control?.files ?? [])];
    const isTapped = (edge: number) => control?.isTapped(edge) ?? false;
    return flowView(
      {
        ...{ status, flow, state, positions: control?.positions() ?? [], files, isTapped, commands },
        deadLettersAt: flow === undefined ? undefined : storeOfFlow(this.#options.deadLetters, status.flow)?.name,
      },
      this.#rates,
    );
  }
}
