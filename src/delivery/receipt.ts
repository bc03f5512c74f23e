import type { Observable } from 'rxjs';
import type { Location } from '../core/location.js';
import type { OffsetStore } from '../offsets/offset-store.js';
import type { Delivery } from './delivery.js';
import type { SourceTraits } from './source.js';

/** What a sink made durable. Emitted after the deliveries behind it were acked. */
export interface Receipt {
  /** Which kind of sink, such as `files`. */
  readonly sink: string;
  /** The durable thing: a path, a topic and offset. */
  readonly target: string;
  /** How many values it holds. */
  readonly values: number;
  /** Its stored size in bytes. */
  readonly bytes: number;
  /** The stream and the first and last offset behind it. */
  readonly stream: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** A ledger that a sink keeps for streams that are taken up from it. */
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
  /** Where it writes to, where that is known before. */
  readonly writes?: readonly Location[];
  /** What the user should know of this sink behind that source, though it runs: a sentence each, with what to do. */
  readonly warningsFor?: (source: SourceTraits | undefined) => readonly string[];
}

/** The last operator of a flow: takes deliveries, settles each, emits a receipt for what it made durable. */
export interface Sink<in T> extends SinkTraits {
  (deliveries: Observable<Delivery<T>>): Observable<Receipt>;
  /** The same sink, which refuses what would go to one of these: where the value decides where it goes. */
  readonly avoiding?: (locations: readonly Location[]) => Sink<T>;
}
