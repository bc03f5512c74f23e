import {
  catchError,
  concat,
  defer,
  EMPTY,
  map,
  NEVER,
  type Observable,
  of,
  type Subscriber,
  Subscription,
  take,
} from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { ConnectError, describeError, isRetryable, type SourceError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type {
  KafkaBatch,
  KafkaDriver,
  KafkaListener,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { Assignment } from './assignment.js';
import { type CommitsFor, Committer } from './committer.js';
import { Emission, type EmitsFor } from './emitter.js';
import { GuardedConsumer } from './guarded-consumer.js';
import { listed } from './listed.js';
import { lostError } from './lost-error.js';
import { nackedError } from './nacked-error.js';
import type { CheckedOptions } from './options.js';
import { Partition, type PartitionListener, streamOf } from './partition.js';
import { withRecoveryHint } from './recovery-hint.js';
import { Rewinding, type RewindsFor } from './rewinding.js';
import { Settling } from './settling.js';

/** The most of a rebalance's time that is kept for the commit after the settling. */
const MOST_COMMIT_MS = 2_000;

type Stage = 'running' | 'draining' | 'closing' | 'over';

/**
 * One subscription of a Kafka source: from connecting to closing.
 *
 * Bounds: records out are within the window, plus one; records waiting are what the driver had fetched when a partition
 * was paused, about two fetches of `maxPartitionBytes` a partition.
 */
export class KafkaSession implements KafkaListener, PartitionListener, CommitsFor, EmitsFor, RewindsFor {
  readonly #driver: KafkaDriver;
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<Delivery<Buffer | null>>;
  readonly #window: InFlightWindow;
  readonly #committer: Committer;
  readonly #flushRequester: FlushRequester;
  readonly #timers = new Subscription();
  readonly #settling = new Settling();
  readonly #emission: Emission;
  readonly #rewinding: Rewinding;
  readonly #metrics;
  #connection: Subscription | undefined;
  #consumer: GuardedConsumer | undefined;
  #assignment = new Assignment(0, []);
  #isRevoking = false;
  #stage: Stage = 'running';
  #leaveError: unknown;

  constructor(driver: KafkaDriver, options: CheckedOptions, out: Subscriber<Delivery<Buffer | null>>) {
    this.#driver = driver;
    this.#options = options;
    this.#out = out;
    this.#window = new InFlightWindow(options.window);
    const { monitor, maxUnacked } = options;
    const labels = { source: 'kafka', group: options.groupId };
    this.#committer = new Committer(this, options.commit, monitor, labels);
    const heldBack = monitor.metric('rxflume_source_held_back_partitions', labels);
    this.#emission = new Emission(this, out, { window: this.#window, maxUnacked }, heldBack);
    this.#rewinding = new Rewinding(this, options.redeliver, heldBack);
    this.#flushRequester = new FlushRequester(
      () => this.#flush$,
      (signal) => this.#ask(signal),
    );
    this.#metrics = {
      records: monitor.metric('rxflume_source_records_total', labels),
      bytes: monitor.metric('rxflume_source_bytes_total', labels),
      acked: monitor.metric('rxflume_source_acked_total', labels),
      nacked: monitor.metric('rxflume_source_nacked_total', labels),
      inFlight: monitor.metric('rxflume_source_in_flight', labels),
      inFlightBytes: monitor.metric('rxflume_source_in_flight_bytes', labels),
      joined: monitor.metric('rxflume_source_joined', labels),
      assigned: monitor.metric('rxflume_source_assigned_partitions', labels),
      interrupted: monitor.metric('rxflume_source_interrupted', labels),
      heldBack,
    };
  }

  start(stop$: Observable<unknown>): Subscription {
    const { topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs } = this.#options;
    const stopped$ = stop$.pipe(take(1));
    this.#timers.add(stopped$.subscribe({ next: () => this.#drain(), error: (error: unknown) => this.#fail(error) }));
    this.#timers.add(() => this.#end());
    if (this.#stage !== 'running') return this.#timers;
    this.#connection = new Subscription();
    const subscription = { topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs };
    this.#connection.add(
      defer(() => this.#driver.connect(subscription, this)).subscribe({
        next: (consumer) => {
          this.#consumer = new GuardedConsumer(consumer, (error) => this.#fail(error));
        },
        error: (error: unknown) => this.#fail(withRecoveryHint(error, this.#options.resumeFrom)),
        complete: () => this.#driverCompleted(),
      }),
    );
    return this.#timers;
  }

  // What the driver calls.

  assigned(epoch: number, partitions: readonly TopicPartition[]): Observable<readonly PartitionOffset[]> {
    this.#endAssignment();
    this.#isRevoking = false;
    // Nothing is read any more, so it does not matter from where.
    if (!this.isRunning) return of([]);
    return this.offsetsOf(partitions).pipe(
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
        this.logEvent(
          'info',
          'kafka.assigned',
          `Reading ${listed(names)} of ${this.#driver.name} as ${this.#options.groupId}.`,
        );
        return starts;
      }),
      catchError((error: unknown) => {
        this.#fail(
          new ConnectError(
            'RXF_KAFKA_RESUME',
            `Cannot learn where to resume ${partitions.map(streamOf).join(', ')}: ${describeError(error)}. ` +
              'Nothing was read; the subscription can be tried again.',
            { cause: error, retryable: isRetryable(error) },
          ),
        );
        return EMPTY;
      }),
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
    if (this.#stage === 'draining') this.#leaveError ??= lostError(this.#assignment);
    this.#endAssignment();
  }

  records(batch: KafkaBatch): void {
    if (this.#stage !== 'running' || this.#isRevoking || batch.epoch !== this.#assignment.epoch) return;
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

  report(failure: Failure): void {
    this.#options.monitor.report(failure);
  }

  // What a partition calls.

  acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#committer.acked(count);
    this.released();
    if (this.#isWaitingForSettling) this.#settling.look(this.#assignment);
  }

  nacked(partition: Partition, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
    if (this.#stage === 'draining') this.#leaveError ??= nackedError(partition, { offset, attempt: 1, cause });
    else if (this.isTaking) this.#rewinding.refused(partition, offset, cause);
    // Only now: what goes out into the room that was freed must not be more of what was just refused.
    this.released();
    if (this.#isWaitingForSettling) this.#settling.look(this.#assignment);
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
    if (this.#stage !== 'running') return;
    this.#emission.setPauses();
    this.#flushRequester.look();
  }

  /** What the session waits for its holders to do, null where it does not wait. */
  get #flush$(): FlushSignal | null {
    if (this.#isWaitingForSettling) return this.#assignment.isSettled ? null : 'settle';
    if (this.#stage !== 'running') return null;
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
    return this.#stage === 'running';
  }

  get isTaking(): boolean {
    return this.#stage === 'running' && !this.#isRevoking;
  }

  failed(error: unknown): void {
    this.#fail(error);
  }

  offsetsOf(partitions: readonly TopicPartition[]): Observable<ReadonlyMap<string, number>> {
    const { resumeFrom, groupId } = this.#options;
    if (resumeFrom === undefined || partitions.length === 0) return of(new Map<string, number>());
    const streams = partitions.map(streamOf);
    const told = (message: string) => this.logEvent('warn', 'RXF_KAFKA_RESUME', message);
    return lookUpOffsets(() => resumeFrom(streams, { groupId }), streams, 'RXF_KAFKA_RESUME', told);
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
    this.#leave(error);
  }

  // Ways out.

  get #isWaitingForSettling(): boolean {
    return this.#stage === 'draining' || this.#isRevoking;
  }

  #settled(withinMs: number): Observable<never> {
    this.#flushRequester.look();
    return this.#settling.of(this.#assignment, withinMs);
  }

  #drain(): void {
    if (this.#stage !== 'running') return;
    this.#leave(undefined);
  }

  /** Stops taking, awaits what is out, commits, closes; then completes, or fails with `cause`. */
  #leave(cause: SourceError | undefined): void {
    this.#stage = 'draining';
    for (const partition of this.#assignment.partitions) partition.dropQueued();
    this.#leaveError = cause ?? this.#rewinding.waiting;
    const note = (problem: unknown) => {
      this.#leaveError ??= problem;
      return EMPTY;
    };
    const steps$ = concat(
      this.#settled(this.#options.drainTimeoutMs).pipe(catchError(note)),
      this.#committer.allWithin(this.#options.drainTimeoutMs).pipe(catchError(note)),
      defer(() => {
        this.#stage = 'closing';
        return this.#consumer?.close() ?? EMPTY;
      }),
    );
    this.#timers.add(
      steps$.subscribe({
        complete: () => {
          this.#end();
          if (this.#leaveError === undefined) this.#out.complete();
          else this.#out.error(this.#leaveError);
        },
      }),
    );
  }

  #driverCompleted(): void {
    if (this.#stage !== 'running') return;
    this.#fail(
      new ConnectError('RXF_KAFKA_LOST', `${this.#driver.name} ended the connection by itself. Subscribe again.`),
    );
  }

  #fail(error: unknown): void {
    if (this.#stage === 'over') return;
    this.#end();
    this.#out.error(error);
  }

  #end(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#endAssignment();
    this.#flushRequester.end();
    this.#rewinding.end();
    this.#committer.end();
    this.#connection?.unsubscribe();
    this.#timers.unsubscribe();
  }

  #endAssignment(): void {
    for (const { stream } of this.#assignment.partitions) {
      this.#options.monitor.forget('rxflume_source_lag', { stream });
      this.#options.monitor.forget('rxflume_source_committed_offset', { stream });
    }
    this.#committer.epochEnded();
    this.#assignment.end();
    this.#assignment = new Assignment(this.#assignment.epoch, []);
    this.#metrics.joined.set(0);
    this.#metrics.assigned.set(0);
    this.#metrics.heldBack.set(0);
    if (this.#isWaitingForSettling) this.#settling.look(this.#assignment);
  }
}
