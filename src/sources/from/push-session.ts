import { defer, EMPTY, type Observable, type Subscriber, Subscription } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { describeError, SourceError } from '../../core/errors.js';
import { flowLabels, flowSources } from '../../core/flow-scope.js';
import { randomName } from '../../core/random-name.js';
import type { FlushSignal } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import { guarded } from '../../lifecycle/time-limit.js';
import { TimeIndex } from '../../offsets/time-index.js';
import type { CallbackConnection, CallbackListener, ConnectCallback } from './callback-connection.js';
import { metricsOf, PushGauges, type PushState } from './gauges.js';
import { type CheckedOptions, sizeOfValue } from './options.js';
import type { PushKind } from './push-kind.js';
import { steeredPush } from './steered-push.js';
import { ValueAcker, type ValueAckerListener } from './value-acker.js';
import { type WaitingValue, WaitingValues } from './waiting-values.js';

/** Offsets begin at the time in microseconds, so that those of a later subscription are above those of an earlier one. */
const OFFSETS_A_MS = 1_000;

/** One subscription to what emits by itself: from connecting to closing. */
export class PushSession<T> implements CallbackListener<T>, ValueAckerListener<T>, SourceEnding {
  readonly #kind: PushKind;
  readonly #stream: string;
  readonly #connect: ConnectCallback<T>;
  readonly #options: CheckedOptions<T>;
  readonly #out: Subscriber<Delivery<T>>;
  readonly #window: InFlightWindow;
  readonly #waiting: WaitingValues<T>;
  readonly #acker: ValueAcker<T>;
  readonly #lifecycle: SourceLifecycle;
  readonly #settling = new Settling(() => this.#waiting.size === 0 && this.#acker.unsettled === 0);
  readonly #flushRequester: FlushRequester;
  readonly #metrics;
  readonly #lost;
  readonly #gauges: PushGauges;
  readonly #times = new TimeIndex();
  readonly #base = timeOfDayMs() * OFFSETS_A_MS;
  readonly #run = randomName();
  readonly #sources = flowSources();
  #leaveFlow: () => void = () => undefined;
  #connection: CallbackConnection | undefined;
  #isClosed = false;
  #isEmitting = false;
  #isPaused = false;
  #dropped = 0;

  constructor(kind: PushKind, connect: ConnectCallback<T>, options: CheckedOptions<T>, out: Subscriber<Delivery<T>>) {
    const { name, monitor } = options;
    const labels = { ...flowLabels(), source: kind.name, name };
    this.#kind = kind;
    this.#stream = `${kind.name}:${name}`;
    this.#connect = connect;
    this.#options = options;
    this.#out = out;
    this.#window = new InFlightWindow(options.window);
    this.#waiting = new WaitingValues(options.waiting);
    this.#acker = new ValueAcker(this.#window, options.onAck !== undefined || options.onNack !== undefined, this);
    this.#lifecycle = new SourceLifecycle(out, this);
    this.#flushRequester = new FlushRequester(
      () => this.#wanted,
      (signal) => this.#acker.flush$.next(signal),
    );
    this.#metrics = metricsOf(monitor, labels);
    this.#lost = kind.losesUnsettled ? monitor.metric('rxflume_source_lost_total', labels) : undefined;
    this.#gauges = new PushGauges(this.#window, monitor, labels, () => this.#state);
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      const of = { stream: this.#stream, base: this.#base };
      this.#leaveFlow = this.#sources.add(steeredPush(of, this.#acker, this.#times, () => this.#emit()));
      this.#connected(this.#connect(this));
      return Subscription.EMPTY;
    });
  }

  // What the application calls.

  next(value: T): boolean {
    const bytes = this.#options.sizeOf?.(value) ?? sizeOfValue(value);
    if (!this.#lifecycle.isRunning) {
      this.#drop({ value, bytes, time: 0 }, 'the source is stopping');
      return false;
    }
    this.#metrics.records.add(1);
    this.#metrics.bytes.add(bytes);
    this.#waiting.add({ value, bytes, time: timeOfDayMs() });
    this.#emit();
    if (this.#waiting.isOver) this.#overflowed();
    return !this.#isHeldBack;
  }

  error(error: unknown): void {
    this.#lifecycle.drain(error);
  }

  complete(): void {
    this.#lifecycle.drain();
  }

  // What the account calls.

  acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#progressed();
  }

  ackedValue(value: T): void {
    this.#handBack('onAck', () => this.#options.onAck?.(value));
  }

  nacked(seq: number, value: T | undefined, cause: unknown): void {
    this.#metrics.nacked.add(1);
    this.#progressed();
    const { onNack } = this.#options;
    if (onNack !== undefined) {
      this.#handBack('onNack', () => onNack(value as T, cause));
      return;
    }
    this.#lost?.add(1);
    if (this.#kind.whenNacked === 'drop') return;
    const at = `${this.#stream} offset ${this.#base + seq}`;
    const message = `${at} was nacked (${describeError(cause)}). ${this.#kind.afterNack}`;
    this.#lifecycle.drain(new SourceError('RXF_SOURCE_NACKED', message, { cause }));
  }

  released(): void {
    this.#flushRequester.released();
    this.#emit();
    this.#settling.look();
  }

  // Emitting.

  get #hasRoom(): boolean {
    return !this.#window.isFull && this.#acker.unsettled < this.#options.maxUnacked;
  }

  /** In a drain what waits goes out, paused or not. */
  get #isFlowPaused(): boolean {
    return this.#sources.isPaused && this.#lifecycle.isRunning;
  }

  get #isHeldBack(): boolean {
    return this.#isFlowPaused || this.#waiting.size > 0 || !this.#hasRoom;
  }

  #emit(): void {
    if (this.#isEmitting || this.#isClosed) return;
    this.#isEmitting = true;
    while (!this.#isClosed && this.#hasRoom && !this.#isFlowPaused) {
      const waiting = this.#waiting.takeOldest();
      if (waiting === undefined) break;
      this.#out.next(this.#delivery(waiting));
    }
    this.#isEmitting = false;
    this.#gauges.windowChanged();
    this.#setPause();
    this.#flushRequester.look();
  }

  #delivery({ value, bytes, time }: WaitingValue<T>): Delivery<T> {
    const seq = this.#acker.add(value, bytes);
    const facts = this.#options.factsOf?.(value);
    if (this.#times.wants(seq, false)) this.#times.add(seq, facts?.timestamp ?? time, monotonicMs());
    const origin = {
      stream: this.#stream,
      offset: this.#base + seq,
      run: this.#run,
      epoch: 1,
      byteLength: bytes,
      timestamp: facts?.timestamp,
      key: facts?.key,
      headers: facts?.headers,
    };
    return new Delivery(value, origin, this.#acker, seq);
  }

  #setPause(): void {
    const isHeldBack = this.#isHeldBack;
    if (isHeldBack === this.#isPaused || !this.#lifecycle.isRunning || this.#connection === undefined) return;
    this.#isPaused = isHeldBack;
    if (isHeldBack) this.#connection.pause?.();
    else this.#connection.resume?.();
  }

  #overflowed(): void {
    const { overflow, waiting } = this.#options;
    const why = `more than ${waiting.count} values or ${waiting.bytes} bytes wait`;
    while (this.#waiting.isOver) {
      const dropped = overflow === 'dropOldest' ? this.#waiting.takeOldest() : this.#waiting.takeNewest();
      if (dropped !== undefined) this.#drop(dropped, why);
    }
    if (overflow !== 'fail') return;
    const message =
      `${this.#stream} emits faster than the sinks store: ${why}. Slow it down, raise \`waiting\`, set \`overflow\` to drop ` +
      'values, or read it with `fromReadable`, which asks for one value at a time.';
    this.#lifecycle.drain(new SourceError('RXF_SOURCE_OVERFLOW', message));
  }

  #drop({ value }: WaitingValue<T>, why: string): void {
    const { onNack, monitor } = this.#options;
    this.#dropped += 1;
    this.#metrics.dropped.add(1);
    this.#lost?.add(1);
    const error = new SourceError('RXF_SOURCE_OVERFLOW', `A value of ${this.#stream} was dropped: ${why}.`);
    if (onNack !== undefined) this.#handBack('onNack', () => onNack(value, error));
    const message = `Values of ${this.#stream} are dropped, ${this.#dropped} so far: ${why}.`;
    monitor.report({ what: 'RXF_SOURCE_OVERFLOW', about: this.#stream, message, cause: error });
  }

  /** Calls a function of the application, whose failure ends the source: it says that an answer did not arrive. */
  #handBack(name: 'onAck' | 'onNack', call: () => unknown): void {
    const failed = (cause: unknown) => {
      const message = `\`${name}\` of ${this.#stream} failed: ${describeError(cause)}. The source is drained.`;
      this.#lifecycle.drain(new SourceError('RXF_SOURCE_CALLBACK', message, { cause }));
    };
    try {
      const answer = call();
      if (isThenable(answer)) answer.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #progressed(): void {
    const { settledEnd, count } = this.#acker;
    if (!this.#times.isPassedBy(settledEnd, count)) return;
    this.#times.ackedUpTo(settledEnd, count, { ms: monotonicMs(), date: timeOfDayMs() }, this.#metrics);
  }

  get #wanted(): FlushSignal | null {
    if (this.#isClosed) return null;
    if (!this.#lifecycle.isRunning) return this.#acker.unsettled > 0 ? 'settle' : null;
    if (this.#acker.unsettled >= this.#options.maxUnacked) return 'settle';
    return this.#window.isFull ? 'release' : null;
  }

  get #state(): PushState {
    const { settledEnd, count, unsettled, handedOver } = this.#acker;
    const position = { stream: this.#stream, read: count, acked: settledEnd, handedOver };
    const oldestTime = (unsettled > 0 ? this.#times.oldestTime : undefined) ?? this.#waiting.oldest?.time;
    return { waiting: this.#waiting.size, unsettled, oldestTime, position };
  }

  #connected(connection: ReturnType<ConnectCallback<T>>): void {
    this.#connection = typeof connection === 'function' ? { close: connection } : (connection ?? {});
    // It may have completed, or filled the window, before it answered.
    if (this.#isClosed) void this.#connection.close?.();
    else if (this.#lifecycle.isRunning) this.#setPause();
    else this.#stop();
  }

  // What the lifecycle calls.

  /** Takes no more; what waits goes out, and what is out is awaited. */
  drain(): Observable<never>[] {
    const { drainTimeoutMs } = this.#options;
    if (this.#connection !== undefined) this.#stop();
    this.#emit();
    const late = () => {
      const count = this.#waiting.size + this.#acker.unsettled;
      return drainTimeoutError(`${count} values of ${this.#stream}`, drainTimeoutMs, 'They were not acked.');
    };
    return [
      this.#settling.within(drainTimeoutMs, late),
      defer(() => {
        for (const one of this.#waiting.clear()) this.#drop(one, 'the drain took too long');
        return EMPTY;
      }),
    ];
  }

  close(): Observable<unknown> {
    const { drainTimeoutMs } = this.#options;
    return guarded(
      () => {
        const answer = this.#closeOnce();
        return isThenable(answer) ? answer : EMPTY;
      },
      drainTimeoutMs,
      () => undefined,
    );
  }

  end(): void {
    if (!this.#isClosed) this.#lost?.add(this.#acker.unsettled + this.#waiting.size);
    this.#isClosed = true;
    const answer = this.#closeOnce();
    if (isThenable(answer)) answer.then(undefined, () => undefined);
    this.#flushRequester.end();
    this.#acker.end();
    this.#waiting.clear();
    this.#gauges.end();
    this.#leaveFlow();
  }

  /** Without a function to settle by nothing is to be kept open for it. */
  #stop(): void {
    const { onAck, onNack } = this.#options;
    if (this.#connection?.stop !== undefined) void this.#connection.stop();
    else if (onAck === undefined && onNack === undefined) void this.#closeOnce();
  }

  #closeOnce(): unknown {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    this.#connection = {};
    return connection.close?.();
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function';
}
