import {
  catchError,
  concat,
  defer,
  EMPTY,
  type Observable,
  type ObservableInput,
  ReplaySubject,
  retry,
  Subscription,
  timer,
} from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { CommitError, describeError, isRetryable } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import { guarded, within } from '../../lifecycle/time-limit.js';
import type { CommittedOffset } from '../../ports/kafka-consumer.js';
import { type CommitOptions, CommitScheduler, type CommitStep } from './commit-scheduler.js';
import type { Partition } from './partition.js';
import type { SessionState } from './session-state.js';

/** Commits that fail in a row before the stream fails: about two minutes, longer than a broker takes to restart. */
const MAX_FAILURES = 120;
/** The same trouble is reported again only after so long. */
const TELL_EVERY_MS = 10_000;
/** The longest a commit is waited for: longer than a driver asks a broker, and asks another after it. */
const COMMIT_WITHIN_MS = 60_000;
/** The wait before a failed commit of a drain is tried again. */
const AGAIN_MS = 500;

/** Makes the commits that `CommitScheduler` says are due, one at a time, and tries failed ones again. */
export class Committer {
  readonly #state: SessionState;
  readonly #schedule: CommitScheduler;
  readonly #intervalMs: number;
  readonly #monitor: Monitor;
  readonly #commits;
  readonly #committed;
  readonly #life = new Subscription();
  #underWay: Observable<void> | undefined;
  #answering = Subscription.EMPTY;
  #failures = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(state: SessionState, options: CommitOptions, monitor: Monitor, labels: Readonly<Record<string, string>>) {
    this.#state = state;
    this.#schedule = new CommitScheduler(options.count);
    this.#intervalMs = options.intervalMs;
    this.#monitor = monitor;
    this.#commits = monitor.metric('rxflume_source_commits_total', labels);
    this.#committed = monitor.metric('rxflume_source_committed_offsets_total', labels);
  }

  acked(count: number): void {
    this.#follow(this.#schedule.acked(count));
  }

  /** Where reading begins or resumes may be news to the broker. */
  resumed(): void {
    if (this.#state.assignment.partitions.some(({ isUncommitted }) => isUncommitted)) this.#due();
  }

  /** More of the partition's log is known, or was read without a record to ack. */
  fetched(partition: Partition): void {
    if (partition.isSettled && !partition.hasQueued && partition.isUncommitted) this.#due();
  }

  /** Commits until it has succeeded: where reading begins is to be remembered before anything is read. */
  remember(): Observable<void> {
    return this.#persistently(() => true);
  }

  /** A new epoch: what is under way belongs to the old one, and must not hold up the commits of this. */
  epochEnded(): void {
    this.#answering.unsubscribe();
  }

  /** Commits all that may be; after the commit that is under way, where there is one. Fails as the driver does. */
  all(): Observable<void> {
    return defer(() => {
      if (this.#underWay === undefined) return this.#commit();
      // Another who waits for it may be first to make the next one, which is then waited for too.
      return concat(this.#underWay.pipe(catchError(() => EMPTY)), this.all());
    });
  }

  /** The last commit is worth trying for as long as leaving may take: without it all of it is redelivered. */
  allWithin(ms: number): Observable<void> {
    return defer(() => {
      const until = monotonicMs() + ms;
      const late = () => new CommitError('RXF_KAFKA_COMMIT', `The last commit was not answered within ${ms} ms.`);
      return this.#persistently(() => monotonicMs() <= until).pipe(within(ms + AGAIN_MS, late));
    });
  }

  #persistently(mayRetry: () => boolean): Observable<void> {
    const again = (error: unknown) => {
      if (!isRetryable(error) || !mayRetry()) throw error;
      return timer(AGAIN_MS);
    };
    return defer(() => this.all()).pipe(retry({ delay: again }));
  }

  end(): void {
    this.#life.unsubscribe();
    this.#answering.unsubscribe();
  }

  /** There is something to commit though nothing was acked. */
  #due(): void {
    this.#follow(this.#schedule.due());
  }

  #follow(step: CommitStep): void {
    if (this.#life.closed) return;
    if (step === 'commit') this.all().subscribe({ error: () => undefined });
    if (step !== 'startInterval') return;
    this.#life.add(timer(this.#intervalMs).subscribe(() => this.#follow(this.#schedule.intervalEnded())));
  }

  #commit(): Observable<void> {
    const offsets = uncommitted(this.#state.assignment.partitions);
    if (this.#state.consumer === undefined || offsets.length === 0) return EMPTY;
    this.#schedule.started();
    const answer$ = new ReplaySubject<void>(1);
    const answering = new Subscription(() => this.#ended(answer$));
    this.#underWay = answer$;
    this.#answering = answering;
    const telling = guarded(() => this.#tell(offsets), COMMIT_WITHIN_MS, lateCommit)
      .pipe(catchError(asCommitError))
      .subscribe({
        error: (error: unknown) => {
          this.#underWay = undefined;
          this.#failed(error as CommitError);
          answer$.error(error);
        },
        complete: () => {
          this.#underWay = undefined;
          this.#failures = 0;
          this.#reportedAt = Number.NEGATIVE_INFINITY;
          for (const { of, offset } of offsets) this.#reported(of, offset);
          this.#commits.add(1);
          this.#answered(answer$);
        },
      });
    answering.add(telling);
    return answer$;
  }

  /** Given up: nobody waits for it any more. */
  #ended(answer$: ReplaySubject<void>): void {
    if (this.#underWay !== answer$) return;
    this.#underWay = undefined;
    this.#answered(answer$);
  }

  #answered(answer$: ReplaySubject<void>): void {
    // First: who waits for the answer may begin the next commit at once.
    const step = this.#schedule.ended('done');
    answer$.complete();
    this.#follow(step);
  }

  /** Tells the broker, or the sink that commits the group's offsets in its place. */
  #tell(offsets: readonly Uncommitted[]): ObservableInput<unknown> {
    const { consumer, assignment } = this.#state;
    const sink = offsets[0]?.of.resumeTracker?.resumeFrom;
    if (sink?.commit === undefined) {
      const positions = offsets.map(({ of, ...position }) => position);
      return consumer?.commit(assignment.epoch, positions) ?? [];
    }
    const acked = offsets.flatMap(({ of: { stream, resumeTracker }, offset }) =>
      resumeTracker === undefined ? [] : [{ stream, offset, lookup: resumeTracker.lookup }],
    );
    return sink.commit(acked);
  }

  #reported(partition: Partition, offset: number): void {
    const before = partition.committed < 0 ? partition.start : partition.committed;
    this.#committed.add(Math.max(0, offset - before));
    partition.committed = Math.max(partition.committed, offset);
  }

  #failed(error: CommitError): void {
    const { lifecycle } = this.#state;
    this.#failures += 1;
    // While it leaves, a failed commit is for the drain to judge.
    if (lifecycle.isRunning && (!error.retryable || this.#failures > MAX_FAILURES)) {
      lifecycle.fail(error);
      return;
    }
    if (monotonicMs() - this.#reportedAt >= TELL_EVERY_MS) {
      this.#reportedAt = monotonicMs();
      this.#monitor.logEvent(
        'warn',
        'RXF_KAFKA_COMMIT',
        sentence(describeError(error), 'Retrying with the next commit'),
      );
    }
    this.#follow(this.#schedule.ended('retry'));
  }
}

/** What may be committed of a partition. */
interface Uncommitted extends CommittedOffset {
  readonly of: Partition;
}

/** What the broker does not know yet of these partitions. */
export function uncommitted(partitions: readonly Partition[]): readonly Uncommitted[] {
  const behind = partitions.filter(({ isUncommitted }) => isUncommitted);
  return behind.map((of) => {
    const { topic, partition, watermark } = of;
    const { offset, emptyFrom } = watermark;
    return { topic, partition, offset, ...(emptyFrom < offset && { emptyFrom }), of };
  });
}

/** Why a commit counts as failed that nobody answered. */
function lateCommit(): CommitError {
  return new CommitError('RXF_KAFKA_COMMIT', `A commit was not answered within ${COMMIT_WITHIN_MS} ms.`);
}

function asCommitError(error: unknown): never {
  if (error instanceof CommitError) throw error;
  const extras = { cause: error, retryable: isRetryable(error) };
  throw new CommitError('RXF_KAFKA_COMMIT', sentence(`Cannot commit: ${describeError(error)}`), extras);
}
