import { Observable } from 'rxjs';
import { describeValue, OptionError } from '../core/errors.js';
import { type FlowScope, inFlowScope } from '../core/flow-scope.js';
import type { Delivery } from '../delivery/delivery.js';
import type { DeliveryOperator, EndOperator } from '../delivery/delivery-operator.js';
import type { LeakDetectorOptions } from '../delivery/leak-detector.js';
import type { Receipt, Sink } from '../delivery/receipt.js';
import { Source } from '../delivery/source.js';
import type { SourceTraits } from '../delivery/traits.js';
import { expectNoLoop, expectSameSystem } from './ends.js';
import { RunControl } from './flow-control.js';
import { registerRun } from './flow-registry.js';
import { FlowRun, stepName } from './flow-run.js';
import { type Guarantee, guaranteeOf, operatorPart } from './guarantee.js';
import { type AnyStep, checkWatch, probed, watchOfEnvironment } from './probes.js';

/** Recognized by a registered symbol, since a flow file and the command may load two copies of this package. */
const FLOW = Symbol.for('rxflume.flow');
const PARTS = Symbol.for('rxflume.flowParts');

/** What a flow is made of, and how it is watched; undefined for as the environment says. */
export interface FlowParts {
  readonly source: Observable<unknown>;
  readonly steps: readonly AnyStep[];
  readonly warnings: readonly string[];
  readonly watch?: Required<LeakDetectorOptions> | undefined;
}

/** What a flow is made of, in terms that hold between two copies of this package: neither classes nor the state of a module. */
export interface FlowInside {
  readonly source: Observable<unknown> & { readonly traits?: SourceTraits | undefined };
  readonly steps: readonly AnyStep[];
  /** Subscribes to some of the steps, so that nothing beside them is written; see `unlessRehearsed`. */
  rehearse<T>(run: () => T): T;
  /**
   * What the steps from `first` on, before `end`, make of these deliveries, as a part of the flow: what they set aside names it and the
   * step. `beside` is shown what is written beside the main way, such as a dead letter, and its origin; in a rehearsal nothing is.
   */
  through(
    deliveries: Observable<unknown>,
    part: {
      readonly first: number;
      readonly end?: number;
      readonly beside?: FlowScope['beside'];
      readonly isRehearsal?: true;
    },
  ): Observable<unknown>;
}

/**
 * A whole path from source to sink, itself a cold Observable of what its end emits, such as receipts: subscribing connects and runs it,
 * unsubscribing abandons, and `drainOn` drains it.
 *
 * ```ts
 * import type { Flow } from 'rxflume';
 * import { drainOn } from 'rxflume/operators';
 * import { fromEvent } from 'rxjs';
 *
 * export function run(chat: Flow): void {
 *   console.log(chat.name, chat.guarantee, chat.warnings);
 *   chat.pipe(drainOn(fromEvent(process, 'SIGTERM'))).subscribe(({ stream, values }) => console.log(stream, values));
 * }
 * ```
 */
export class Flow<R = Receipt> extends Source<R> {
  readonly name: string;
  /** Whether each value is stored once or at least once, computed from the parts, and why. */
  readonly guarantee: Guarantee;
  /** What you should know of this flow though it runs, as its source and its sink say it of each other. */
  readonly warnings: readonly string[];
  readonly [FLOW] = true;
  readonly #parts: FlowParts;

  constructor(name: string, guarantee: Guarantee, parts: FlowParts) {
    const own: { flow?: Flow<R> } = {};
    super((subscriber, stop$) => {
      const { source, steps, watch = watchOfEnvironment() } = parts;
      const run = new FlowRun(name);
      subscriber.add(registerRun({ flow: own.flow as Flow<R>, control: new RunControl(name, run) }));
      const drainable = source instanceof Source ? source.drainedBy(run.draining(stop$)) : source;
      const counted = run.counted(steps);
      const running = watch === undefined ? counted : probed(name, counted, watch, subscriber);
      const emitted = running.reduce((stream, step) => step(stream), run.scoped(drainable) as Observable<unknown>);
      return (run.ending(emitted, (steps.at(-1) as Partial<Sink<never>> | undefined)?.kind) as Observable<R>).subscribe(
        subscriber,
      );
    });
    own.flow = this;
    this.name = name;
    this.guarantee = guarantee;
    this.warnings = parts.warnings;
    this.#parts = parts;
    const { source, steps } = parts;
    const rehearse: FlowInside['rehearse'] = (run) => inFlowScope({ flow: name, isRehearsal: true }, run);
    const through: FlowInside['through'] = (deliveries, { first, end, beside, isRehearsal }) => {
      const scope = { flow: name, ...(beside && { beside }), ...(isRehearsal && { isRehearsal }) };
      return steps
        .slice(first, end)
        .reduce(
          (stream, step, at) => inScope({ ...scope, operator: stepName(step, first + at) }, step)(stream),
          deliveries,
        );
    };
    Object.defineProperty(this, PARTS, { value: { source, steps, rehearse, through } satisfies FlowInside });
  }

  /**
   * The same flow, watched for deliveries that are lost or hang: a log event names the operator that took it last, the stream,
   * the offset and the age. It is so by itself where `NODE_ENV` is `development`. See `LeakDetector` for what it costs.
   */
  watched(options: LeakDetectorOptions = {}): Flow<R> {
    return new Flow(this.name, this.guarantee, { ...this.#parts, watch: checkWatch(options) });
  }
}

/**
 * Whether a value is a flow, of this copy of the package or another.
 *
 * ```ts
 * import { isFlow } from 'rxflume';
 *
 * export async function load(file: string): Promise<string> {
 *   const { default: loaded } = await import(file);
 *   return isFlow(loaded) ? loaded.name : 'not a flow';
 * }
 * isFlow('chat'); // → false
 * ```
 */
export function isFlow(value: unknown): value is Flow {
  return typeof value === 'object' && value !== null && FLOW in value;
}

/** What a flow is made of, for commands that measure or draw it; undefined for a flow of a copy of this package that does not say. */
export function insideOf(flow: Flow): FlowInside | undefined {
  return (flow as { readonly [PARTS]?: FlowInside })[PARTS];
}

/** The step, which is applied and subscribed to in a scope. */
function inScope(scope: FlowScope, step: AnyStep): AnyStep {
  return (input) => {
    const output = inFlowScope(scope, () => step(input));
    return new Observable((subscriber) => inFlowScope(scope, () => output.subscribe(subscriber)));
  };
}

type Values<T> = Observable<Delivery<T>>;
type Step<T, U> = DeliveryOperator<T, U>;
type Two<A, B, C> = [Step<A, B>, Step<B, C>];
type Three<A, B, C, D> = [...Two<A, B, C>, Step<C, D>];
type Four<A, B, C, D, E> = [...Two<A, B, C>, ...Two<C, D, E>];
type Five<A, B, C, D, E, F> = [...Two<A, B, C>, ...Three<C, D, E, F>];
type Ten<A, B, C, D, E, F, G, H, I, J, K> = [...Five<A, B, C, D, E, F>, ...Five<F, G, H, I, J, K>];
/** What settles each delivery, so that none is emitted: a sink, `transmit(write)`. */
type End<T, Out> = Sink<T> | EndOperator<T, Out>;

/**
 * Composes a flow: a source, up to 20 operators, and a sink or `transmit(write)`, typed as `pipe` is. The flow emits what its
 * last step emits: receipts of a sink, answers of `write`.
 *
 * ```ts
 * import { consoleSink, flow, json, kafkaSource } from 'rxflume';
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 * import { stdio } from 'rxflume/drivers/stdio';
 * import { decode, retryConnect } from 'rxflume/operators';
 *
 * export default flow(
 *   'look-at-chat',
 *   kafkaSource(kafkajs({ brokers: ['k1:9092'] }), { topics: ['chat'], groupId: 'look' }).pipe(retryConnect()),
 *   decode(json()),
 *   consoleSink(stdio()).write(),
 * );
 * ```
 *
 * Fails: `OptionError` (`RXF_FLOW_INVALID`) at the call for a name that is not `a-z`, digits and `-`, a source that
 * cannot be drained (one of our sources, perhaps behind `retryConnect`), a step that is not a function, or a
 * sink whose ledger cannot be kept for that source;
 * `RXF_FLOW_LOOP` where the sink writes to what the source reads from.
 */
export function flow<A, Out = Receipt>(name: string, source: Values<A>, ...steps: [End<A, Out>]): Flow<Out>;
export function flow<A, B, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [Step<A, B>, End<B, Out>]
): Flow<Out>;
export function flow<A, B, C, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Two<A, B, C>, End<C, Out>]
): Flow<Out>;
export function flow<A, B, C, D, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Three<A, B, C, D>, End<D, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Four<A, B, C, D, E>, End<E, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Five<A, B, C, D, E, F>, End<F, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Five<A, B, C, D, E, F>, Step<F, G>, End<G, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Five<A, B, C, D, E, F>, ...Two<F, G, H>, End<H, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Five<A, B, C, D, E, F>, ...Three<F, G, H, I>, End<I, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Five<A, B, C, D, E, F>, ...Four<F, G, H, I, J>, End<J, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, End<K, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, Step<K, L>, End<L, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Two<K, L, M>, End<M, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Three<K, L, M, N>, End<N, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Four<K, L, M, N, O>, End<O, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Five<K, L, M, N, O, P>, End<P, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Five<K, L, M, N, O, P>, Step<P, Q>, End<Q, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Five<K, L, M, N, O, P>, ...Two<P, Q, R>, End<R, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Five<K, L, M, N, O, P>, ...Three<P, Q, R, S>, End<S, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Five<K, L, M, N, O, P>, ...Four<P, Q, R, S, T>, End<T, Out>]
): Flow<Out>;
export function flow<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, Out = Receipt>(
  name: string,
  source: Values<A>,
  ...steps: [...Ten<A, B, C, D, E, F, G, H, I, J, K>, ...Five<K, L, M, N, O, P>, ...Five<P, Q, R, S, T, U>, End<U, Out>]
): Flow<Out>;
export function flow(name: string, source: Observable<unknown>, ...steps: readonly unknown[]): Flow<unknown> {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,99}$/.test(name)) {
    throw invalid(`Expected the flow's name to be lower-case letters, digits and \`-\`, got ${describeValue(name)}.`);
  }
  if (!(source instanceof Source)) {
    throw invalid(
      `Expected the source of flow \`${name}\` to be a source such as kafkaSource(…), perhaps behind retryConnect(), got ` +
        `\`${describeValue(source)}\`. Give operators as further arguments of flow.`,
    );
  }
  if (steps.length === 0) throw invalid(`Expected flow \`${name}\` to end in a sink such as lake.write(), got none.`);
  for (const [at, step] of steps.entries()) {
    if (typeof step === 'function') continue;
    const what = at === steps.length - 1 ? 'sink' : `operator ${at + 1}`;
    throw invalid(
      `Expected ${what} of flow \`${name}\` to be a function, got \`${describeValue(step)}\`. A file sink is given as sink.write().`,
    );
  }
  const sink = steps.at(-1) as Sink<never>;
  const { reads = [] } = source.traits ?? {};
  expectNoLoop(name, reads, sink.writes ?? []);
  expectSameSystem(name, source.traits, sink.ledger);
  const path = [...steps.slice(0, -1), sink.avoiding?.(reads) ?? sink] as AnyStep[];
  const guarantee = guaranteeOf({
    source: source.traits,
    ledger: sink.ledger,
    sink: sink.name,
    operators: (steps.slice(0, -1) as AnyStep[]).map(operatorPart),
  });
  const warnings = [...(source.traits?.warningsFor?.(sink) ?? []), ...(sink.warningsFor?.(source.traits) ?? [])];
  return new Flow(name, guarantee, { source, steps: path, warnings });
}

function invalid(message: string): OptionError {
  return new OptionError('RXF_FLOW_INVALID', message);
}
