import { defer, type Observable, type Subscriber, type Subscription } from 'rxjs';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { ConnectError, SourceError } from '../../core/errors.js';
import { flowSources } from '../../core/flow-scope.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { Listening, PausableListening } from '../../ports/listening.js';
import { ArrivedRequests } from './arrived-requests.js';
import { ListeningGauges, type ListeningState, metricsOf, streamOf } from './gauges.js';
import type { Intake, IntakeListener, Received } from './intake.js';
import type { CheckedListening } from './options.js';
import type { PendingRequest } from './pending-request.js';
import { lateError, lossReport, nackReport, nackText, timeOf } from './reports.js';
import { type Nack, RequestAcker, type RequestAckerListener } from './request-acker.js';
import { RequestWatch, type RequestWatchHost } from './request-watch.js';

/** Offsets begin at the time in microseconds, so that those of a later subscription are above those of an earlier one. */
const OFFSETS_A_MS = 1_000;

/**
 * One subscription of a source that listens, from listening to closing: what clients send goes out as far as the window
 * allows, and each request is answered by what becomes of its values.
 *
 * Bounds: values out are within the window, plus one; while it is full the server receives nothing, so what waits here
 * is what one reading brought.
 */
export class ListeningSession<T>
  implements IntakeListener<T>, RequestAckerListener<T>, RequestWatchHost<T>, SourceEnding
{
  readonly #sources = flowSources();
  readonly #leaveFlow: () => void;
  readonly #intake: Intake<T>;
  readonly #options: CheckedListening;
  readonly #out: Subscriber<Delivery<T>>;
  readonly #window: InFlightWindow;
  /** The offset of the first value. */
  readonly #base: number;
  readonly #acker: RequestAcker<T>;
  readonly #lifecycle: SourceLifecycle;
  readonly #settling = new Settling(() => this.#acker.open.length === 0 && !this.#isHeldBack);
  readonly #metrics;
  readonly #gauges: ListeningGauges;
  readonly #watch: RequestWatch<T>;
  #listening: Listening | PausableListening | undefined;
  readonly #waiting = new ArrivedRequests<T>();
  /** The request that is out in part. */
  #current: PendingRequest<T> | undefined;
  #isEmitting = false;
  #isPaused = false;
  #acked = 0;
  /** Since the last nack. */
  #handedOver = 0;

  constructor(intake: Intake<T>, options: CheckedListening, out: Subscriber<Delivery<T>>) {
    this.#intake = intake;
    this.#options = options;
    this.#out = out;
    this.#lifecycle = new SourceLifecycle(out, this);
    const { monitor, name } = options;
    const named = { kind: intake.kind, name };
    this.#window = new InFlightWindow(options.window);
    this.#base = timeOfDayMs() * OFFSETS_A_MS;
    this.#acker = new RequestAcker(streamOf(named), this.#base, this.#window, (value) => intake.measure(value), this);
    const limits = { settleAfterMs: options.settleAfterMs, answerTimeoutMs: intake.answerTimeoutMs };
    this.#watch = new RequestWatch(this.#acker, this.#window, { ...limits, isAnswering: this.#isAnswering }, this);
    this.#metrics = metricsOf(monitor, named);
    this.#gauges = new ListeningGauges(this.#window, monitor, named, () => this.#state());
    const stream = streamOf(named);
    this.#leaveFlow = this.#sources.add({
      pauseChanged: () => this.#pauseChanged(),
      settle: () => this.#watch.ask(),
      positions: () => [{ stream }],
      locate: (wanted, offset) => (wanted === stream ? this.#acker.locate(offset) : undefined),
    });
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () =>
      defer(() => this.#intake.listen(this)).subscribe({
        next: (listening) => this.#listens(listening),
        error: (error: unknown) => this.#lifecycle.fail(error),
        complete: () => this.#serverCompleted(),
      }),
    );
  }

  // What the server calls.

  get isFull(): boolean {
    return this.#window.isFull || this.#isHeldBack || this.#sources.isPaused;
  }

  get isTaking(): boolean {
    return this.isRunning && !this.#sources.isPaused;
  }

  get isRunning(): boolean {
    return this.#lifecycle.isRunning;
  }

  received(request: Received<T>): void {
    // At once, so that a client keeps what it has, and may turn to another server. One that waits would send again what is read.
    if (!this.isRunning || (this.#sources.isPaused && this.#turnsAway)) {
      request.reply({ isDurable: false, why: 'draining' });
      if (!this.#isAnswering) this.lost(request.values.length, 'it is draining');
      return;
    }
    this.#metrics.batches.add(1);
    this.#metrics.records.add(request.values.length);
    this.#metrics.bytes.add(request.byteLength);
    this.#waiting.add(request, timeOf(this.#intake, request));
    this.#emit();
  }

  lost(count: number, why: string): void {
    this.#metrics.lost.add(count);
    this.#options.monitor.report(lossReport(this.#intake, this.#options.name, count, why));
  }

  clients(count: number): void {
    this.#gauges.clients = count;
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.logEvent(level, what, message);
  }

  // What the account calls.

  acked(request: PendingRequest<T>): void {
    this.#metrics.acked.add(request.count - request.lost);
    this.#acked += request.count;
    this.#metrics.age.observe((timeOfDayMs() - request.time) / 1_000, request.count);
    this.#metrics.settle.observe((monotonicMs() - request.sentAt) / 1_000, request.count);
    if (!request.reply({ isDurable: true })) this.#metrics.unheard.add(request.count);
    this.#settling.look();
  }

  get goesOnAfterNack(): boolean {
    return this.#intake.whenNacked === 'drop';
  }

  nacked(request: PendingRequest<T>, nack: Nack): void {
    const count = this.goesOnAfterNack ? nack.count : request.count;
    this.#metrics.nacked.add(count);
    // What its client sends again is handed over again.
    this.#handedOver = 0;
    const index = nack.offset - this.#base - request.first;
    if (this.goesOnAfterNack) this.#metrics.lost.add(count);
    else request.reply({ isDurable: false, why: 'nacked', index, durable: request.ackedCount, cause: nack.cause });
    if (this.#current === request && !this.goesOnAfterNack) this.#current = undefined;
    this.#tellNack(request.client, count, nack);
    this.#settling.look();
  }

  released(): void {
    this.#watch.released();
    this.#emit();
  }

  handedOver(count: number): void {
    this.#handedOver += count;
  }

  #tellNack(client: string, count: number, nack: Nack): void {
    const { what, next } = nackText(this.#intake, client, count, nack);
    const { cause } = nack;
    const error = (when: string) => new SourceError('RXF_SOURCE_NACKED', `${what}${when}. ${next}`, { cause });
    if (this.#intake.whenNacked === 'stop') this.#lifecycle.drain(error(''));
    else if (!this.isRunning) this.#lifecycle.note(error(' during the drain'));
    else this.#options.monitor.report(nackReport(client, count, nack, { what, next }));
  }

  #state(): ListeningState {
    const { open } = this.#acker;
    const times = [...open.map(({ time }) => time), ...this.#waiting.times];
    const oldestTime = times.length === 0 ? undefined : times.reduce((least, time) => Math.min(least, time));
    return {
      waiting: this.#waiting.valueCount + (this.#current?.waiting ?? 0),
      unanswered: open.length,
      oldestTime,
      acked: this.#acked,
      handedOver: this.#handedOver,
      isPaused: this.#sources.isPaused,
    };
  }

  // Emitting.

  get #turnsAway(): boolean {
    return this.#intake.turnsAway === true;
  }

  get #isAnswering(): boolean {
    return this.#intake.whenNacked === undefined;
  }

  /** Whether something has been received that is not out. */
  get #isHeldBack(): boolean {
    return !this.#waiting.isEmpty || this.#current !== undefined;
  }

  /** What cannot be sent again still goes out in a drain. */
  get #mayEmit(): boolean {
    return this.isRunning || (this.#lifecycle.isDraining && !this.#isAnswering);
  }

  #emit(): void {
    if (this.#isEmitting) return;
    this.#isEmitting = true;
    while (this.#mayEmit && !this.#window.isFull) {
      this.#current ??= this.#nextRequest();
      if (this.#current === undefined) break;
      const delivery = this.#acker.take(this.#current);
      if (this.#current.isWhole) this.#current = undefined;
      this.#out.next(delivery);
    }
    this.#isEmitting = false;
    this.#gauges.windowChanged();
    this.#setPause();
    this.#watch.start();
  }

  #nextRequest(): PendingRequest<T> | undefined {
    const next = this.#sources.isPaused && this.isRunning ? undefined : this.#waiting.shift();
    if (next === undefined) return undefined;
    const sentAt = monotonicMs();
    return this.#acker.begin(next.request, sentAt + this.#options.settleAfterMs, { time: next.time, sentAt });
  }

  #setPause(): void {
    const isHeldBack = this.#isHeldBack || (this.#sources.isPaused && !this.#turnsAway);
    if (!this.isRunning || isHeldBack === this.#isPaused) return;
    this.#isPaused = isHeldBack;
    if (this.#listening === undefined || !('pause' in this.#listening)) return;
    if (isHeldBack) this.#listening.pause();
    else this.#listening.resume();
  }

  /** A request whose client has waited too long. */
  late(pending: PendingRequest<T>): void {
    this.#giveUp(pending, 'late');
    // The rest of it would go out for nobody.
    if (this.#current === pending) this.#current = undefined;
    this.#settling.look();
  }

  #listens(listening: Listening | PausableListening): void {
    this.#listening = listening;
    this.#gauges.isListening = true;
    const { kind } = this.#intake;
    this.logEvent('info', `${kind}.listening`, `Listening for ${kind} at ${listening.address}.`);
    if (this.#isPaused && 'pause' in listening) listening.pause();
  }

  // What the lifecycle calls.

  /** Takes no more and awaits what is out; what is not settled in time is answered as not durable. */
  drain(): Observable<never>[] {
    const { drainTimeoutMs } = this.#options;
    if (this.#listening !== undefined && 'pause' in this.#listening) this.#listening.pause();
    if (this.#isAnswering) {
      this.#waiting.reject();
      // Its client sends all of it again, whatever becomes of the part that is out.
      if (this.#current !== undefined) this.#giveUp(this.#current, 'draining');
      this.#current = undefined;
    }
    this.#watch.ask();
    this.#watch.start();
    return [
      this.#settling.within(drainTimeoutMs, () => lateError(this.#intake, this.#unsettled, drainTimeoutMs)),
      defer(() => {
        for (const pending of [...this.#acker.open]) this.#giveUp(pending, 'draining');
        return [];
      }),
    ];
  }

  #pauseChanged(): void {
    if (this.#sources.isPaused && this.#turnsAway) this.#waiting.reject();
    this.#emit();
  }

  /** How many values a drain still waits for. */
  get #unsettled(): number {
    return this.#acker.open.reduce((sum, { count }) => sum + count, this.#waiting.valueCount);
  }

  #giveUp(pending: PendingRequest<T>, why: 'late' | 'draining'): void {
    this.#acker.drop(pending);
    pending.reply({ isDurable: false, why });
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
    this.#watch.stop();
    this.#acker.end();
    this.#waiting.clear();
    this.#current = undefined;
    this.#gauges.end();
    this.#leaveFlow();
  }

  #serverCompleted(): void {
    if (!this.isRunning) return;
    const message = `${this.#intake.server} stopped listening by itself. Subscribe again.`;
    this.#lifecycle.fail(new ConnectError('RXF_SOURCE_LISTEN', message));
  }
}
