import { defer, type Observable, type Subscriber, type Subscription, timer } from 'rxjs';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { ConnectError, describeError, SourceError, shortName } from '../../core/errors.js';
import { flowSources } from '../../core/flow-scope.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { FlumeBatch, FlumeListener, FlumeListening, FlumeRpcServer } from '../../ports/flume-rpc.js';
import { BatchAcker, type BatchAckerListener, timestampOf } from './batch-acker.js';
import { FlumeGauges, type FlumeState, metricsOf } from './gauges.js';
import type { CheckedOptions } from './options.js';
import type { PendingBatch } from './pending-batch.js';

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
export class FlumeSession implements FlumeListener, BatchAckerListener, SourceEnding {
  readonly #sources = flowSources();
  readonly #leaveFlow: () => void;
  readonly #server: FlumeRpcServer;
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<Delivery<FlumeEvent>>;
  readonly #window: InFlightWindow;
  readonly #acker: BatchAcker;
  readonly #lifecycle: SourceLifecycle;
  readonly #settling = new Settling(() => this.#acker.open.length === 0);
  readonly #metrics;
  readonly #gauges: FlumeGauges;
  #listening: FlumeListening | undefined;
  #waiting: ArrivedBatch[] = [];
  /** The batch that is out in part. */
  #current: PendingBatch | undefined;
  #looking: Subscription | undefined;
  #isEmitting = false;
  #isPaused = false;
  #hasReleased = false;
  #acked = 0;
  /** Since the last nack. */
  #handedOver = 0;

  constructor(server: FlumeRpcServer, options: CheckedOptions, out: Subscriber<Delivery<FlumeEvent>>) {
    this.#server = server;
    this.#options = options;
    this.#out = out;
    this.#lifecycle = new SourceLifecycle(out, this);
    const { monitor, name } = options;
    this.#window = new InFlightWindow(options.window);
    this.#acker = new BatchAcker(`flume:${name}`, timeOfDayMs() * OFFSETS_A_MS, this.#window, this);
    this.#metrics = metricsOf(monitor, name);
    this.#gauges = new FlumeGauges(this.#window, monitor, name, () => this.#state());
    this.#leaveFlow = this.#sources.add({
      pauseChanged: () => this.#rejectWaiting(),
      settle: () => this.#askToSettle(monotonicMs()),
      positions: () => [{ stream: `flume:${name}` }],
      locate: (stream, offset) => (stream === `flume:${name}` ? this.#acker.locate(offset) : undefined),
    });
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () =>
      defer(() => this.#server.listen(this)).subscribe({
        next: (listening) => this.#listens(listening),
        error: (error: unknown) => this.#lifecycle.fail(error),
        complete: () => this.#serverCompleted(),
      }),
    );
  }

  // What the server calls.

  batch(batch: FlumeBatch): void {
    // At once, so that its client keeps the batch, and may turn to another agent. One that waits would send it again, though it is read.
    if (!this.#lifecycle.isRunning || this.#sources.isPaused) {
      batch.reply('FAILED');
      return;
    }
    this.#metrics.batches.add(1);
    this.#metrics.records.add(batch.events.length);
    this.#metrics.bytes.add(batch.byteLength);
    this.#waiting.push({ batch, time: timeOf(batch) });
    this.#emit();
  }

  clients(count: number): void {
    this.#gauges.clients = count;
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.logEvent(level, what, message);
  }

  // What the account calls.

  acked(batch: PendingBatch): void {
    this.#metrics.acked.add(batch.count);
    this.#acked += batch.count;
    this.#metrics.age.observe((timeOfDayMs() - batch.time) / 1_000, batch.count);
    this.#metrics.settle.observe((monotonicMs() - batch.sentAt) / 1_000, batch.count);
    if (!batch.reply('OK')) this.#metrics.unheard.add(batch.count);
    this.#settling.look();
  }

  nacked(batch: PendingBatch, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(batch.count);
    // What its client sends again is handed over again.
    this.#handedOver = 0;
    batch.reply('FAILED');
    if (this.#current === batch) this.#current = undefined;
    const what =
      `The batch of ${batch.count} events that ${batch.client} sent was nacked at offset ${offset} ` +
      `(${describeError(cause)})`;
    if (this.#lifecycle.isRunning) {
      this.#options.monitor.report({
        what: 'RXF_SOURCE_NACKED',
        about: batch.client,
        message: `${what}; the client got FAILED, and sends it again.`,
        addition: `${batch.client} sends ${batch.count} events again, because of ${shortName(cause)}.`,
        cause,
      });
    } else {
      const message = `${what} during the drain. Its client sends it again.`;
      this.#lifecycle.note(new SourceError('RXF_SOURCE_NACKED', message, { cause }));
    }
    this.#settling.look();
  }

  released(): void {
    this.#hasReleased = true;
    this.#emit();
  }

  handedOver(count: number): void {
    this.#handedOver += count;
  }

  #state(): FlumeState {
    const ofWaiting = this.#waiting.reduce((sum, { batch }) => sum + batch.events.length, 0);
    const { open } = this.#acker;
    const times = [...open.map(({ time }) => time), ...this.#waiting.map(({ time }) => time)];
    return {
      waiting: ofWaiting + (this.#current?.waiting ?? 0),
      unanswered: open.length,
      oldestTime: times.length === 0 ? undefined : Math.min(...times),
      acked: this.#acked,
      handedOver: this.#handedOver,
      isPaused: this.#sources.isPaused,
    };
  }

  // Emitting.

  #emit(): void {
    if (this.#isEmitting) return;
    this.#isEmitting = true;
    while (this.#lifecycle.isRunning && !this.#window.isFull) {
      this.#current ??= this.#nextBatch();
      if (this.#current === undefined) break;
      const delivery = this.#acker.take(this.#current);
      if (this.#current.isWhole) this.#current = undefined;
      this.#out.next(delivery);
    }
    this.#isEmitting = false;
    this.#gauges.windowChanged();
    this.#setPause();
    this.#watch();
  }

  #nextBatch(): PendingBatch | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    const sentAt = monotonicMs();
    return this.#acker.begin(next.batch, sentAt + this.#options.settleAfterMs, { time: next.time, sentAt });
  }

  #setPause(): void {
    const isHeldBack = this.#waiting.length > 0 || this.#current !== undefined;
    if (!this.#lifecycle.isRunning || isHeldBack === this.#isPaused) return;
    this.#isPaused = isHeldBack;
    if (isHeldBack) this.#listening?.pause();
    else this.#listening?.resume();
  }

  // Asking.

  /** Looks from time to time, as long as a batch is unanswered. */
  #watch(): void {
    if (this.#looking !== undefined || this.#acker.open.length === 0) return;
    const everyMs = Math.min(LOOK_EVERY_MS, this.#options.settleAfterMs);
    this.#hasReleased = false;
    this.#looking = timer(everyMs, everyMs).subscribe(() => this.#look());
  }

  #look(): void {
    const { open } = this.#acker;
    const now = monotonicMs();
    if (open.length === 0) this.#stopLooking();
    else if (!this.#lifecycle.isRunning || open.some(({ askAt }) => askAt <= now)) this.#askToSettle(now);
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

  #listens(listening: FlumeListening): void {
    this.#listening = listening;
    this.#gauges.isListening = true;
    this.logEvent('info', 'flume.listening', `Listening for Flume at ${listening.address}.`);
    if (this.#isPaused) listening.pause();
  }

  // What the lifecycle calls.

  /** Takes no more and awaits what is out; what is not settled in time is answered with `FAILED`. */
  drain(): Observable<never>[] {
    const { drainTimeoutMs } = this.#options;
    this.#listening?.pause();
    this.#rejectWaiting();
    // Its client brings all of it again, whatever becomes of the part that is out.
    if (this.#current !== undefined) this.#giveUp(this.#current);
    this.#current = undefined;
    this.#askToSettle(monotonicMs());
    this.#watch();
    return [
      this.#settling.within(drainTimeoutMs, () => lateError(this.#acker.open, drainTimeoutMs)),
      defer(() => {
        for (const pending of [...this.#acker.open]) this.#giveUp(pending);
        return [];
      }),
    ];
  }

  /** Of what has not gone out, where nothing more is to. */
  #rejectWaiting(): void {
    if (this.#lifecycle.isRunning && !this.#sources.isPaused) return;
    for (const { batch } of this.#waiting.splice(0)) batch.reply('FAILED');
    this.#setPause();
  }

  #giveUp(pending: PendingBatch): void {
    this.#acker.drop(pending);
    pending.reply('FAILED');
  }

  /** All that was out is answered, whatever becomes of it. */
  close(): Observable<unknown> {
    return guarded(
      () => this.#listening?.close() ?? [],
      this.#options.drainTimeoutMs,
      () => undefined,
    );
  }

  end(): void {
    this.#stopLooking();
    this.#acker.end();
    this.#waiting = [];
    this.#current = undefined;
    this.#gauges.end();
    this.#leaveFlow();
  }

  #serverCompleted(): void {
    if (!this.#lifecycle.isRunning) return;
    const message = `${this.#server.name} stopped listening by itself. Subscribe again.`;
    this.#lifecycle.fail(new ConnectError('RXF_FLUME_LISTEN', message));
  }
}

/** A batch that was received, and when it was made, in milliseconds since 1970. */
interface ArrivedBatch {
  readonly batch: FlumeBatch;
  readonly time: number;
}

/** The time of its first event, or now where that has none, or a later one. */
function timeOf({ events: [first] }: FlumeBatch): number {
  const now = timeOfDayMs();
  const time = timestampOf(first?.headers.timestamp) ?? now;
  return time > 0 ? Math.min(time, now) : now;
}

/** A drain whose time is over before these are settled. */
function lateError(open: readonly PendingBatch[], withinMs: number): SourceError {
  const count = open.reduce((sum, { count: of }) => sum + of, 0);
  return drainTimeoutError(`${count} events of ${open.length} batches`, withinMs, 'Their clients send them again.');
}
