import type { Observable } from 'rxjs';
import type { Location } from '../core/location.js';
import type { Delivery } from './delivery.js';
import type { SinkTraits } from './traits.js';

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

/** The last operator of a flow: takes deliveries, settles each, emits a receipt for what it made durable. */
export interface Sink<in T> extends SinkTraits {
  (deliveries: Observable<Delivery<T>>): Observable<Receipt>;
  /** The same sink, which nacks what would go to one of these: where the value decides where it goes. */
  readonly avoiding?: (locations: readonly Location[]) => Sink<T>;
}
