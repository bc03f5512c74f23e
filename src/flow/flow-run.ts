import { finalize, ignoreElements, merge, Observable, ReplaySubject, tap } from 'rxjs';
import { type FlowScope, inFlowScope, type StepCounts } from '../core/flow-scope.js';
import { FlowSources } from '../core/flow-sources.js';
import { defaultMonitor, type Sample } from '../core/monitor.js';
import { ledgerTraitOf } from '../delivery/delivery-operator.js';
import { countsItself } from '../delivery/each-delivery.js';
import type { Receipt } from '../delivery/receipt.js';
import { CommittedFiles } from './committed-files.js';
import { CountedStep, counting } from './counted-step.js';
import { Edge } from './edge.js';
import type { AnyStep } from './probes.js';

/** What a subscription of a flow is doing, or how it ended. */
const FLOW_STATES = ['running', 'paused', 'draining', 'completed', 'failed', 'abandoned'] as const;
export type FlowState = (typeof FLOW_STATES)[number];

/** How a step of a flow is called: `1 decode`. */
export function stepName(step: { readonly name: string }, at: number): string {
  return `${at + 1} ${step.name}`.trimEnd();
}

/** An operator or the sink of a run, and what it counts. */
export interface RunningStep {
  /** Its place in the flow and its name, such as `1 decode`. */
  readonly operator: string;
  readonly counts: StepCounts;
  /** How many records it has taken by now; undefined where nothing counts that. */
  readonly received: () => number | undefined;
}

/** One subscription of a flow: its state, its parts, and the metrics of what its operators took, gave and hold. */
export class FlowRun {
  readonly sources = new FlowSources();
  /** What leads into each step. */
  readonly edges: Edge[] = [];
  /** Its operators and its sink, in order. */
  readonly steps: RunningStep[] = [];
  readonly files = new CommittedFiles();
  readonly #scope: FlowScope;
  readonly #counted: CountedStep[] = [];
  readonly #uncollect: () => void;
  readonly #drain$ = new ReplaySubject<void>(1);
  readonly #over$ = new ReplaySubject<never>(1);
  /** Completes when the flow has ended, and fails as it does. */
  readonly over$: Observable<never> = this.#over$.pipe(ignoreElements());
  #state: FlowState = 'running';

  constructor(name: string) {
    this.#scope = { flow: name, sources: this.sources };
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

  get state(): FlowState {
    return this.#state;
  }

  /** The stop signal, or `drain`; noted when it emits. */
  draining(stop$: Observable<unknown>): Observable<unknown> {
    return merge(stop$, this.#drain$).pipe(
      tap(() => {
        if (!this.isOver) this.#state = 'draining';
      }),
    );
  }

  drain(): void {
    this.#drain$.next();
  }

  /** Has its sources read no more, or again. */
  setPaused(isPaused: boolean): void {
    const flow = this.#scope.flow;
    this.#state = isPaused ? 'paused' : 'running';
    const message = isPaused
      ? `Flow ${flow} is paused: nothing more is read until it is resumed. What is in flight is settled and committed.`
      : `Flow ${flow} reads again.`;
    defaultMonitor.logEvent('info', isPaused ? 'flow.paused' : 'flow.unpaused', message, { flow });
    this.sources.setPaused(isPaused);
  }

  get isOver(): boolean {
    return this.#state === 'completed' || this.#state === 'failed' || this.#state === 'abandoned';
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
      const operator = stepName(step, at);
      const counted = new CountedStep(this.#scope.flow, operator, last, entered);
      if (isOperator) this.#counted.push(counted);
      last = counted;
      return this.#stepOf(step, operator, counted);
    });
  }

  #stepOf(step: AnyStep, operator: string, counted: CountedStep): AnyStep {
    const { counts, entered } = counted;
    const scope = { ...this.#scope, operator, step: counts };
    const edge = new Edge();
    this.edges.push(edge);
    this.steps.push({ operator, counts, received: () => counted.received });
    const run: AnyStep = (input) => {
      const into = edge.leadingIn(input);
      return this.scoped(
        inFlowScope(scope, () => step(entered === undefined ? into : counting(entered)(into))),
        scope,
      );
    };
    return Object.defineProperty(run, 'name', { value: step.name });
  }

  /** What is subscribed to it is made for the flow. */
  scoped<T>(source: Observable<T>, scope = this.#scope): Observable<T> {
    return new Observable((subscriber) => inFlowScope(scope, () => source.subscribe(subscriber)));
  }

  /** The whole flow, whose end is noted; where its sink is one of files, what it emits are their receipts. */
  ending<T>(whole: Observable<T>, sinkKind: string | undefined): Observable<T> {
    const committed = (receipt: T) => this.files.add(receipt as Receipt);
    return whole.pipe(
      tap({
        ...(sinkKind === 'files' && { next: committed }),
        error: (error: unknown) => {
          this.#state = 'failed';
          this.#over$.error(error);
        },
        complete: () => {
          this.#state = 'completed';
        },
      }),
      finalize(() => {
        for (const _ of this.#readSteps());
        this.#uncollect();
        this.#runs.add(-1);
        if (!this.isOver) this.#state = 'abandoned';
        this.#stateMetric(this.#state).set(1);
        this.files.end();
        this.#over$.complete();
      }),
    );
  }

  *#read(): Iterable<Sample> {
    yield { name: 'rxflume_flow_state', labels: { flow: this.#scope.flow, state: this.#state }, value: 1 };
    yield* this.#readSteps();
  }

  *#readSteps(): Iterable<Sample> {
    for (const step of this.#counted) yield* step.read();
  }

  get #runs() {
    return defaultMonitor.metric('rxflume_flow_subscriptions', { flow: this.#scope.flow });
  }

  #stateMetric(state: FlowState) {
    return defaultMonitor.metric('rxflume_flow_state', { flow: this.#scope.flow, state });
  }
}
