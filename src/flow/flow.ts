import type { Observable } from 'rxjs';
import { describeValue, OptionError } from '../core/errors.js';
import type { Delivery } from '../delivery/delivery.js';
import type { DeliveryOperator } from '../delivery/delivery-operator.js';
import type { LeakDetectorOptions } from '../delivery/leak-detector.js';
import type { Receipt, Sink } from '../delivery/receipt.js';
import { Source } from '../delivery/source.js';
import { expectNoLoop, expectSameSystem } from './ends.js';
import { type Guarantee, guaranteeOf, operatorPart } from './guarantee.js';
import { type AnyStep, checkWatch, probed, watchOfEnvironment } from './probes.js';

/** Told apart by a registered symbol, since a flow file and the command may load two copies of this package. */
const FLOW = Symbol.for('rxflume.flow');

/** What a flow is made of, and how it is watched; undefined for as the environment says. */
export interface FlowParts {
  readonly source: Observable<unknown>;
  readonly steps: readonly AnyStep[];
  readonly warnings: readonly string[];
  readonly watch?: Required<LeakDetectorOptions> | undefined;
}

/**
 * A whole path from source to sink, itself a cold Observable of receipts: subscribing connects and runs it,
 * unsubscribing abandons, and `drainOn` drains it.
 */
export class Flow extends Source<Receipt> {
  readonly name: string;
  /** Whether each value stands once or at least once, computed from the parts, and why. */
  readonly guarantee: Guarantee;
  /** What you should know of this flow though it runs, as its source and its sink say it of each other. */
  readonly warnings: readonly string[];
  readonly [FLOW] = true;
  readonly #parts: FlowParts;

  constructor(name: string, guarantee: Guarantee, parts: FlowParts) {
    super((subscriber, stop$) => {
      const { source, steps, watch = watchOfEnvironment() } = parts;
      const drainable = source instanceof Source ? source.drainedBy(stop$) : source;
      const running = watch === undefined ? steps : probed(name, steps, watch, subscriber);
      const receipts = running.reduce((stream, step) => step(stream), drainable as Observable<unknown>);
      return (receipts as Observable<Receipt>).subscribe(subscriber);
    });
    this.name = name;
    this.guarantee = guarantee;
    this.warnings = parts.warnings;
    this.#parts = parts;
  }

  /**
   * The same flow, watched for deliveries that are lost or hang: a notice names the operator that took it last, the stream,
   * the offset and the age. It is so by itself where `NODE_ENV` is `development`. See `LeakDetector` for what it costs.
   */
  watched(options: LeakDetectorOptions = {}): Flow {
    return new Flow(this.name, this.guarantee, { ...this.#parts, watch: checkWatch(options) });
  }
}

/** Whether a value is a flow, of this copy of the package or another. */
export function isFlow(value: unknown): value is Flow {
  return typeof value === 'object' && value !== null && FLOW in value;
}

type Values<T> = Observable<Delivery<T>>;
type Step<T, U> = DeliveryOperator<T, U>;

/**
 * Composes a flow: a source, operators, a sink, typed as `pipe` is.
 *
 * Fails: `OptionError` (`RXF_FLOW_INVALID`) at the call for a name that is not `a-z`, digits and `-`, a source that
 * cannot be drained (one of our sources, perhaps behind `retryConnect`), a step that is not a function, or a
 * sink whose ledger cannot be kept for that source;
 * `RXF_FLOW_LOOP` where the sink writes to what the source reads from.
 */
export function flow<A>(name: string, source: Values<A>, sink: Sink<A>): Flow;
export function flow<A, B>(name: string, source: Values<A>, step1: Step<A, B>, sink: Sink<B>): Flow;
export function flow<A, B, C>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  sink: Sink<C>,
): Flow;
export function flow<A, B, C, D>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  sink: Sink<D>,
): Flow;
export function flow<A, B, C, D, E>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  step4: Step<D, E>,
  sink: Sink<E>,
): Flow;
export function flow<A, B, C, D, E, F>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  step4: Step<D, E>,
  step5: Step<E, F>,
  sink: Sink<F>,
): Flow;
export function flow<A, B, C, D, E, F, G>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  step4: Step<D, E>,
  step5: Step<E, F>,
  step6: Step<F, G>,
  sink: Sink<G>,
): Flow;
export function flow<A, B, C, D, E, F, G, H>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  step4: Step<D, E>,
  step5: Step<E, F>,
  step6: Step<F, G>,
  step7: Step<G, H>,
  sink: Sink<H>,
): Flow;
export function flow<A, B, C, D, E, F, G, H, I>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  step4: Step<D, E>,
  step5: Step<E, F>,
  step6: Step<F, G>,
  step7: Step<G, H>,
  step8: Step<H, I>,
  sink: Sink<I>,
): Flow;
export function flow<A, B, C, D, E, F, G, H, I, J>(
  name: string,
  source: Values<A>,
  step1: Step<A, B>,
  step2: Step<B, C>,
  step3: Step<C, D>,
  step4: Step<D, E>,
  step5: Step<E, F>,
  step6: Step<F, G>,
  step7: Step<G, H>,
  step8: Step<H, I>,
  step9: Step<I, J>,
  sink: Sink<J>,
): Flow;
export function flow(name: string, source: Observable<unknown>, ...steps: readonly unknown[]): Flow {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,99}$/.test(name)) {
    throw invalid(`Expected the flow's name to be lower-case letters, digits and \`-\`, got ${describeValue(name)}`);
  }
  if (!(source instanceof Source)) {
    throw invalid(
      `Expected the source of flow \`${name}\` to be a source such as kafkaSource(…), perhaps behind retryConnect(), got ` +
        `\`${describeValue(source)}\`. Give operators as further arguments of flow.`,
    );
  }
  if (steps.length === 0) throw invalid(`Expected flow \`${name}\` to end in a sink such as lake.write(), got none`);
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
