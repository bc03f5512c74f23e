import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  map,
  Observable,
  of,
  ReplaySubject,
  retry,
  Subject,
  type Subscriber,
  Subscription,
  take,
  timer,
} from 'rxjs';
import { Delivery } from '../../core/delivery.js';
import type { Want } from '../../core/duty.js';
import { CommitError, ConnectError, describeError, isRetryable, SourceError } from '../../core/errors.js';
import { InFlightWindow } from '../../core/window.js';
import type {
  KafkaBatch,
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { Assignment } from './assignment.js';
import { CommitSchedule, type CommitStep } from './commit.js';
import type { CheckedOptions } from './options.js';
import { Partition, type PartitionListener, streamOf } from './partition.js';
import { redeliverAfterMs } from './redelivery.js';

/** How often a source that waits for its holders asks them again. */
const ASK_EVERY_MS = 100;
/** Commits that fail in a row before the stream fails: about two minutes, longer than a broker takes to restart. */
const MOST_COMMIT_FAILURES = 120;
/** The wait before a failed commit of a drain is tried again. */
const COMMIT_AGAIN_MS = 500;

type Stage = 'running' | 'draining' | 'closing' | 'over';

/**
 * One subscription of a Kafka source: from connecting to closing.
 *
 * Bounds: records out are within the window, plus one; records waiting are what the driver had fetched when a partition
 * was paused, about two fetches of `maxPartitionBytes` a partition.
 */
export class KafkaSession implements KafkaListener, PartitionListener {
  readonly #driver: KafkaDriver;
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<Delivery<Buffer | null>>;
  readonly #window: InFlightWindow;
  readonly #schedule: CommitSchedule;
  readonly #timers = new Subscription();
  readonly #settled$ = new Subject<void>();
  readonly #attempts = new Map<string, { offset: number; count: number; cause: unknown }>();
  readonly #figures;
  #connection: Subscription | undefined;
  #consumer: KafkaConsumer | undefined;
  #assignment = new Assignment(0, []);
  #isRevoking = false;
  #stage: Stage = 'running';
  #isPumping = false;
  #asking: Subscription | undefined;
  #hasReleased = false;
  #hasAskedToSettle = false;
  #commitUnderWay: Observable<void> | undefined;
  #commitFailures = 0;
  #leaveError: unknown;

  constructor(driver: KafkaDriver, options: CheckedOptions, out: Subscriber<Delivery<Buffer | null>>) {
    this.#driver = driver;
    this.#options = options;
    this.#out = out;
    this.#window = new InFlightWindow(options.window);
    this.#schedule = new CommitSchedule(options.commit.count);
    const { monitor } = options;
    const labels = { source: 'kafka', group: options.groupId };
    this.#figures = {
      records: monitor.figure('rxflume_source_records_total', labels),
      bytes: monitor.figure('rxflume_source_bytes_total', labels),
      acked: monitor.figure('rxflume_source_acked_total', labels),
      nacked: monitor.figure('rxflume_source_nacked_total', labels),
      commits: monitor.figure('rxflume_source_commits_total', labels),
      inFlight: monitor.figure('rxflume_source_in_flight', labels),
      inFlightBytes: monitor.figure('rxflume_source_in_flight_bytes', labels),
      assigned: monitor.figure('rxflume_source_assigned_partitions', labels),
      interrupted: monitor.figure('rxflume_source_interrupted', labels),
      heldBack: monitor.figure('rxflume_source_held_back_partitions', labels),
    };
  }

  start(stop$: Observable<unknown>): Subscription {
    const { topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs } = this.#options;
    this.#timers.add(stop$.pipe(take(1)).subscribe(() => this.#drain()));
    this.#timers.add(() => this.#abandon());
    if (this.#stage !== 'running') return this.#timers;
    this.#connection = new Subscription();
    this.#connection.add(
      this.#driver
        .connect({ topics, groupId, startAt, maxPartitionBytes, maxWaitMs, revokeTimeoutMs, sessionTimeoutMs }, this)
        .subscribe({
          next: (consumer) => {
            this.#consumer = consumer;
          },
          error: (error: unknown) => this.#fail(error),
          complete: () => this.#driverCompleted(),
        }),
    );
    return this.#timers;
  }

  // What the driver calls.

  assigned(epoch: number, partitions: readonly TopicPartition[]): Observable<readonly PartitionOffset[]> {
    this.#endAssignment();
    this.#isRevoking = false;
    const { resumeFrom } = this.#options;
    const positions$ =
      resumeFrom === undefined || partitions.length === 0
        ? of(new Map<string, number>())
        : defer(() => from(resumeFrom(partitions.map(streamOf)))).pipe(take(1));
    return positions$.pipe(
      map((positions) => {
        const starts: PartitionOffset[] = [];
        const ours = partitions.map((partition) => {
          const offset = positions.get(streamOf(partition));
          if (offset !== undefined) starts.push({ topic: partition.topic, partition: partition.partition, offset });
          return new Partition(partition, offset ?? -1, this.#window, this);
        });
        this.#assignment = new Assignment(epoch, ours);
        this.#figures.assigned.set(ours.length);
        this.#figures.interrupted.set(0);
        const names = partitions.map(({ topic, partition }) => `${topic}/${partition}`);
        this.notice(
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

  revoking(): Observable<unknown> {
    this.#isRevoking = true;
    for (const partition of this.#assignment.partitions) partition.dropQueued();
    return concat(
      this.#whenSettled(this.#options.revokeTimeoutMs),
      defer(() => this.#commitAll()),
    ).pipe(catchError(() => EMPTY));
  }

  lost(): void {
    this.#endAssignment();
  }

  records(batch: KafkaBatch): void {
    if (this.#stage !== 'running' || this.#isRevoking || batch.epoch !== this.#assignment.epoch) return;
    const partition = this.#assignment.get(batch);
    if (partition === undefined || partition.isOver) return;
    partition.enqueue(batch);
    this.#figures.records.add(batch.records.length);
    this.#figures.bytes.add(batch.byteLength);
    this.#pump();
  }

  reading(isReading: boolean): void {
    this.#figures.interrupted.set(isReading ? 0 : 1);
  }

  notice(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.notice(level, what, message);
  }

  // What a partition calls.

  acked(count: number): void {
    this.#figures.acked.add(count);
    this.#follow(this.#schedule.acked(count));
    this.released();
    if (this.#isWaitingForSettling && this.#assignment.isSettled) this.#settled$.next();
  }

  nacked(partition: Partition, offset: number, cause: unknown): void {
    this.#figures.nacked.add(1);
    this.released();
    if (this.#stage === 'draining') this.#leaveError ??= refusal(partition, offset, cause, 1);
    else if (this.#stage === 'running' && !this.#isRevoking) this.#answerNack(partition, offset, cause);
    if (this.#isWaitingForSettling && this.#assignment.isSettled) this.#settled$.next();
  }

  released(): void {
    this.#hasReleased = true;
    if (!this.#isPumping) this.#pump();
  }

  // Emitting.

  get #isBlocked(): boolean {
    return this.#stage !== 'running' || this.#isRevoking || this.#window.isFull || this.#isReplayFull;
  }

  get #isReplayFull(): boolean {
    return this.#assignment.unacked >= this.#options.maxUnacked;
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let hasEmitted = true;
    while (hasEmitted && !this.#isBlocked) {
      hasEmitted = false;
      for (const partition of this.#assignment.partitions) hasEmitted = this.#emitFrom(partition) || hasEmitted;
    }
    this.#isPumping = false;
    this.#figures.inFlight.set(this.#window.count);
    this.#figures.inFlightBytes.set(this.#window.bytes);
    if (this.#stage !== 'running') return;
    this.#setPauses();
    if (!this.#isBlocked) this.#hasAskedToSettle = false;
    else if (!this.#isRevoking) this.#keepAsking();
  }

  /** Emits what waits in one partition, until the window is full. The window is looked at for each record. */
  #emitFrom(partition: Partition): boolean {
    if (!partition.hasQueued) return false;
    const replayRoom = this.#options.maxUnacked - this.#assignment.unacked;
    for (let emitted = 0; emitted < replayRoom; emitted += 1) {
      if (this.#window.isFull || this.#stage !== 'running' || this.#isRevoking) break;
      const taken = partition.take();
      if (taken === undefined) break;
      this.#out.next(new Delivery(taken.record.value, taken.record, partition, taken.place));
    }
    return true;
  }

  #setPauses(): void {
    const pause: Partition[] = [];
    const resume: Partition[] = [];
    let heldBack = 0;
    for (const partition of this.#assignment.partitions) {
      if (partition.hasQueued || partition.isOver) heldBack += 1;
      if (partition.hasQueued === partition.isPaused || partition.isOver) continue;
      partition.isPaused = partition.hasQueued;
      (partition.isPaused ? pause : resume).push(partition);
    }
    this.#figures.heldBack.set(heldBack);
    if (pause.length > 0) this.#consumer?.pause(pause);
    if (resume.length > 0) this.#consumer?.resume(resume);
  }

  /** While nothing can be emitted, and nothing is released either, asks the holders to hand over or to settle. */
  #keepAsking(): void {
    if (this.#isReplayFull && !this.#hasAskedToSettle) this.#ask('settle');
    this.#hasAskedToSettle = this.#isReplayFull;
    if (this.#asking !== undefined) return;
    this.#hasReleased = false;
    this.#asking = timer(ASK_EVERY_MS, ASK_EVERY_MS).subscribe(() => {
      if (!this.#isBlocked && !this.#isWaitingForSettling) {
        this.#asking?.unsubscribe();
        this.#asking = undefined;
        return;
      }
      if (this.#isReplayFull || this.#isWaitingForSettling) this.#ask('settle');
      else if (!this.#hasReleased) this.#ask('release');
      this.#hasReleased = false;
    });
    this.#timers.add(this.#asking);
  }

  #ask(want: Want): void {
    for (const partition of this.#assignment.partitions) partition.wanted.next(want);
  }

  // Nacks.

  #answerNack(partition: Partition, offset: number, cause: unknown): void {
    const { redeliver } = this.#options;
    const before = this.#attempts.get(partition.stream);
    const isSame = before !== undefined && partition.watermark.offset <= before.offset;
    const count = isSame ? before.count + 1 : 1;
    this.#attempts.set(partition.stream, { offset: isSame ? Math.max(before.offset, offset) : offset, count, cause });
    const delayMs = redeliverAfterMs(cause, count, redeliver);
    if (delayMs === null) {
      this.#leave(refusal(partition, offset, cause, count));
      return;
    }
    this.notice(
      'warn',
      'RXF_SOURCE_NACKED',
      `${partition.stream} offset ${offset} was refused (${describeError(cause)}); ` +
        `read again from ${partition.watermark.offset} in ${delayMs} ms, attempt ${count} of ${redeliver.attempts}`,
    );
    this.#rewind(partition, delayMs);
  }

  /** Ends the partition's epoch and reads it again from its watermark: what is out of it is void and comes again. */
  #rewind(partition: Partition, delayMs: number): void {
    const assignmentOf = this.#assignment;
    const offset = partition.watermark.offset;
    partition.end();
    this.#figures.heldBack.add(1);
    this.#consumer?.pause([partition]);
    this.#timers.add(
      timer(delayMs).subscribe(() => {
        if (this.#stage !== 'running' || this.#assignment !== assignmentOf || this.#isRevoking) return;
        const fresh = new Partition(partition, offset, this.#window, this);
        fresh.committed = partition.committed;
        assignmentOf.replace(fresh);
        this.#consumer?.seek({ topic: partition.topic, partition: partition.partition, offset });
        this.#consumer?.resume([partition]);
      }),
    );
  }

  // Commits.

  #follow(step: CommitStep): void {
    if (step === 'commit') this.#commitAll().subscribe({ error: () => undefined });
    if (step !== 'startInterval') return;
    this.#timers.add(
      timer(this.#options.commit.intervalMs).subscribe(() => this.#follow(this.#schedule.intervalEnded())),
    );
  }

  /** Commits all that may be; after the commit that is under way, where there is one. Fails as the driver does. */
  #commitAll(): Observable<void> {
    const before$ = this.#commitUnderWay?.pipe(catchError(() => EMPTY)) ?? EMPTY;
    return concat(
      before$,
      defer(() => this.#commitNow()),
    );
  }

  #commitNow(): Observable<void> {
    const consumer = this.#consumer;
    const offsets = this.#assignment.uncommitted();
    if (consumer === undefined || offsets.length === 0) return EMPTY;
    this.#schedule.started();
    const answer$ = new ReplaySubject<void>(1);
    this.#commitUnderWay = answer$;
    const epoch = this.#assignment.epoch;
    from(
      consumer.commit(
        epoch,
        offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
      ),
    ).subscribe({
      error: (error: unknown) => {
        this.#commitUnderWay = undefined;
        this.#commitFailed(error);
        answer$.error(error);
      },
      complete: () => {
        this.#commitUnderWay = undefined;
        this.#commitFailures = 0;
        for (const { of: partition, offset } of offsets) this.#told(partition, offset);
        this.#figures.commits.add(1);
        answer$.complete();
        this.#follow(this.#schedule.ended('done'));
      },
    });
    return answer$;
  }

  #told(partition: Partition, offset: number): void {
    partition.committed = Math.max(partition.committed, offset);
    const labels = { stream: partition.stream };
    this.#options.monitor.figure('rxflume_source_lag', labels).set(Math.max(0, partition.highWatermark - offset));
    this.#options.monitor.figure('rxflume_source_committed_offset', labels).set(offset);
  }

  #commitFailed(error: unknown): void {
    this.#commitFailures += 1;
    if (this.#stage === 'running' && (!isRetryable(error) || this.#commitFailures > MOST_COMMIT_FAILURES)) {
      this.#fail(
        error instanceof CommitError
          ? error
          : new CommitError('RXF_KAFKA_COMMIT', `Cannot commit: ${describeError(error)}`, { cause: error }),
      );
      return;
    }
    this.notice('warn', 'RXF_KAFKA_COMMIT', `${describeError(error)} Tried again with the next commit.`);
    this.#follow(this.#schedule.ended('retry'));
  }

  // Ways out.

  get #isWaitingForSettling(): boolean {
    return this.#stage === 'draining' || this.#isRevoking;
  }

  /** Completes when all that is out is settled, or fails after `withinMs`. */
  #whenSettled(withinMs: number): Observable<never> {
    if (this.#assignment.isSettled) return EMPTY;
    this.#ask('settle');
    this.#keepAsking();
    const late$ = timer(withinMs).pipe(
      map(() => {
        const out = [...this.#assignment.partitions].filter((partition) => !partition.isSettled);
        throw new SourceError(
          'RXF_SOURCE_DRAIN_TIMEOUT',
          `${out.reduce((sum, partition) => sum + partition.watermark.unacked, 0)} records of ` +
            `${out.map((partition) => partition.stream).join(', ')} were not settled within ${withinMs} ms. ` +
            'They come again at the next start. See why the sink is slow, or raise `drainTimeoutMs`.',
        );
      }),
    );
    return new Observable((subscriber) => {
      if (this.#assignment.isSettled) {
        subscriber.complete();
        return undefined;
      }
      const waiting = this.#settled$.pipe(take(1)).subscribe({ complete: () => subscriber.complete() });
      waiting.add(late$.subscribe({ error: (error: unknown) => subscriber.error(error) }));
      return waiting;
    });
  }

  #drain(): void {
    if (this.#stage !== 'running') return;
    this.#leave(undefined);
  }

  /** Stops taking, awaits what is out, commits, closes; then completes, or fails with `cause`. */
  #leave(cause: SourceError | undefined): void {
    this.#stage = 'draining';
    for (const partition of this.#assignment.partitions) partition.dropQueued();
    this.#leaveError = cause ?? this.#lastRefusals();
    const note = (problem: unknown) => {
      this.#leaveError ??= problem;
      return EMPTY;
    };
    const steps$ = concat(
      this.#whenSettled(this.#options.drainTimeoutMs).pipe(catchError(note)),
      this.#commitAtLast().pipe(catchError(note)),
      defer(() => {
        this.#stage = 'closing';
        return this.#consumer === undefined ? EMPTY : from(this.#consumer.close());
      }).pipe(catchError(() => EMPTY)),
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

  /** The last commit is worth trying for as long as the drain may take: without it all of it comes again. */
  #commitAtLast(): Observable<void> {
    const until = asyncScheduler.now() + this.#options.drainTimeoutMs;
    const again = (error: unknown) => {
      if (!isRetryable(error) || asyncScheduler.now() > until) throw error;
      return timer(COMMIT_AGAIN_MS);
    };
    return defer(() => this.#commitAll()).pipe(retry({ delay: again }));
  }

  /** What was refused and waits to be read again is not drained: leaving now must not look like success. */
  #lastRefusals(): SourceError | undefined {
    for (const partition of this.#assignment.partitions) {
      const last = this.#attempts.get(partition.stream);
      if (partition.isOver && last !== undefined) return refusal(partition, last.offset, last.cause, last.count);
    }
    return undefined;
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

  #abandon(): void {
    this.#end();
  }

  #end(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#endAssignment();
    this.#asking?.unsubscribe();
    this.#connection?.unsubscribe();
    this.#timers.unsubscribe();
  }

  #endAssignment(): void {
    for (const partition of this.#assignment.partitions) {
      this.#options.monitor.forget('rxflume_source_lag', { stream: partition.stream });
    }
    this.#assignment.end();
    this.#assignment = new Assignment(this.#assignment.epoch, []);
    this.#figures.assigned.set(0);
    this.#figures.heldBack.set(0);
    if (this.#isWaitingForSettling) this.#settled$.next();
  }
}

function refusal(partition: Partition, offset: number, cause: unknown, attempts: number): SourceError {
  const tries = attempts > 1 ? ` after ${attempts} attempts` : '';
  const next = isRetryable(cause)
    ? 'What came before is committed; it comes again at the next start.'
    : 'The flow stops before it, since a refused record is never skipped; what came before is committed. ' +
      'Mend the cause, or give `decode` a `deadLetter` sink, and start again.';
  return new SourceError(
    'RXF_SOURCE_NACKED',
    `${partition.stream} offset ${offset} was refused${tries}: ${describeError(cause)} ${next}`,
    { cause, details: { stream: partition.stream, offset, attempts } },
  );
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no partition (other members of the group have them all)';
  const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
  return `${names.slice(0, 8).join(', ')}${more}`;
}
