import {
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  Observable,
  type Subscriber,
  Subscription,
  take,
  timer,
} from 'rxjs';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { ConnectError, describeError, SourceError, shortName } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import { guarded } from '../../lifecycle/guarded.js';
import type { FlumeBatch, FlumeListener, FlumeListening, FlumeRpcServer } from '../../ports/flume-rpc.js';
import { BatchAcker, type BatchAckerListener } from './batch-acker.js';
import { lateError } from './late-error.js';
import type { CheckedOptions } from './options.js';
import type { PendingBatch } from './pending-batch.js';

type Stage = 'running' | 'draining' | 'closing' | 'over';

/** How often it looks whether its holders must be asked, in milliseconds. */
const LOOK_EVERY_MS = 100;

/** Offsets begin at the time in microseconds, so that those of a later subscription are above those of an earlier one. */
const OFFSETS_A_MS = 1_000;

/**
 * One subscription of a Flume source: from listening to closing.
 *
 * Bounds: events out are within the window, plus one; while it is full the server receives nothing, so what waits here
 * is what one reading brought.
 */
export class FlumeSession implements FlumeListener, BatchAckerListener {
  readonly #server: FlumeRpcServer;
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<Delivery<FlumeEvent>>;
  readonly #window: InFlightWindow;
  readonly #acker: BatchAcker;
  readonly #timers = new Subscription();
  readonly #metrics;
  #connection: Subscription | undefined;
  #listening: FlumeListening | undefined;
  #waiting: FlumeBatch[] = [];
  /** The batch that is out in part. */
  #current: PendingBatch | undefined;
  #looking: Subscription | undefined;
  #drained: (() => void) | undefined;
  #isEmitting = false;
  #isPaused = false;
  #hasReleased = false;
  #stage: Stage = 'running';
  #refusal: SourceError | undefined;

  constructor(server: FlumeRpcServer, options: CheckedOptions, out: Subscriber<Delivery<FlumeEvent>>) {
    this.#server = server;
    this.#options = options;
    this.#out = out;
    const { monitor, name } = options;
    this.#window = new InFlightWindow(options.window);
    this.#acker = new BatchAcker(`flume:${name}`, timeOfDayMs() * OFFSETS_A_MS, this.#window, this);
    const labels = { source: 'flume', name };
    this.#metrics = {
      records: monitor.metric('rxflume_source_records_total', labels),
      bytes: monitor.metric('rxflume_source_bytes_total', labels),
      batches: monitor.metric('rxflume_source_batches_total', labels),
      acked: monitor.metric('rxflume_source_acked_total', labels),
      nacked: monitor.metric('rxflume_source_nacked_total', labels),
      unheard: monitor.metric('rxflume_source_unheard_total', labels),
      inFlight: monitor.metric('rxflume_source_in_flight', labels),
      inFlightBytes: monitor.metric('rxflume_source_in_flight_bytes', labels),
      joined: monitor.metric('rxflume_source_joined', labels),
      clients: monitor.metric('rxflume_source_clients', labels),
    };
  }

  start(stop$: Observable<unknown>): Subscription {
    const stopped$ = stop$.pipe(take(1));
    this.#timers.add(stopped$.subscribe({ next: () => this.#drain(), error: (error: unknown) => this.#fail(error) }));
    this.#timers.add(() => this.#end());
    if (this.#stage !== 'running') return this.#timers;
    this.#connection = new Subscription();
    this.#connection.add(
      defer(() => this.#server.listen(this)).subscribe({
        next: (listening) => this.#listens(listening),
        error: (error: unknown) => this.#fail(error),
        complete: () => this.#serverCompleted(),
      }),
    );
    return this.#timers;
  }

  // What the server calls.

  batch(batch: FlumeBatch): void {
    if (this.#stage !== 'running') {
      batch.reply('FAILED');
      return;
    }
    this.#metrics.batches.add(1);
    this.#metrics.records.add(batch.events.length);
    this.#metrics.bytes.add(batch.byteLength);
    this.#waiting.push(batch);
    this.#emit();
  }

  clients(count: number): void {
    this.#metrics.clients.set(count);
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.logEvent(level, what, message);
  }

  // What the account calls.

  acked(batch: PendingBatch): void {
    this.#metrics.acked.add(batch.count);
    if (!batch.reply('OK')) this.#metrics.unheard.add(batch.count);
    this.#answered();
  }

  nacked(batch: PendingBatch, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(batch.count);
    batch.reply('FAILED');
    if (this.#current === batch) this.#current = undefined;
    const what =
      `The batch of ${batch.count} events that ${batch.client} sent was refused at offset ${offset} ` +
      `(${describeError(cause)})`;
    if (this.#stage === 'running') {
      this.#options.monitor.report({
        what: 'RXF_SOURCE_NACKED',
        about: batch.client,
        message: `${what}; it was told so, and sends it again.`,
        addition: `${batch.client} sends ${batch.count} events again, because of ${shortName(cause)}.`,
        cause,
      });
    } else {
      const message = `${what} during the drain. Its client sends it again.`;
      this.#refusal ??= new SourceError('RXF_SOURCE_NACKED', message, { cause });
    }
    this.#answered();
  }

  released(): void {
    this.#hasReleased = true;
    this.#emit();
  }

  // Emitting.

  #emit(): void {
    if (this.#isEmitting) return;
    this.#isEmitting = true;
    while (this.#stage === 'running' && !this.#window.isFull) {
      this.#current ??= this.#nextBatch();
      if (this.#current === undefined) break;
      const delivery = this.#acker.take(this.#current);
      if (this.#current.isWhole) this.#current = undefined;
      this.#out.next(delivery);
    }
    this.#isEmitting = false;
    this.#metrics.inFlight.set(this.#window.count);
    this.#metrics.inFlightBytes.set(this.#window.bytes);
    this.#setPause();
    this.#watch();
  }

  #nextBatch(): PendingBatch | undefined {
    const batch = this.#waiting.shift();
    if (batch === undefined) return undefined;
    return this.#acker.begin(batch, monotonicMs() + this.#options.settleAfterMs);
  }

  #setPause(): void {
    const isHeldBack = this.#waiting.length > 0 || this.#current !== undefined;
    if (this.#stage !== 'running' || isHeldBack === this.#isPaused) return;
    this.#isPaused = isHeldBack;
    if (isHeldBack) this.#listening?.pause();
    else this.#listening?.resume();
  }

  // Asking.

  /** Looks from time to time, as long as a batch is unanswered. */
  #watch(): void {
    if (this.#looking !== undefined || this.#stage === 'over' || this.#acker.open.length === 0) return;
    const everyMs = Math.min(LOOK_EVERY_MS, this.#options.settleAfterMs);
    this.#hasReleased = false;
    this.#looking = timer(everyMs, everyMs).subscribe(() => this.#look());
  }

  #look(): void {
    const { open } = this.#acker;
    const now = monotonicMs();
    if (open.length === 0) this.#stopLooking();
    else if (this.#stage !== 'running' || open.some(({ askAt }) => askAt <= now)) this.#askToSettle(now);
    else if (this.#window.isFull && !this.#hasReleased) this.#acker.flush$.next('release');
    this.#hasReleased = false;
  }

  #askToSettle(now: number): void {
    for (const pending of this.#acker.open) pending.askAt = now + this.#options.settleAfterMs;
    this.#acker.flush$.next('settle');
  }

  #stopLooking(): void {
    this.#looking?.unsubscribe();
    this.#looking = undefined;
  }

  #answered(): void {
    if (this.#acker.open.length === 0) this.#drained?.();
  }

  // Ways out.

  #listens(listening: FlumeListening): void {
    this.#listening = listening;
    this.#metrics.joined.set(1);
    this.logEvent('info', 'flume.listening', `Listening for Flume at ${listening.address}.`);
    if (this.#isPaused) listening.pause();
  }

  /** Takes no more, awaits what is out, answers it, closes; then completes, or fails. */
  #drain(): void {
    if (this.#stage !== 'running') return;
    this.#stage = 'draining';
    this.#listening?.pause();
    for (const batch of this.#waiting.splice(0)) batch.reply('FAILED');
    if (this.#current !== undefined) {
      // Its client brings all of it again, whatever becomes of the part that is out.
      this.#acker.drop(this.#current);
      this.#current.reply('FAILED');
      this.#current = undefined;
    }
    const steps$ = concat(
      this.#settled(),
      defer(() => {
        this.#stage = 'closing';
        // Whatever becomes of it: all that is out is answered.
        return guarded(
          () => this.#listening?.close() ?? [],
          this.#options.drainTimeoutMs,
          () => undefined,
        ).pipe(
          catchError(() => EMPTY),
          ignoreElements(),
        );
      }),
    );
    this.#timers.add(
      steps$.subscribe({
        complete: () => {
          const refusal = this.#refusal;
          this.#end();
          if (refusal === undefined) this.#out.complete();
          else this.#out.error(refusal);
        },
      }),
    );
  }

  /** Completes when every batch that is out is answered; those that are not in time are answered with `FAILED`. */
  #settled(): Observable<never> {
    return new Observable((subscriber) => {
      this.#drained = () => subscriber.complete();
      const { drainTimeoutMs } = this.#options;
      subscriber.add(
        timer(drainTimeoutMs).subscribe(() => {
          this.#refusal ??= lateError(this.#acker.open, drainTimeoutMs);
          for (const pending of [...this.#acker.open]) {
            this.#acker.drop(pending);
            pending.reply('FAILED');
          }
          subscriber.complete();
        }),
      );
      this.#askToSettle(monotonicMs());
      this.#answered();
      this.#watch();
    });
  }

  #serverCompleted(): void {
    if (this.#stage !== 'running') return;
    const error = new ConnectError(
      'RXF_FLUME_LISTEN',
      `${this.#server.name} stopped listening by itself. Subscribe again.`,
    );
    this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#stage === 'over') return;
    this.#end();
    this.#out.error(error);
  }

  #end(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#stopLooking();
    this.#acker.end();
    this.#waiting = [];
    this.#current = undefined;
    this.#metrics.joined.set(0);
    this.#metrics.clients.set(0);
    this.#connection?.unsubscribe();
    this.#timers.unsubscribe();
  }
}
