import { defer, from, type Observable, Subject, type Subscription, timer } from 'rxjs';
import { type BackoffOptions, backoffMs } from '../backpressure/backoff.js';
import { describeError, isRetryable, RxflumeError, SinkError } from '../core/errors.js';
import type { Monitor } from '../core/monitor.js';
import { withoutSecrets } from '../core/secrets.js';
import { within } from '../lifecycle/time-limit.js';
import type { Notification, Receiver } from './receiver.js';

/** What became of a notification. */
export interface NotificationResult {
  readonly receiver: string;
  readonly notification: Notification;
  /** `dropped`: others took its place in the queue. */
  readonly result: 'sent' | 'failed' | 'dropped';
  readonly error?: unknown;
}

export interface OutboxRules {
  readonly retry: Required<BackoffOptions> & { readonly maxAttempts: number };
  readonly sendTimeoutMs: number;
  readonly monitor: Monitor;
}

interface Sending {
  readonly notification: Notification;
  attempts: number;
  life: Subscription | undefined;
}

/** Groups that may wait for one receiver. */
const MAX_QUEUED = 100;

/**
 * Sends notifications to one receiver, one after the other, each again until it is accepted, has failed for good, or a newer one of its
 * group waits.
 *
 * Bounds: the newest notification of each of 100 groups; one request.
 */
export class Outbox {
  readonly receiver: Receiver;
  readonly #rules: OutboxRules;
  readonly #queue = new Map<string, Notification>();
  readonly #results$ = new Subject<NotificationResult>();
  readonly results$: Observable<NotificationResult> = this.#results$.asObservable();
  #sending: Sending | undefined;
  #isFailing = false;
  /** Whether what is sent waits to be tried again. */
  #isWaiting = false;

  constructor(receiver: Receiver, rules: OutboxRules) {
    this.receiver = receiver;
    this.#rules = rules;
  }

  get isIdle(): boolean {
    return this.#sending === undefined && this.#queue.size === 0;
  }

  /** Whether the same alerts of a group are on their way already. */
  has({ groupKey, alerts }: Notification): boolean {
    const known = this.#queue.get(groupKey) ?? this.#sending?.notification;
    if (known === undefined || known.groupKey !== groupKey) return false;
    const text = (list: Notification['alerts']) => list.map(({ fingerprint, status }) => fingerprint + status).join();
    return text(known.alerts) === text(alerts);
  }

  put(notification: Notification): void {
    const { groupKey } = notification;
    if (!this.#queue.has(groupKey) && this.#queue.size >= MAX_QUEUED) {
      const [oldest] = this.#queue.entries().next().value as [string, Notification];
      this.#drop(oldest);
    }
    this.#queue.set(groupKey, notification);
    // What waits to be tried again is out of date now.
    if (this.#sending?.notification.groupKey === groupKey && this.#sending.attempts > 0 && this.#isWaiting) this.#end();
    this.#next();
  }

  end(): void {
    this.#sending?.life?.unsubscribe();
    this.#queue.clear();
  }

  #drop(groupKey: string): void {
    const notification = this.#queue.get(groupKey) as Notification;
    this.#queue.delete(groupKey);
    const { monitor } = this.#rules;
    const message = `Receiver ${this.receiver.name} is too slow: ${MAX_QUEUED} groups wait, and the oldest was dropped. It is sent at its next interval.`;
    monitor.report({ what: 'alerts.dropped', about: this.receiver.name, message, cause: new Error(message) });
    this.#results$.next({ receiver: this.receiver.name, notification, result: 'dropped' });
  }

  #next(): void {
    if (this.#sending !== undefined) return;
    const [first] = this.#queue.entries();
    if (first === undefined) return;
    this.#queue.delete(first[0]);
    this.#sending = { notification: first[1], attempts: 0, life: undefined };
    this.#try();
  }

  #end(): void {
    this.#sending?.life?.unsubscribe();
    this.#sending = undefined;
    this.#isWaiting = false;
  }

  #try(): void {
    const sending = this.#sending as Sending;
    const { receiver } = this;
    const { sendTimeoutMs } = this.#rules;
    sending.attempts += 1;
    this.#isWaiting = false;
    const late = () =>
      new SinkError(
        'RXF_ALERT_SEND',
        `Receiver ${receiver.name} did not take alerts within ${sendTimeoutMs} ms. They are sent again.`,
      );
    const life = defer(() => from(receiver.send(sending.notification)))
      .pipe(within(sendTimeoutMs, late))
      .subscribe({
        error: (error: unknown) => this.#failed(sending, error),
        complete: () => this.#sent(sending.notification),
      });
    if (!life.closed) sending.life = life;
  }

  #sent(notification: Notification): void {
    const { receiver } = this;
    if (this.#isFailing) {
      this.#isFailing = false;
      this.#rules.monitor.logEvent('info', 'alerts.resumed', `Receiver ${receiver.name} accepts alerts again.`);
    }
    this.#end();
    this.#results$.next({ receiver: receiver.name, notification, result: 'sent' });
    this.#next();
  }

  #failed(sending: Sending, error: unknown): void {
    const { retry, monitor } = this.#rules;
    const { receiver } = this;
    const { notification, attempts } = sending;
    this.#isFailing = true;
    const what = error instanceof RxflumeError ? error.code : 'RXF_ALERT_SEND';
    const message = `Receiver ${receiver.name} did not accept ${notification.alerts.length} alerts: ${withoutSecrets(describeError(error))}.`;
    monitor.report({ what, about: receiver.name, message, cause: error });
    const isNewer = this.#queue.has(notification.groupKey);
    // An error that is none of ours says nothing of whether it may pass.
    const mayPass = !(error instanceof RxflumeError) || isRetryable(error);
    if (mayPass && attempts < retry.maxAttempts && !isNewer) {
      this.#isWaiting = true;
      sending.life = timer(backoffMs(attempts, retry)).subscribe(() => this.#try());
      return;
    }
    this.#end();
    this.#results$.next({ receiver: receiver.name, notification, result: 'failed', error });
    this.#next();
  }
}
