import { finalize, Observable, tap } from 'rxjs';
import { type FlowScope, inFlowScope } from '../core/flow-scope.js';
import { defaultMonitor, type Sample } from '../core/monitor.js';
import { ledgerTraitOf } from '../delivery/delivery-operator.js';
import { countsItself } from '../delivery/each-delivery.js';
import { CountedStep, counting } from './counted-step.js';
import type { AnyStep } from './probes.js';

/** What a subscription of a flow is doing, or how it ended. */
const FLOW_STATES = ['running', 'draining', 'completed', 'failed', 'abandoned'] as const;
export type FlowState = (typeof FLOW_STATES)[number];

/** The metrics of one subscription of a flow: its state, and what its operators took, gave and hold. */
export class FlowRun {
  readonly #scope: FlowScope;
  readonly #steps: CountedStep[] = [];
  readonly #uncollect: () => void;
  #state: FlowState = 'running';

  constructor(name: string) {
    this.#scope = { flow: name };
    // How an earlier subscription ended is of no interest any more.
    for (const state of FLOW_STATES) this.#stateMetric(state).set(0);
    const runs = this.#runs;
    runs.add(1);
    if (runs.value > 1) {
      const message =
        `${runs.value} subscriptions of a flow named ${name} run in this process, and share their metrics: counters and what is ` +
        'in flight are added up, of other gauges the worst counts. Give each flow a name of its own to tell them apart.';
      defaultMonitor.logEvent('warn', 'flow.twice', message, { flow: name, subscriptions: runs.value });
    }
    this.#uncollect = defaultMonitor.collect(() => this.#read());
  }

  /** The same stop signal, which is noted when it emits. */
  draining(stop$: Observable<unknown>): Observable<unknown> {
    return stop$.pipe(
      tap(() => {
        if (this.#state === 'running') this.#state = 'draining';
      }),
    );
  }

  /**
   * The same steps, whose deliveries are counted where they are operators. Most count them where they handle them; between two that
   * don't, one count serves both.
   */
  counted(steps: readonly AnyStep[]): AnyStep[] {
    let last: CountedStep | undefined;
    return steps.map((step, at) => {
      const before = steps[at - 1];
      const isCounted = countsItself(step) || (before !== undefined && countsItself(before));
      const isOperator = ledgerTraitOf(step) !== undefined;
      const entered = isCounted || (at === 0 && !isOperator) ? undefined : { value: 0 };
      const operator = `${at + 1} ${step.name}`.trimEnd();
      const counted = new CountedStep(this.#scope.flow, operator, last, entered);
      if (isOperator) this.#steps.push(counted);
      last = counted;
      return this.#stepOf(step, operator, counted);
    });
  }

  #stepOf(step: AnyStep, operator: string, { counts, entered }: CountedStep): AnyStep {
    const scope = { ...this.#scope, operator, step: counts };
    const run: AnyStep = (input) =>
      this.scoped(
        inFlowScope(scope, () => step(entered === undefined ? input : counting(entered)(input))),
        scope,
      );
    return Object.defineProperty(run, 'name', { value: step.name });
  }

  /** What is subscribed to it is made for the flow. */
  scoped<T>(source: Observable<T>, scope = this.#scope): Observable<T> {
    return new Observable((subscriber) => inFlowScope(scope, () => source.subscribe(subscriber)));
  }

  /** The whole flow, whose end is noted. */
  ending<T>(whole: Observable<T>): Observable<T> {
    return whole.pipe(
      tap({
        error: () => {
          this.#state = 'failed';
        },
        complete: () => {
          this.#state = 'completed';
        },
      }),
      finalize(() => {
        for (const _ of this.#readSteps());
        this.#uncollect();
        this.#runs.add(-1);
        if (this.#state === 'running' || this.#state === 'draining') this.#state = 'abandoned';
        this.#stateMetric(this.#state).set(1);
      }),
    );
  }

  *#read(): Iterable<Sample> {
    yield { name: 'rxflume_flow_state', labels: { flow: this.#scope.flow, state: this.#state }, value: 1 };
    yield* this.#readSteps();
  }

  *#readSteps(): Iterable<Sample> {
    for (const step of this.#steps) yield* step.read();
  }

  get #runs() {
    return defaultMonitor.metric('rxflume_flow_subscriptions', { flow: this.#scope.flow });
  }

  #stateMetric(state: FlowState) {
    return defaultMonitor.metric('rxflume_flow_state', { flow: this.#scope.flow, state });
  }
}
