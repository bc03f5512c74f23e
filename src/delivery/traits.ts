import type { Location } from '../core/location.js';
import type { OffsetStore } from '../offsets/offset-store.js';
import type { Probe } from './probe.js';
import type { SinkRehearsal, SourceRehearsal } from './rehearsal.js';

/** What a source says of itself, for what a flow can guarantee. */
export interface SourceTraits {
  /** Which kind of source, as it is called: `kafkaSource`. */
  readonly name: string;
  /** Whether its streams can be read again from an offset, in the same order. */
  readonly isReplayable: boolean;
  /** Where it cannot be read again: why values are stored twice, as a clause, if that is not for what was unsettled. */
  readonly repeatsBecause?: string;
  /**
   * Why what was unsettled when the program ended is lost, as a clause; left out where it is redelivered. The flow is then at
   * most once.
   */
  readonly lossBecause?: string;
  /** Whether processes that run the same flow divide its input among them; left out where each would read all, or only one can. */
  readonly isShared?: boolean;
  /** What it asks where to resume. */
  readonly resumeFrom?: OffsetStore | undefined;
  /** What it reads from, so that a sink that writes to the same is found. */
  readonly reads?: readonly Location[];
  /** How a plan measures it; left out where it cannot. */
  readonly rehearsal?: SourceRehearsal;
  /** How `rxflume doctor` looks at what it reads from; left out where it cannot. */
  readonly probe?: Probe;
  /** What the user should know of this source before that sink, though it runs: a sentence each, with what to do. */
  readonly warningsFor?: (sink: SinkTraits) => readonly string[];
}

/** A ledger that a sink keeps for streams that are resumed from it. */
export interface SinkLedger {
  readonly offsetStore: OffsetStore;
  /** Where it is, for messages. */
  readonly at: string;
  /** Where the source must read from, where the ledger can only be kept in the source's own system. */
  readonly addresses?: readonly string[];
  /** What readers must keep to, to see each value once. */
  readonly condition?: string;
}

/** What a sink says of itself. */
export interface SinkTraits {
  /** Which kind of sink, such as `files`; that of its receipts. */
  readonly kind?: string;
  readonly ledger?: SinkLedger;
  /** How a plan measures it; left out where it cannot. */
  readonly rehearsal?: SinkRehearsal;
  /** How `rxflume doctor` looks at where it writes to; left out where it cannot. */
  readonly probe?: Probe;
  /** Where it writes to, where that is known before. */
  readonly writes?: readonly Location[];
  /** What the user should know of this sink behind that source, though it runs: a sentence each, with what to do. */
  readonly warningsFor?: (source: SourceTraits | undefined) => readonly string[];
}
