import { type LedgerTrait, ledgerTraitOf } from '../delivery/delivery-operator.js';
import type { SinkLedger, SourceTraits } from '../delivery/traits.js';

/** How often each value may be in what a flow's sink made durable, and why: one clause a reason. */
export interface Guarantee {
  readonly level: 'exactly-once' | 'at-least-once' | 'at-most-once';
  readonly because: readonly string[];
}

/** The parts of a flow that decide it. */
export interface GuaranteeParts {
  /** What the source says of itself; undefined where it says nothing. */
  readonly source: SourceTraits | undefined;
  /** The ledger of the sink that the flow ends in. */
  readonly ledger: SinkLedger | undefined;
  /** The name of the sink that the flow ends in, where it has one. */
  readonly sink?: string;
  /** What is between the two, in order. */
  readonly operators?: readonly OperatorPart[];
}

/** An operator as far as it decides a guarantee. */
export interface OperatorPart {
  /** Empty where it has none. */
  readonly name: string;
  /** What it says of itself; undefined where it says nothing. */
  readonly ledger: LedgerTrait | undefined;
}

/** The operator as it says itself. */
export function operatorPart(operator: { readonly name: string }): OperatorPart {
  return { name: operator.name, ledger: ledgerTraitOf(operator) };
}

/**
 * Tells from the parts of a flow what it guarantees. Exactly once takes a source that can be read again and that
 * resumes from the ledger of the very sink it ends in, and between the two only operators that keep it; a reason against it says what
 * to do. An operator that is `trusted` is taken at its word.
 */
export function guaranteeOf({ source, ledger, sink, operators = [] }: GuaranteeParts): Guarantee {
  if (source?.lossBecause !== undefined) {
    return {
      level: 'at-most-once',
      because: [`${source.lossBecause}: what is unsettled when the program ends is lost`],
    };
  }
  const against = [
    ...againstSource(source),
    ...operators.flatMap(againstOperator),
    ...againstSink(ledger, sink),
    ...againstPair(source, ledger),
  ];
  if (against.length > 0) return { level: 'at-least-once', because: against };
  return {
    level: 'exactly-once',
    because: [
      `${source?.name} can be read again, and resumes from the ledger of the sink the flow ends in (${ledger?.at})`,
      ...(ledger?.condition === undefined ? [] : [ledger.condition]),
      'dead letters, where `decode` sets any aside, are at least once',
    ],
  };
}

function againstSource(source: SourceTraits | undefined): string[] {
  if (source === undefined) {
    return ['the source does not say that it can be read again; only one such as kafkaSource(…) by itself does'];
  }
  if (source.isReplayable) return [];
  if (source.repeatsBecause !== undefined) return [source.repeatsBecause];
  return [
    `${source.name} cannot be read again, so what was unsettled when the program ended may be delivered twice, in another order`,
  ];
}

function againstOperator({ name, ledger }: OperatorPart, at: number): string[] {
  if (ledger === 'kept') return [];
  if (ledger !== undefined) return [ledger.because];
  return [
    `operator ${at + 1}${name === '' ? '' : ` (\`${name}\`)`} does not say what it does with deliveries; put trusted(…) around one that ` +
      'passes each on once',
  ];
}

function againstSink(ledger: SinkLedger | undefined, sink: string | undefined): string[] {
  if (ledger !== undefined) return [];
  if (sink === 'tee' || sink === 'routeBy') {
    return [
      `the flow ends in \`${sink}\`, whose sinks are not examined; a file sink among them that the source resumes from still ` +
        'stores each value that it gets once',
    ];
  }
  if (sink === 'transmit') {
    return [
      'the flow ends in `transmit`, which keeps no ledger; let the flow end in `write()` of a file sink or a Kafka sink, or write so that a repeated value does no harm',
    ];
  }
  return [
    'the sink keeps no ledger that can be seen here; let the flow end in `write()` of a file sink or a Kafka sink itself, without a function around it',
  ];
}

function againstPair(source: SourceTraits | undefined, ledger: SinkLedger | undefined): string[] {
  if (source === undefined || !source.isReplayable || ledger === undefined) return [];
  const { name, resumeFrom } = source;
  if (resumeFrom === undefined) {
    return [
      `${name} resumes from the committed offsets, not from the sink's ledger; give it \`resumeFrom: lake.offsetStore\`, ` +
        'where `lake` is the sink the flow ends in',
    ];
  }
  if (resumeFrom === ledger.offsetStore) return [];
  return [
    `${name} resumes from a function other than the offset store of the sink the flow ends in; give it \`resumeFrom: ` +
      'lake.offsetStore` itself, where `lake` is that sink',
  ];
}
