import type { Observable, OperatorFunction } from 'rxjs';
import type { Delivery } from '../core/delivery.js';
import { describeValue, OptionError } from '../core/errors.js';
import { type Place, sharedName } from '../core/place.js';
import type { Receipt, Sink, SinkLedger } from '../core/receipt.js';
import { Source, type SourceTraits } from '../core/source.js';
import { type Guarantee, guaranteeOf } from './guarantee.js';

/** Told apart by a registered symbol, since a flow file and the command may load two copies of this package. */
const FLOW = Symbol.for('rxflume.flow');

/**
 * A whole path from source to sink, itself a cold Observable of receipts: subscribing connects and runs it,
 * unsubscribing abandons, and `drainOn` drains it.
 */
export class Flow extends Source<Receipt> {
  readonly name: string;
  /** Whether each value stands once or at least once, computed from the parts, and why. */
  readonly guarantee: Guarantee;
  readonly [FLOW] = true;

  constructor(
    name: string,
    guarantee: Guarantee,
    source: Observable<unknown>,
    build: (source: Observable<unknown>) => Observable<Receipt>,
  ) {
    super((subscriber, stop$) => {
      const drainable = source instanceof Source ? source.drainedBy(stop$) : source;
      return build(drainable).subscribe(subscriber);
    });
    this.name = name;
    this.guarantee = guarantee;
  }
}

/** Whether a value is a flow, of this copy of the package or another. */
export function isFlow(value: unknown): value is Flow {
  return typeof value === 'object' && value !== null && FLOW in value;
}

type Values<T> = Observable<Delivery<T>>;
type Step<T, U> = OperatorFunction<Delivery<T>, Delivery<U>>;

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
  const path = [...steps.slice(0, -1), sink.avoiding?.(reads) ?? sink];
  return new Flow(
    name,
    guaranteeOf({ source: source.traits, ledger: sink.ledger }),
    source,
    (drainable) =>
      (path as ((input: Observable<unknown>) => Observable<unknown>)[]).reduce(
        (stream, step) => step(stream),
        drainable,
      ) as Observable<Receipt>,
  );
}

function expectNoLoop(flow: string, reads: readonly Place[], writes: readonly Place[]): void {
  for (const read of reads) {
    for (const written of writes) {
      const shared = sharedName(read, written);
      if (shared === undefined) continue;
      throw new OptionError(
        'RXF_FLOW_LOOP',
        `Flow \`${flow}\` reads from ${read.kind} \`${shared}\` at ${read.addresses.join(', ')} and writes to it: each value ` +
          'would come again for ever. Write to another, or read from another.',
        { details: { kind: read.kind, name: shared } },
      );
    }
  }
}

function expectSameSystem(flow: string, source: SourceTraits | undefined, ledger: SinkLedger | undefined): void {
  const { reads = [], resumeFrom } = source ?? {};
  const { addresses, at, positions } = ledger ?? {};
  if (addresses === undefined || resumeFrom === undefined || resumeFrom !== positions) return;
  const other = reads.find((read) => !read.addresses.some((one) => addresses.includes(one)));
  if (other === undefined) return;
  throw invalid(
    `Expected the source of flow \`${flow}\` to read where the sink writes, got ${other.addresses.join(', ')} and \`resumeFrom\` for ` +
      `${at}. Leave \`resumeFrom\` out: from one cluster to another the flow is at least once.`,
  );
}

function invalid(message: string): OptionError {
  return new OptionError('RXF_FLOW_INVALID', message);
}
