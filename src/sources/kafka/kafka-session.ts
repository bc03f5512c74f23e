import {
  catchError,
  defer,
  EMPTY,
  NEVER,
  type Observable,
  of,
  ReplaySubject,
  type Subscriber,
  type Subscription,
  takeUntil,
} from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { ConnectError } from '../../core/errors.js';
import { flowLabels } from '../../core/flow-scope.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Settling } from '../../lifecycle/settling.js';
import { SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import type {
  KafkaBatch,
  KafkaDriver,
  KafkaListener,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { Assignment, lateError, lostError, namesOf } from './assignment.js';
import { Committer } from './committer.js';
import { Emitter } from './emitter.js';
import { metricsOf, SessionGauges } from './gauges.js';
import { Leaving } from './leaving.js';
import { type CheckedOptions, subscriptionOf } from './options.js';
import { Partition, type PartitionListener } from './partition.js';
import { resumeError, startsOf, withRecoveryHint } from './resume.js';
import { nackedError, Rewinding } from './rewinding.js';
import { SessionState } from './session-state.js';
import { SteeredSession } from './steered-session.js';

/** The longest that closing is waited for. */
const CLOSE_WITHIN_MS = 30_000;

/**
 * One subscription of a Kafka source: from connecting to closing.
 *
 * Bounds: records out are within the window, plus one; records waiting are what the driver had fetched when a partition
 * was paused, about two fetches of `maxPartitionBytes` a partition.
 */
export class KafkaSession implements KafkaListener {
  readonly #driver: KafkaDriver;
  readonly #options: CheckedOptions;
  readonly #window: InFlightWindow;
  readonly #lifecycle: SourceLifecycle;
  readonly #state: SessionState;
  readonly #committer: Committer;
  readonly #flushRequester: FlushRequester;
  readonly #settling: Settling;
  readonly #leaving: Leaving;
  readonly #emitter: Emitter;
  readonly #rewinding: Rewinding;
  readonly #metrics;
  readonly #gauges: SessionGauges;
  readonly #leaveFlow: () => void;
  readonly #listener: PartitionListener = {
    acked: (count) => this.#acked(count),
    nacked: (partition, offset, cause) => this.#nacked(partition, offset, cause),
    released: () => this.#released(),
    awaited: () => this.#flushRequester.look(),
  };
  /** Of one assignment: emits when that is over, also to those who subscribe later. */
  #over$ = new ReplaySubject<void>(1);

  constructor(driver: KafkaDriver, options: CheckedOptions, out: Subscriber<Delivery<Buffer | null>>) {
    this.#driver = driver;
    this.#options = options;
    this.#window = new InFlightWindow(options.window);
    this.#lifecycle = new SourceLifecycle(out, {
      drain: () => this.#drain(),
      close: () => this.#close(),
      end: () => this.#end(),
    });
    const state = new SessionState(this.#lifecycle);
    this.#state = state;
    const { monitor, maxUnacked } = options;
    const labels = { ...flowLabels(), source: 'kafka', name: options.groupId };
    this.#metrics = metricsOf(monitor, labels);
    const { heldBack } = this.#metrics;
    this.#gauges = new SessionGauges(state, this.#window, monitor, labels, heldBack);
    this.#committer = new Committer(state, options.commit, monitor, labels);
    this.#emitter = new Emitter(state, out, { window: this.#window, maxUnacked }, heldBack);
    this.#rewinding = new Rewinding(state, this.#committer, options, heldBack);
    this.#settling = new Settling(() => state.assignment.isSettled);
    this.#leaving = new Leaving(state, this.#committer, options.revokeTimeoutMs);
    const ask = (signal: FlushSignal) => {
      for (const partition of state.assignment.partitions) partition.flush$.next(signal);
    };
    this.#flushRequester = new FlushRequester(() => this.#flush$, ask);
    const steered = { pauseChanged: () => this.#emit(), settle: () => ask('settle') };
    this.#leaveFlow = state.join(new SteeredSession(state, this.#rewinding, this.#committer, options, steered));
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () =>
      defer(() => this.#driver.connect(subscriptionOf(this.#options), this)).subscribe({
        next: (consumer) => {
          this.#state.consumer = consumer;
        },
        error: (error: unknown) => this.#lifecycle.fail(withRecoveryHint(error, this.#options)),
        complete: () => this.#driverCompleted(),
      }),
    );
  }

  // What the driver calls.

  assigned(epoch: number, partitions: readonly TopicPartition[]): Observable<readonly PartitionOffset[]> {
    this.#endAssignment();
    this.#state.isRevoking = false;
    // Nothing is read any more, so it does not matter from where.
    if (!this.#lifecycle.isRunning) return of([]);
    return this.#resumed(partitions, (ours) => this.#begin(epoch, ours));
  }

  began(epoch: number, starts: readonly PartitionOffset[]): Observable<unknown> {
    const { assignment } = this.#state;
    if (!this.#lifecycle.isRunning || epoch !== assignment.epoch) return EMPTY;
    for (const start of starts) assignment.get(start)?.beginAt(start.offset);
    if (this.#options.startAt !== 'earliest') return this.#committer.remember().pipe(catchError(() => NEVER));
    // From the beginning of the log it would be read again in any case, so nothing waits for that commit.
    this.#committer.resumed();
    return EMPTY;
  }

  added(epoch: number, partitions: readonly TopicPartition[]): Observable<readonly PartitionOffset[]> {
    if (!this.#lifecycle.isRunning || epoch !== this.#state.assignment.epoch) return of([]);
    return this.#resumed(partitions, (ours) => {
      this.#state.assignment.add(ours);
      this.logEvent('info', 'kafka.assigned', `Reading ${namesOf(partitions)} of ${this.#driver.name} too.`);
      this.#changed();
    });
  }

  revoking(partitions?: readonly TopicPartition[]): Observable<unknown> {
    if (partitions !== undefined) return this.#leaving.some(this.#state.assignment.of(partitions));
    this.#state.isRevoking = true;
    this.#dropQueued();
    return this.#leaving.all((withinMs) => this.#settled(withinMs));
  }

  lost(partitions?: readonly TopicPartition[]): void {
    const { assignment } = this.#state;
    const gone = partitions === undefined ? assignment.partitions : assignment.of(partitions);
    if (this.#lifecycle.isDraining) this.#lifecycle.note(lostError(gone));
    if (partitions === undefined) this.#endAssignment();
    else {
      assignment.remove(gone);
      this.logEvent('info', 'kafka.revoked', `Other members of the group read ${namesOf(partitions)} now.`);
      this.#changed();
      this.#lookSettled();
      // What it held of the window is free for the others.
      this.#emit();
    }
  }

  records(batch: KafkaBatch): void {
    const { isTaking, assignment } = this.#state;
    if (!isTaking || batch.epoch !== assignment.epoch) return;
    const partition = assignment.get(batch);
    if (partition === undefined || partition.isOver || partition.isLeaving) return;
    partition.enqueue(batch);
    this.#metrics.records.add(batch.records.length);
    this.#metrics.bytes.add(batch.byteLength);
    this.#committer.fetched(partition);
    this.#emit();
  }

  reading(isReading: boolean): void {
    this.#metrics.interrupted.set(isReading ? 0 : 1);
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    if (what === 'kafka.lost') this.#metrics.reconnects.add(1);
    this.#options.monitor.logEvent(level, what, message);
  }

  #resumed(
    partitions: readonly TopicPartition[],
    take: (ours: readonly Partition[]) => void,
  ): Observable<readonly PartitionOffset[]> {
    const make = (of: TopicPartition, resumePoint: ResumePoint | undefined) =>
      new Partition(of, resumePoint?.start ?? -1, resumePoint, this.#window, this.#listener, this.#metrics);
    return startsOf(this.#options, partitions, make, take).pipe(
      catchError((error: unknown) => {
        this.#lifecycle.fail(resumeError(partitions, error));
        return EMPTY;
      }),
      // A late answer would put the old assignment in the place of the new one, whose records and commits are then ignored.
      takeUntil(this.#over$),
    );
  }

  #begin(epoch: number, ours: readonly Partition[]): void {
    this.#state.assignment = new Assignment(epoch, ours);
    this.#committer.resumed();
    this.#metrics.joined.set(1);
    if (epoch > 1) this.#metrics.rebalances.add(1);
    this.#metrics.assigned.set(ours.length);
    this.#metrics.interrupted.set(0);
    const what = namesOf(ours) || 'no partition (other members of the group have them all)';
    this.logEvent('info', 'kafka.assigned', `Reading ${what} of ${this.#driver.name} as ${this.#options.groupId}.`);
  }

  /** Some partitions were given to us, or taken away; the others are read on. */
  #changed(): void {
    this.#committer.resumed();
    this.#metrics.rebalances.add(1);
    this.#metrics.assigned.set(this.#state.assignment.partitions.length);
  }

  // What a partition tells.

  #acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#committer.acked(count);
    this.#released();
    this.#lookSettled();
  }

  #nacked(partition: Partition, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
    if (this.#lifecycle.isDraining) this.#lifecycle.note(nackedError(partition, { offset, attempt: 1, cause }));
    else if (this.#state.isTaking) this.#rewinding.nacked(partition, offset, cause);
    // Only now: what goes out into the room that was freed must not be more of what was just nacked.
    this.#released();
    this.#lookSettled();
  }

  #lookSettled(): void {
    this.#settling.look();
    this.#leaving.look();
  }

  #released(): void {
    this.#flushRequester.released();
    this.#emit();
  }

  #emit(): void {
    if (!this.#emitter.run()) return;
    this.#gauges.windowChanged();
    if (!this.#lifecycle.isRunning) return;
    this.#emitter.setPauses();
    this.#flushRequester.look();
  }

  /** What the session waits for its holders to do, null where it does not wait. */
  get #flush$(): FlushSignal | null {
    const { assignment, isRevoking } = this.#state;
    if (this.#lifecycle.isDraining || isRevoking) return assignment.isSettled ? null : 'settle';
    if (!this.#lifecycle.isRunning) return null;
    if (this.#emitter.isReplayFull) return 'settle';
    if (assignment.isAwaited) return 'catchUp';
    return this.#window.isFull ? 'release' : null;
  }

  // What the lifecycle calls.

  /** Stops taking, awaits what is out, and commits what is settled. */
  #drain(): Observable<unknown>[] {
    this.#dropQueued();
    this.#lifecycle.note(this.#rewinding.waiting);
    const { drainTimeoutMs } = this.#options;
    return [this.#settled(drainTimeoutMs), this.#committer.allWithin(drainTimeoutMs)];
  }

  #dropQueued(): void {
    for (const partition of this.#state.assignment.partitions) partition.dropQueued();
  }

  #settled(withinMs: number): Observable<never> {
    this.#flushRequester.look();
    return this.#settling.within(withinMs, () => lateError(this.#state.assignment.partitions, withinMs));
  }

  #close(): Observable<unknown> {
    const late = () => new Error(`not closed within ${CLOSE_WITHIN_MS} ms`);
    return guarded(() => this.#state.consumer?.close() ?? EMPTY, CLOSE_WITHIN_MS, late);
  }

  #end(): void {
    this.#endAssignment();
    this.#flushRequester.end();
    this.#leaving.end();
    this.#rewinding.end();
    this.#committer.end();
    this.#gauges.end();
    this.#metrics.end();
    this.#leaveFlow();
  }

  #driverCompleted(): void {
    if (!this.#lifecycle.isRunning) return;
    const message = `${this.#driver.name} ended the connection by itself. Subscribe again.`;
    this.#lifecycle.fail(new ConnectError('RXF_KAFKA_LOST', message));
  }

  #endAssignment(): void {
    this.#over$.next();
    this.#over$ = new ReplaySubject(1);
    this.#committer.epochEnded();
    this.#state.assignment.end();
    this.#state.assignment = new Assignment(this.#state.assignment.epoch, []);
    this.#metrics.joined.set(0);
    this.#metrics.assigned.set(0);
    this.#metrics.heldBack.set(0);
    this.#lookSettled();
  }
}
