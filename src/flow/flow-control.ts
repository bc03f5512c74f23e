import { concat, defer, forkJoin, map, type Observable, of, throwError } from 'rxjs';
import { OptionError } from '../core/errors.js';
import type { StreamPositions } from '../core/flow-sources.js';
import { defaultMonitor } from '../core/monitor.js';
import { expectWhole } from '../core/options.js';
import type { CommittedFile } from './committed-file.js';
import type { FlowRun, FlowState } from './flow-run.js';
import { type Located, locatedOf } from './located.js';
import { type ResetPreview, type ResetTarget, resetPreviewOf, resetsOf } from './reset-preview.js';
import { type TapOptions, type Tapped, tapped } from './tap.js';

/** What can be done with a running flow. */
export type FlowCommand = 'pause' | 'resume' | 'roll' | 'drain' | 'reset';

/** One subscription of a flow: what it does, and what can be done with it while it runs. */
export interface FlowControl {
  readonly name: string;
  readonly state: FlowState;
  /** What can be done now. */
  readonly commands: readonly FlowCommand[];
  /**
   * Has the source read no more, until `resume`. What is in flight goes on, and is settled and committed; the source stays connected
   * where others would otherwise get its streams. Fails: `RXF_FLOW_COMMAND` where the flow does not run, or its source cannot be paused.
   */
  pause(): void;
  /** Fails: `RXF_FLOW_COMMAND` where the flow is not paused. */
  resume(): void;
  /**
   * Has all that gather values make them durable now, as when a source asks for it: open files are finished and committed as if
   * `rollAfter` had passed, batches are sent. What an operator has not passed on yet is not waited for.
   */
  roll(): void;
  /** Begins to drain, as a stop signal does; the answer completes when the flow has, and fails as it does. */
  drain(): Observable<never>;
  locate(stream: string, offset: number): Located;
  /** How far the streams are that are read now. */
  positions(): Iterable<StreamPositions>;
  /**
   * What would be redelivered or skipped if streams resumed at another offset, and how that is done. It changes nothing.
   */
  resetPreview(to: ResetTarget, streams?: readonly string[]): ResetPreview;
  /**
   * Moves streams that this process reads: each is read on from the offset, which is committed. Only while the flow is paused, and where the
   * broker keeps the position: one in a ledger or in transactions is kept with what is stored. What is in flight is settled first.
   * Answers with what was done. Fails: `RXF_FLOW_COMMAND` where it cannot be done now; streams before the one that fails have been moved.
   */
  reset(to: ResetTarget, streams?: readonly string[]): Observable<ResetPreview>;
  /** By stream, where the first record of this time or later is. Fails: `RXF_FLOW_COMMAND` where its source cannot look that up. */
  offsetsAt(timeMs: number): Observable<ReadonlyMap<string, number>>;
  /** How many edges there are: edge 0 leads from the source into the first operator, the last one into the sink. */
  readonly edges: number;
  isTapped(edge: number): boolean;
  /** The values that pass an edge while this is subscribed to. See `tapped` for its bounds. */
  tap(edge: number, options?: TapOptions): Observable<Tapped>;
  /** Each file that is committed from now on. Completes with the flow. */
  readonly files$: Observable<CommittedFile>;
  /** The last 100 committed files, newest first. */
  readonly files: readonly CommittedFile[];
}

/** What can be done with the run of a flow. */
export class RunControl implements FlowControl {
  readonly name: string;
  readonly #run: FlowRun;

  constructor(name: string, run: FlowRun) {
    this.name = name;
    this.#run = run;
  }

  get state(): FlowState {
    return this.#run.state;
  }

  get commands(): readonly FlowCommand[] {
    const { state, sources } = this.#run;
    if (state === 'paused') {
      const canReset = sources.all.some((source) => source.canReset === true);
      return ['resume', 'roll', 'drain', ...(canReset ? (['reset'] as const) : [])];
    }
    if (state === 'running') return [...(sources.hasBegun ? (['pause'] as const) : []), 'roll', 'drain'];
    return [];
  }

  pause(): void {
    this.#expect('pause');
    this.#run.setPaused(true);
  }

  resume(): void {
    this.#expect('resume');
    this.#run.setPaused(false);
  }

  roll(): void {
    this.#expect('roll');
    for (const source of this.#run.sources.all) source.settle();
  }

  drain(): Observable<never> {
    this.#expect('drain');
    this.#run.drain();
    return this.#run.over$;
  }

  locate(stream: string, offset: number): Located {
    return locatedOf(this.#run, stream, offset);
  }

  *positions(): Iterable<StreamPositions> {
    for (const source of this.#run.sources.all) yield* source.positions();
  }

  resetPreview(to: ResetTarget, streams?: readonly string[]): ResetPreview {
    return resetPreviewOf(resetsOf(this.#run.sources.all, to, streams));
  }

  reset(to: ResetTarget, streams?: readonly string[]): Observable<ResetPreview> {
    return defer(() => {
      const resets = resetsOf(this.#run.sources.all, to, streams);
      if (this.state !== 'paused') this.#expect('reset');
      const moves = resets.map(
        ({ source, reset: { stream, to: offset } }) =>
          source.reset?.(stream, offset) ?? throwError(() => this.#cannot('reset', `its source cannot move ${stream}`)),
      );
      const preview = resetPreviewOf(resets);
      const { name: flow } = this;
      const done = preview.perStream.map(({ stream, to: offset }) => `${stream} to ${offset}`).join(', ');
      const message = `Flow ${flow} was moved: ${done}.`;
      return concat(
        ...moves,
        defer(() => {
          defaultMonitor.logEvent('warn', 'flow.reset', message, { flow });
          return of({ ...preview, message });
        }),
      );
    });
  }

  offsetsAt(timeMs: number): Observable<ReadonlyMap<string, number>> {
    return defer(() => {
      const able = this.#run.sources.all.flatMap((source) => source.offsetsAt?.(timeMs) ?? []);
      if (able.length === 0) throw this.#cannot('reset', 'its source cannot look up offsets by time. Give an offset');
      return forkJoin(able).pipe(map((found) => new Map(found.flatMap((one) => [...one]))));
    });
  }

  get edges(): number {
    return this.#run.edges.length;
  }

  isTapped(edge: number): boolean {
    return this.#run.edges[edge]?.isTapped ?? false;
  }

  tap(edge: number, options: TapOptions = {}): Observable<Tapped> {
    const { edges, steps, over$ } = this.#run;
    expectWhole('edge', edge, 0, edges.length - 1);
    const received = () => steps[edge]?.received();
    return tapped({ edge: edges[edge] as (typeof edges)[number], received, over$ }, options);
  }

  get files$(): Observable<CommittedFile> {
    return this.#run.files.files$;
  }

  get files(): readonly CommittedFile[] {
    return this.#run.files.last;
  }

  #expect(command: FlowCommand): void {
    if (this.commands.includes(command)) return;
    const { state } = this.#run;
    const why =
      command === 'pause' && state === 'running'
        ? 'its source cannot be paused: it is none of rxflume. Drain it instead'
        : `it is ${state}`;
    throw this.#cannot(command, command === 'reset' ? `it is ${state}. Pause it first` : why);
  }

  #cannot(command: FlowCommand, why: string): OptionError {
    const { name: flow, state } = this;
    return new OptionError('RXF_FLOW_COMMAND', `Cannot ${command} flow ${flow}: ${why}.`, {
      details: { flow, command, state },
    });
  }
}
