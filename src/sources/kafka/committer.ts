import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
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
import type { KafkaConsumer } from '../../ports/kafka-consumer.js';
import type { Assignment } from './assignment.js';
import { type CommitOptions, CommitSchedule, type CommitStep } from './commit.js';
import type { Partition } from './partition.js';

/** Commits that fail in a row before the stream fails: about two minutes, longer than a broker takes to restart. */
const MOST_FAILURES = 120;
/** The same trouble is told again only after so long. */
const TELL_EVERY_MS = 10_000;
/** The wait before a failed commit of a drain is tried again. */
const AGAIN_MS = 500;

/** What the committer needs of the session it commits for. */
export interface CommitsFor {
  readonly consumer: KafkaConsumer | undefined;
  readonly assignment: Assignment;
  /** False while it leaves: then a failed commit is the leaving's to judge. */
  readonly isRunning: boolean;
  failed(error: CommitError): void;
}

/** Makes the commits that `CommitSchedule` says are due, one at a time, and tries failed ones again. */
export class Committer {
  readonly #session: CommitsFor;
  readonly #schedule: CommitSchedule;
  readonly #intervalMs: number;
  readonly #monitor: Monitor;
  readonly #commits;
  readonly #committed;
  readonly #life = new Subscription();
  #underWay: Observable<void> | undefined;
  #failures = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(session: CommitsFor, options: CommitOptions, monitor: Monitor, labels: Readonly<Record<string, string>>) {
    this.#session = session;
    this.#schedule = new CommitSchedule(options.count);
    this.#intervalMs = options.intervalMs;
    this.#monitor = monitor;
    this.#commits = monitor.figure('rxflume_source_commits_total', labels);
    this.#committed = monitor.figure('rxflume_source_committed_total', labels);
  }

  acked(count: number): void {
    this.#follow(this.#schedule.acked(count));
  }

  /** Partitions were taken up from a ledger: the broker is told, though nothing was acked yet. */
  takenUp(): void {
    this.#follow(this.#schedule.acked(1));
  }

  /** Commits all that may be; after the commit that is under way, where there is one. Fails as the driver does. */
  all(): Observable<void> {
    const before$ = this.#underWay?.pipe(catchError(() => EMPTY)) ?? EMPTY;
    return concat(
      before$,
      defer(() => this.#commit()),
    );
  }

  /** The last commit is worth trying for as long as leaving may take: without it all of it comes again. */
  allWithin(ms: number): Observable<void> {
    const until = monotonicMs() + ms;
    const again = (error: unknown) => {
      if (!isRetryable(error) || monotonicMs() > until) throw error;
      return timer(AGAIN_MS);
    };
    return defer(() => this.all()).pipe(retry({ delay: again }));
  }

  end(): void {
    this.#life.unsubscribe();
  }

  #follow(step: CommitStep): void {
    if (this.#life.closed) return;
    if (step === 'commit') this.all().subscribe({ error: () => undefined });
    if (step !== 'startInterval') return;
    this.#life.add(timer(this.#intervalMs).subscribe(() => this.#follow(this.#schedule.intervalEnded())));
  }

  #commit(): Observable<void> {
    const { consumer, assignment } = this.#session;
    const offsets = assignment.uncommitted();
    if (consumer === undefined || offsets.length === 0) return EMPTY;
    this.#schedule.started();
    const answer$ = new ReplaySubject<void>(1);
    this.#underWay = answer$;
    from(this.#tell(consumer, offsets)).subscribe({
      error: (error: unknown) => {
        this.#underWay = undefined;
        this.#failed(error);
        answer$.error(error);
      },
      complete: () => {
        this.#underWay = undefined;
        this.#failures = 0;
        this.#toldAt = Number.NEGATIVE_INFINITY;
        for (const { of, offset } of offsets) this.#told(of, offset);
        this.#commits.add(1);
        answer$.complete();
        this.#follow(this.#schedule.ended('done'));
      },
    });
    return answer$;
  }

  /** Tells the broker, or the sink that commits the group's offsets in its place. */
  #tell(consumer: KafkaConsumer, offsets: ReturnType<Assignment['uncommitted']>): ObservableInput<unknown> {
    const [first] = offsets;
    const sink = first?.of.replay?.resumeFrom;
    if (sink?.commit === undefined) {
      const told = offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
      return consumer.commit(this.#session.assignment.epoch, told);
    }
    return sink.commit(
      offsets.flatMap(({ of: { stream, replay }, offset }) =>
        replay === undefined ? [] : [{ stream, offset, answer: replay.answer }],
      ),
    );
  }

  #told(partition: Partition, offset: number): void {
    const before = partition.committed < 0 ? partition.start : partition.committed;
    this.#committed.add(Math.max(0, offset - before));
    partition.committed = Math.max(partition.committed, offset);
    if (partition.isOver) return;
    const labels = { stream: partition.stream };
    this.#monitor.figure('rxflume_source_lag', labels).set(Math.max(0, partition.highWatermark - offset));
    this.#monitor.figure('rxflume_source_committed_offset', labels).set(offset);
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    if (this.#session.isRunning && (!isRetryable(error) || this.#failures > MOST_FAILURES)) {
      this.#session.failed(
        error instanceof CommitError
          ? error
          : new CommitError('RXF_KAFKA_COMMIT', `Cannot commit: ${describeError(error)}`, { cause: error }),
      );
      return;
    }
    if (monotonicMs() - this.#toldAt >= TELL_EVERY_MS) {
      this.#toldAt = monotonicMs();
      this.#monitor.notice('warn', 'RXF_KAFKA_COMMIT', `${describeError(error)} Tried again with the next commit.`);
    }
    this.#follow(this.#schedule.ended('retry'));
  }
}
