import { Observable } from 'rxjs';
import type { Delivery } from '../delivery/delivery.js';
import type { Receipt } from '../delivery/receipt.js';
import { subscribeOrdered } from './subscribe-ordered.js';

/** What one subscription of a sink does with its deliveries. */
export interface SinkSession<T> {
  /** Settles the delivery, now or later. */
  take(delivery: Delivery<T>): void;
  /** No more deliveries come: hands over what is gathered. */
  flush(): void;
  /** Whether all that was taken is settled. */
  readonly isIdle: boolean;
  /** What is to be done before the sink completes, once it is idle; called once. Default: nothing. */
  close?(): Observable<unknown>;
  /** The sink was left, or is over: nacks what is not settled, and frees what it uses. Nothing is taken after that. */
  end(): void;
}

/** What a session may do with the Observable that it serves. */
export interface SinkLifecycle {
  /** Whether no more deliveries come. */
  readonly isComplete: boolean;
  receipt(receipt: Receipt): void;
  /** Completes the sink where no more deliveries come and the session is idle. To be called whenever it may have become so. */
  completeIfIdle(): void;
}

/**
 * A sink as an Observable: begins a session at each subscription, gives it the deliveries, emits its receipts, and completes
 * when the deliveries have and the session is idle.
 *
 * Settles: by the session. When the sink is left, the deliveries are left first, then the session ends: what it nacks would
 * free a window, and more would come.
 * Fails: as the deliveries do.
 */
export function sinkLifecycle<T>(
  deliveries: Observable<Delivery<T>>,
  begin: (lifecycle: SinkLifecycle) => SinkSession<T>,
): Observable<Receipt> {
  return new Observable((subscriber) => {
    let isComplete = false;
    let isClosing = false;
    const lifecycle: SinkLifecycle = {
      get isComplete() {
        return isComplete;
      },
      receipt: (receipt) => subscriber.next(receipt),
      completeIfIdle: () => {
        if (!isComplete || isClosing || subscriber.closed || !session.isIdle) return;
        isClosing = true;
        const complete = () => subscriber.complete();
        if (session.close === undefined) complete();
        else subscriber.add(session.close().subscribe({ complete }));
      },
    };
    const session = begin(lifecycle);
    subscribeOrdered(subscriber, () => session.end())(deliveries, {
      next: (delivery) => session.take(delivery),
      error: (error) => subscriber.error(error),
      complete: () => {
        isComplete = true;
        session.flush();
        lifecycle.completeIfIdle();
      },
    });
  });
}
