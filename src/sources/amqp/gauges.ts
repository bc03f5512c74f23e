import type { Observable } from 'rxjs';
import { ClosedTime } from '../../backpressure/closed-time.js';
import { monotonicMs } from '../../core/clock.js';
import { flowLabels } from '../../core/flow-scope.js';
import { Gauges } from '../../core/gauges.js';
import type { Labels, Monitor, Sample } from '../../core/monitor.js';
import { PacedLook } from '../../lifecycle/paced-look.js';
import { NoProgress, type StreamPosition } from '../../offsets/no-progress.js';

/** What a reader says of itself when its metrics are read. */
export interface ReaderState {
  readonly inFlight: number;
  readonly inFlightBytes: number;
  /** When the oldest unsettled message was made, in milliseconds since 1970. */
  readonly oldestTime: number | undefined;
  /** Whether the broker sends nothing until something is released or settled. */
  readonly isFull: boolean;
  /** Whether the broker gives messages to this consumer. It gives none to one that waits to become the single active one. */
  readonly isServed: boolean;
  /** Whether the flow is paused. */
  readonly isPaused: boolean;
  readonly position: StreamPosition;
}

/** What the broker said: of a queue how many messages are ready, of a stream the offset behind its last message. */
export type BrokerState = { readonly ready: number } | { readonly logEnd: number };

/**
 * What is known of a reader at the moment when its metrics are read: how much is out and how old it is, how much its queue has, and
 * for how long nothing has moved. Where the broker does not say how much is ready, the backlog is left out.
 */
export class ReaderGauges {
  readonly #labels: Labels;
  readonly #stream: string;
  readonly #state: () => ReaderState;
  readonly #ask: () => Observable<BrokerState> | undefined;
  readonly #closed = new ClosedTime();
  readonly #noProgress = new NoProgress();
  readonly #closedSeconds;
  readonly #shown: Gauges<'rxflume_source_joined'>;
  readonly #uncollect: () => void;
  #known: BrokerState | undefined;
  readonly #ready = new PacedLook();

  /** `ask`: asks the broker; undefined where there is no channel, or it cannot say. */
  constructor(
    monitor: Monitor,
    of: { readonly queue: string; readonly stream: string },
    state: () => ReaderState,
    ask: () => Observable<BrokerState> | undefined,
  ) {
    const labels = { source: 'amqp', name: of.queue };
    this.#labels = { ...flowLabels(), ...labels };
    this.#stream = of.stream;
    this.#state = state;
    this.#ask = ask;
    this.#closedSeconds = monitor.metric('rxflume_source_window_closed_seconds_total', labels);
    this.#shown = new Gauges(monitor, labels, ['rxflume_source_joined']);
    this.#uncollect = monitor.collect(() => this.#read());
  }

  set isJoined(isJoined: boolean) {
    this.#shown.of('rxflume_source_joined').set(isJoined ? 1 : 0);
    if (!isJoined) this.#forget();
  }

  /** To be called when the broker may have stopped sending for want of room, or goes on. */
  look(): void {
    this.#closed.set(this.#state().isFull);
  }

  end(): void {
    this.#forget();
    this.#closedSeconds.add(this.#closed.take());
    this.#shown.end();
    this.#uncollect();
  }

  *#read(): Iterable<Sample> {
    const now = monotonicMs();
    this.#closedSeconds.add(this.#closed.take());
    this.#look(now);
    const { inFlight, inFlightBytes, oldestTime, isFull, isServed, isPaused, position } = this.#state();
    const known = this.#known;
    const of = (name: string, value: number | undefined, labels: Labels): Sample[] =>
      value === undefined || value < 0 ? [] : [{ name: `rxflume_source_${name}`, labels, value }];
    const labels = this.#labels;
    yield* of('in_flight_records', inFlight, labels);
    yield* of('in_flight_bytes', inFlightBytes, labels);
    const backlog = known === undefined ? undefined : backlogOf(known, position);
    const isPending = !isPaused && (isFull || (isServed && (backlog ?? 0) > 0));
    yield* of('no_progress_seconds', this.#noProgress.of(this, [position], now, isPending), labels);
    const ofStream = { ...labels, stream: this.#stream };
    yield* of('backlog_records', backlog, ofStream);
    yield* of(
      'oldest_unsettled_timestamp_seconds',
      oldestTime === undefined ? undefined : oldestTime / 1_000,
      ofStream,
    );
    // The offsets of a queue are counted by the source itself, and mean nothing to a reader of metrics.
    if (known === undefined || !('logEnd' in known)) return;
    yield* of('log_end_offset', known.logEnd, ofStream);
    yield* of('read_offset', position.read, ofStream);
    yield* of('acked_offset', position.acked, ofStream);
  }

  /** Asks the broker how much is ready; the next reading has the answer. */
  #look(now: number): void {
    if (!this.#ready.isDue(now)) return;
    const answer$ = this.#ask();
    if (answer$ === undefined) return;
    this.#ready.ask(now, () => answer$, {
      next: (answer) => {
        this.#known = answer;
      },
      error: () => {
        this.#known = undefined;
      },
    });
  }

  #forget(): void {
    this.#ready.reset();
    this.#known = undefined;
  }
}

function backlogOf(known: BrokerState, { read }: StreamPosition): number | undefined {
  if ('ready' in known) return known.ready;
  return read < 0 ? undefined : Math.max(0, known.logEnd - read);
}

/** The counters that a reader keeps of its queue. */
export function metricsOf(monitor: Monitor, queue: string) {
  const labels = { source: 'amqp', name: queue };
  const metric = (name: string) => monitor.metric(name, labels);
  return {
    records: metric('rxflume_source_records_total'),
    bytes: metric('rxflume_source_bytes_total'),
    emitted: metric('rxflume_source_emitted_records_total'),
    released: metric('rxflume_source_released_records_total'),
    acked: metric('rxflume_source_acked_total'),
    nacked: metric('rxflume_source_nacked_total'),
    redelivered: metric('rxflume_source_redelivered_total'),
    requeued: metric('rxflume_source_requeued_total'),
    deadLettered: metric('rxflume_source_dead_lettered_total'),
    reconnects: metric('rxflume_source_reconnects_total'),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
  };
}
