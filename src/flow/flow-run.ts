import { finalize, Observable, tap } from 'rxjs';
import { type FlowScope, inFlowScope, type StepCounts } from '../core/flow-scope.js';
import { defaultMonitor } from '../core/monitor.js';
import type { AnyStep } from './probes.js';

/** What a subscription of a flow is doing, or how it ended. */
export const FLOW_STATES = ['running', 'draining', 'completed', 'failed', 'abandoned'] as const;
export type FlowState = (typeof FLOW_STATES)[number];

/** The metrics of one subscription of a flow: its state, and what its operators took and gave. */
export class FlowRun {
  readonly #scope: FlowScope;
  readonly #steps: CountedStep[] = [];
  readonly #uncollect: () => void;
  #state: FlowState = 'running';

  constructor(name: string) {
    this.#scope = { flow: name };
    this.#uncollect = defaultMonitor.collect(() => this.#count());
    this.#show('running');
  }

  /** The same stop signal, which is noted when it emits. */
  draining(stop$: Observable<unknown>): Observable<unknown> {
    return stop$.pipe(tap(() => this.#show('draining')));
  }

  /** The same step, whose deliveries are counted where it is an operator. */
  counted(step: AnyStep, at: number, steps: number): AnyStep {
    const counts: StepCounts = {};
    const operator = `${at + 1} ${step.name}`.trimEnd();
    if (at < steps - 1) this.#steps.push(new CountedStep(counts, this.#scope.flow, operator));
    const scope = { ...this.#scope, operator, step: counts };
    const counted: AnyStep = (input) =>
      this.scoped(
        inFlowScope(scope, () => step(input)),
        scope,
      );
    return Object.defineProperty(counted, 'name', { value: step.name });
  }

  /** What is subscribed to it is made for the flow. */
  scoped<T>(source: Observable<T>, scope = this.#scope): Observable<T> {
    return new Observable((subscriber) => inFlowScope(scope, () => source.subscribe(subscriber)));
  }

  /** The whole flow, whose end is noted. */
  ending<T>(whole: Observable<T>): Observable<T> {
    return whole.pipe(
      tap({ error: () => this.#show('failed'), complete: () => this.#show('completed') }),
      finalize(() => {
        this.#count();
        this.#uncollect();
        if (this.#state === 'running' || this.#state === 'draining') this.#show('abandoned');
      }),
    );
  }

  #count(): [] {
    for (const step of this.#steps) step.count();
    return [];
  }

  #show(state: FlowState): void {
    this.#state = state;
    for (const one of FLOW_STATES) {
      defaultMonitor.metric('rxflume_flow_state', { flow: this.#scope.flow, state: one }).set(one === state ? 1 : 0);
    }
  }
}

/** An operator of a flow, whose own counts become metrics at each reading. An operator that does not count has none. */
class CountedStep {
  readonly #counts: StepCounts;
  readonly #labels: { readonly flow: string; readonly operator: string };
  #received = 0;
  #emitted = 0;

  constructor(counts: StepCounts, flow: string, operator: string) {
    this.#counts = counts;
    this.#labels = { flow, operator };
  }

  count(): void {
    const { received, emitted } = this.#counts;
    if (received === undefined || emitted === undefined) return;
    defaultMonitor.metric('rxflume_operator_received_total', this.#labels).add(received.value - this.#received);
    defaultMonitor.metric('rxflume_operator_emitted_total', this.#labels).add(emitted.value - this.#emitted);
    this.#received = received.value;
    this.#emitted = emitted.value;
  }
}
