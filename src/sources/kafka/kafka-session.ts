import {
  catchError,
  concat,
  defer,
  EMPTY,
  map,
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
import { ConnectError, type SourceError } from '../../core/errors.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type {
  KafkaBatch,
  KafkaDriver,
  KafkaListener,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { Assignment, lateError, listed, lostError } from './assignment.js';
import { type CommitsFor, Committer } from './committer.js';
import { Emission, type EmitsFor } from './emitter.js';
import { GuardedConsumer } from './guarded-consumer.js';
import { metricsOf } from './metrics.js';
import { nackedError } from './nacked-error.js';
import type { CheckedOptions } from './options.js';
import { Partition, type PartitionListener, streamOf } from './partition.js';
import { resumeError, resumeOffsets, withRecoveryHint } from './resume.js';
import { Rewinding, type RewindsFor } from './rewinding.js';

/** The most of a rebalance's time that is kept for the commit after the settling. */
const MOST_COMMIT_MS = 2_000;

/**
 * One subscription of a Kafka source: from connecting to closing.
 *
 * Bounds: records out are within the window, plus one; records waiting are what the driver had fetched when a partition
 * was paused, about two fetches of `maxPartitionBytes` a partition.
 */
export class KafkaSession implements KafkaListener, PartitionListener, CommitsFor, EmitsFor, RewindsFor, SourceEnding {
  readonly #driver: KafkaDriver;
  readonly #options: CheckedOptions;
  readonly #window: InFlightWindow;
  readonly #committer: Committer;
  readonly #flushRequester: FlushRequester;
  readonly #lifecycle: SourceLifecycle;
  readonly #settling = new Settling(() => this.#assignment.isSettled);
  readonly #emission: Emission;
  readonly #rewinding: Rewinding;
  readonly #metrics;
  #consumer: GuardedConsumer | undefined;
  #assignment = new Assignment(0, []);
  /** Of one assignment: emits when that is over, also to those who subscribe later. */
  #over$ = new ReplaySubject<void>(1);
  #isRevoking = false;

  constructor(driver: KafkaDriver, options: CheckedOptions, out: Subscriber<Delivery<Buffer | null>>) {
    this.#driver = driver;
    this.#options = options;
    this.#lifecycle = new SourceLifecycle(out, this);
    this.#window = new InFlightWindow(options.window);
    const { monitor, maxUnacked } = options;
    const labels = { source: 'kafka', group: options.groupId };
    this.#committer = new Committer(this, options.commit, monitor, labels);
    this.#metrics = metricsOf(monitor, labels);
    const { heldBack } = this.#metrics;
    this.#emission = new Emission(this, out, { window: this.#window, maxUnacked }, heldBack);
    this.#rewinding = new Rewinding(this, options, heldBack);
    this.#flushRequester = new FlushRequester(
      () => this.#flush$,
      (signal) => this.#ask(signal),
    );
  }

  start(stop$: Observable<unknown>): Subscription {
    const { topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs } = this.#options;
    const subscription = { topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs };
    return this.#lifecycle.start(stop$, () =>
      defer(() => this.#driver.connect(subscription, this)).subscribe({
        next: (consumer) => {
          this.#consumer = new GuardedConsumer(consumer, (error) => this.failed(error));
        },
        error: (error: unknown) => this.failed(withRecoveryHint(error, this.#options)),
        complete: () => this.#driverCompleted(),
      }),
    );
  }

  // What the driver calls.

  assigned(epoch: number, partitions: readonly TopicPartition[]): Observable<readonly PartitionOffset[]> {
    this.#endAssignment();
    this.#isRevoking = false;
    // Nothing is read any more, so it does not matter from where.
    if (!this.isRunning) return of([]);
    return resumeOffsets(this.#options, partitions).pipe(
      map((positions) => {
        const starts: PartitionOffset[] = [];
        const ours = partitions.map((partition) => {
          const offset = positions.get(streamOf(partition));
          if (offset !== undefined) starts.push({ topic: partition.topic, partition: partition.partition, offset });
          return this.partitionFrom(partition, positions, -1);
        });
        this.#assignment = new Assignment(epoch, ours);
        this.resumed();
        this.#metrics.joined.set(1);
        this.#metrics.assigned.set(ours.length);
        this.#metrics.interrupted.set(0);
        const names = partitions.map(({ topic, partition }) => `${topic}/${partition}`);
        const message = `Reading ${listed(names)} of ${this.#driver.name} as ${this.#options.groupId}.`;
        this.logEvent('info', 'kafka.assigned', message);
        return starts;
      }),
      catchError((error: unknown) => {
        this.failed(resumeError(partitions, error));
        return EMPTY;
      }),
      // A late answer would put the old assignment in the place of the new one, whose records and commits are then ignored.
      takeUntil(this.#over$),
    );
  }

  began(epoch: number, starts: readonly PartitionOffset[]): Observable<unknown> {
    if (!this.isRunning || epoch !== this.#assignment.epoch) return EMPTY;
    for (const start of starts) this.#assignment.get(start)?.beginAt(start.offset);
    // From the beginning of the log it would be read again in any case, so nothing waits for that commit.
    if (this.#options.startAt === 'earliest') this.#committer.due();
    else return this.#committer.remember().pipe(catchError(() => NEVER));
    return EMPTY;
  }

  revoking(): Observable<unknown> {
    this.#isRevoking = true;
    for (const partition of this.#assignment.partitions) partition.dropQueued();
    const { revokeTimeoutMs } = this.#options;
    // What is not settled in time is redelivered; what is, must not.
    return concat(
      this.#settled(revokeTimeoutMs - Math.min(MOST_COMMIT_MS, Math.floor(revokeTimeoutMs / 4))).pipe(
        catchError(() => EMPTY),
      ),
      defer(() => this.#committer.all()),
    ).pipe(catchError(() => EMPTY));
  }

  lost(): void {
    if (this.#lifecycle.isDraining) this.#lifecycle.note(lostError(this.#assignment));
    this.#endAssignment();
  }

  records(batch: KafkaBatch): void {
    if (!this.isTaking || batch.epoch !== this.#assignment.epoch) return;
    const partition = this.#assignment.get(batch);
    if (partition === undefined || partition.isOver) return;
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
    this.#options.monitor.logEvent(level, what, message);
  }

  // What a partition calls.

  acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#committer.acked(count);
    this.released();
    this.#settling.look();
  }

  nacked(partition: Partition, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
    if (this.#lifecycle.isDraining) this.#lifecycle.note(nackedError(partition, { offset, attempt: 1, cause }));
    else if (this.isTaking) this.#rewinding.refused(partition, offset, cause);
    // Only now: what goes out into the room that was freed must not be more of what was just refused.
    this.released();
    this.#settling.look();
  }

  released(): void {
    this.#flushRequester.released();
    this.#emit();
  }

  awaited(): void {
    this.#flushRequester.look();
  }

  // Emitting.

  #emit(): void {
    if (!this.#emission.run()) return;
    this.#metrics.inFlight.set(this.#window.count);
    this.#metrics.inFlightBytes.set(this.#window.bytes);
    if (!this.isRunning) return;
    this.#emission.setPauses();
    this.#flushRequester.look();
  }

  /** What the session waits for its holders to do, null where it does not wait. */
  get #flush$(): FlushSignal | null {
    if (this.#isWaitingForSettling) return this.#assignment.isSettled ? null : 'settle';
    if (!this.isRunning) return null;
    if (this.#emission.isReplayFull) return 'settle';
    if (this.#assignment.isAwaited) return 'catchUp';
    return this.#window.isFull ? 'release' : null;
  }

  #ask(signal: FlushSignal): void {
    for (const partition of this.#assignment.partitions) partition.flush$.next(signal);
  }

  // What emission, the committer and rewinding ask.

  get consumer(): GuardedConsumer | undefined {
    return this.#consumer;
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  get isRunning(): boolean {
    return this.#lifecycle.isRunning;
  }

  get isTaking(): boolean {
    return this.isRunning && !this.#isRevoking;
  }

  failed(error: unknown): void {
    this.#lifecycle.fail(error);
  }

  partitionFrom(of: TopicPartition, lookup: ReadonlyMap<string, number>, fallback: number): Partition {
    const { resumeFrom } = this.#options;
    const start = lookup.get(streamOf(of));
    const resumePoint = resumeFrom === undefined ? undefined : { resumeFrom, lookup, start };
    return new Partition(of, start ?? fallback, resumePoint, this.#window, this);
  }

  resumed(): void {
    if (this.#options.resumeFrom !== undefined) this.#committer.due();
  }

  refused(error: SourceError): void {
    this.#lifecycle.drain(error);
  }

  // What the lifecycle calls, and settling.

  get #isWaitingForSettling(): boolean {
    return this.#lifecycle.isDraining || this.#isRevoking;
  }

  #settled(withinMs: number): Observable<never> {
    this.#flushRequester.look();
    return this.#settling.within(withinMs, () => lateError(this.#assignment, withinMs));
  }

  /** Stops taking, awaits what is out, and commits what is settled. */
  drain(): Observable<unknown>[] {
    for (const partition of this.#assignment.partitions) partition.dropQueued();
    this.#lifecycle.note(this.#rewinding.waiting);
    const { drainTimeoutMs } = this.#options;
    return [this.#settled(drainTimeoutMs), this.#committer.allWithin(drainTimeoutMs)];
  }

  close(): Observable<unknown> {
    return this.#consumer?.close() ?? EMPTY;
  }

  end(): void {
    this.#endAssignment();
    this.#flushRequester.end();
    this.#rewinding.end();
    this.#committer.end();
  }

  #driverCompleted(): void {
    if (!this.isRunning) return;
    const message = `${this.#driver.name} ended the connection by itself. Subscribe again.`;
    this.failed(new ConnectError('RXF_KAFKA_LOST', message));
  }

  #endAssignment(): void {
    this.#over$.next();
    this.#over$ = new ReplaySubject(1);
    this.#committer.epochEnded();
    this.#assignment.end();
    this.#assignment = new Assignment(this.#assignment.epoch, []);
    this.#metrics.joined.set(0);
    this.#metrics.assigned.set(0);
    this.#metrics.heldBack.set(0);
    this.#settling.look();
  }
}
