import {
  catchError,
  from,
  type Observable,
  type OperatorFunction,
  of,
  Observable as Rx,
  type Subscriber,
  Subscription,
  take,
  timer,
} from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import { withCause } from '../core/monitor.js';
import { within } from '../lifecycle/time-limit.js';
import type { AlertEvent } from './alert.js';
import { AlertBook } from './alert-book.js';
import { type CheckedOptions, checkOptions, type NotifyOptions } from './notify-options.js';
import { type NotificationResult, Outbox } from './outbox.js';
import type { Receiver } from './receiver.js';
import { restore, saved } from './saved-state.js';

/**
 * Reports alerts to receivers: grouped, without repeating what they know, silenced by labels, tried again with backoff, each receiver on its
 * own. Emits what became of each notification. Alerts that a rule has no data of go on firing.
 *
 * ```ts
 * import { alerts, builtInAlerts, fileState, flowSnapshots, logReceiver, notify, webhookReceiver } from 'rxflume/alerts';
 *
 * alerts(flowSnapshots(), builtInAlerts())
 *   .pipe(
 *     notify({
 *       receivers: [logReceiver(), webhookReceiver({ url: 'https://oncall.example/hook' })],
 *       silences: [{ matchers: { flow: 'trial' }, until: new Date('2027-01-01') }],
 *       state: fileState('/var/lib/rxflume/alerts.json'),
 *     }),
 *   )
 *   .subscribe();
 * ```
 *
 * Shape: completes when the alerts have, and the receivers know of them, or after `drainTimeoutMs`.
 * Bounds: 10,000 alerts; for each receiver one request and the newest notification of 100 groups; 10,000 alerts while the
 * state is loaded.
 * Fails: `OptionError` at the call; as the alerts do. Never because of a receiver or the state: both are logged.
 */
export function notify(options: NotifyOptions): OperatorFunction<AlertEvent, NotificationResult> {
  const checked = checkOptions(options);
  return (events$) => new Rx((subscriber) => new Notifying(checked, subscriber).start(events$));
}

const MAX_EARLY = 10_000;
const LOAD_TIMEOUT_MS = 10_000;
const SAVE_TIMEOUT_MS = 30_000;
const DRAIN_LOOK_MS = 50;

/** One subscription. */
class Notifying {
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<NotificationResult>;
  readonly #book: AlertBook;
  readonly #outboxes: readonly Outbox[];
  /** When each group is looked at next. */
  readonly #flushAt = new Map<string, number>();
  #early: AlertEvent[] | undefined = [];
  #ticking: Subscription | undefined;
  #isChanged = false;
  #isSaving = false;
  #isComplete = false;

  constructor(options: CheckedOptions, out: Subscriber<NotificationResult>) {
    this.#options = options;
    this.#out = out;
    this.#book = new AlertBook(options.groupBy);
    const { retry, sendTimeoutMs, monitor } = options;
    this.#outboxes = options.receivers.map((receiver) => new Outbox(receiver, { retry, sendTimeoutMs, monitor }));
  }

  start(events$: Observable<AlertEvent>): void {
    const life = new Subscription();
    life.add(() => {
      this.#ticking?.unsubscribe();
      for (const outbox of this.#outboxes) outbox.end();
    });
    const { monitor } = this.#options;
    const gauge = () => [{ name: 'rxflume_alerts_firing', labels: {}, value: this.#book.firing }];
    life.add(monitor.collect(gauge));
    for (const outbox of this.#outboxes)
      life.add(outbox.results$.subscribe((result) => this.#noted(outbox.receiver, result)));
    this.#out.add(life);
    life.add(this.#loaded().subscribe((text) => this.#begin(text)));
    life.add(
      events$.subscribe({
        next: (event) => this.#take(event),
        error: (error: unknown) => this.#out.error(error),
        complete: () => {
          this.#isComplete = true;
          if (this.#early === undefined) this.#drain();
        },
      }),
    );
    for (const { receiver } of this.#outboxes) {
      const { resendIntervalMs } = receiver;
      if (resendIntervalMs !== undefined)
        life.add(timer(resendIntervalMs, resendIntervalMs).subscribe(() => this.#resend()));
    }
  }

  #loaded(): Observable<string | null> {
    const { state, monitor } = this.#options;
    if (state === undefined) return of(null);
    const late = () => new Error(`no answer within ${LOAD_TIMEOUT_MS} ms`);
    return from(state.load()).pipe(
      within(LOAD_TIMEOUT_MS, late),
      take(1),
      catchError((error: unknown) => {
        monitor.report({ what: 'alerts.state', about: state.name, ...withCause(startsFresh(state.name), error) });
        return of(null);
      }),
    );
  }

  #begin(text: string | null): void {
    const { state, monitor } = this.#options;
    if (text !== null) {
      try {
        restore(this.#book, text, this.#moment());
      } catch (error) {
        monitor.report({
          what: 'alerts.state',
          about: state?.name ?? '',
          ...withCause(startsFresh(state?.name ?? ''), error),
        });
      }
      for (const key of this.#book.groups()) this.#flushAt.set(key, monotonicMs() + this.#options.groupWaitMs);
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.#take(event);
    this.#tick();
    if (this.#isComplete) this.#drain();
  }

  #take(event: AlertEvent): void {
    if (this.#early !== undefined) {
      if (this.#early.length < MAX_EARLY) this.#early.push(event);
      return;
    }
    const changed = this.#book.take(event, monotonicMs());
    if (changed === undefined) return;
    if (!this.#flushAt.has(changed)) this.#flushAt.set(changed, monotonicMs() + this.#options.groupWaitMs);
    this.#resend();
    this.#save();
    this.#tick();
  }

  /** Looks at the groups that are due, and again when the next one is. */
  #tick(): void {
    this.#ticking?.unsubscribe();
    const now = monotonicMs();
    for (const [key, at] of this.#flushAt) if (at <= now) this.#flush(key, now);
    if (this.#flushAt.size === 0) return;
    const next = Math.min(...this.#flushAt.values());
    this.#ticking = timer(Math.max(1, next - now)).subscribe(() => this.#tick());
  }

  #flush(key: string, now: number): void {
    const { repeatIntervalMs, groupIntervalMs, silences, monitor } = this.#options;
    for (const labels of this.#book.sweep(now)) {
      const message = `Alert ${labels.alertname} of an earlier run is forgotten: no rule has mentioned it for an hour.`;
      monitor.logEvent('warn', 'alerts.orphan', message, { labels });
    }
    const when = { now, date: timeOfDayMs(), repeatIntervalMs };
    if (!this.#book.groups().has(key)) {
      this.#flushAt.delete(key);
      this.#save();
      return;
    }
    this.#flushAt.set(key, now + groupIntervalMs);
    for (const outbox of this.#outboxes) {
      if (outbox.receiver.resendIntervalMs !== undefined) continue;
      const news = this.#book.news(outbox.receiver, key, when, silences);
      if (news !== undefined && !outbox.has(news)) outbox.put(news);
    }
  }

  #resend(): void {
    for (const outbox of this.#outboxes) {
      if (outbox.receiver.resendIntervalMs === undefined) continue;
      const all = this.#book.everything(this.#options.silences, timeOfDayMs());
      if (all !== undefined) outbox.put(all);
    }
  }

  #noted(receiver: Receiver, one: NotificationResult): void {
    const { result, notification } = one;
    this.#options.monitor.metric('rxflume_alert_notifications_total', { receiver: receiver.name, result }).add(1);
    if (result === 'sent' && receiver.resendIntervalMs === undefined) {
      this.#book.accepted(receiver, notification, monotonicMs());
      this.#save();
    }
    this.#out.next(one);
  }

  /** One save at a time; what changes meanwhile is saved next. */
  #save(): void {
    const { state, monitor } = this.#options;
    this.#isChanged = true;
    if (state === undefined || this.#isSaving) return;
    this.#isSaving = true;
    this.#isChanged = false;
    const late = () => new Error(`no answer within ${SAVE_TIMEOUT_MS} ms`);
    const done = () => {
      this.#isSaving = false;
      if (this.#isChanged) this.#save();
    };
    from(state.save(saved(this.#book, this.#moment())))
      .pipe(within(SAVE_TIMEOUT_MS, late))
      .subscribe({
        error: (error: unknown) => {
          const text = `Cannot save the state of alerts in ${state.name}; after a restart some are notified again`;
          monitor.report({ what: 'alerts.state', about: state.name, ...withCause(text, error) });
          this.#isSaving = false;
        },
        complete: done,
      });
  }

  /** Reports to receivers what they do not know yet, and completes when they do, or it took too long. */
  #drain(): void {
    const now = monotonicMs();
    for (const key of [...this.#flushAt.keys()]) this.#flush(key, now);
    this.#ticking?.unsubscribe();
    const isDone = () => this.#outboxes.every((outbox) => outbox.isIdle) && !this.#isSaving;
    const looking = timer(0, DRAIN_LOOK_MS).subscribe(() => {
      if (isDone() || monotonicMs() - now >= this.#options.drainTimeoutMs) this.#out.complete();
    });
    this.#out.add(looking);
  }

  #moment() {
    return { now: monotonicMs(), date: timeOfDayMs() };
  }
}

function startsFresh(name: string): string {
  return `Cannot read the state of alerts in ${name || 'the store'}: starting without it, so what still fires is notified again`;
}
