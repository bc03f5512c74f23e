import { concat, concatMap, defer, EMPTY, filter, ignoreElements, type Observable, take, tap, timer } from 'rxjs';
import { OptionError } from '../../core/errors.js';
import { guarded, within } from '../../lifecycle/time-limit.js';
import type { Committer } from './committer.js';
import type { CheckedOptions } from './options.js';
import type { Partition } from './partition.js';
import { resetHint } from './resume.js';
import type { SessionState } from './session-state.js';

/** What is in flight of a partition that is to be moved is waited for so long. */
const SETTLE_WITHIN_MS = 30_000;
const COMMIT_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

/**
 * Has a partition read on from another offset, and commits that as a member of the group: a tool of the broker can do so only while the
 * group has no member. What is in flight is settled and committed first, so nothing of it is lost or mixed with what is read then.
 *
 * Fails: `RXF_FLOW_COMMAND` where the flow is not paused, the log does not have the offset, the position is in a ledger or in transactions, or the partition is not ours
 * any more; as a commit does.
 */
export class Resetting {
  readonly #state: SessionState;
  readonly #committer: Committer;
  readonly #options: Pick<CheckedOptions, 'groupId' | 'resumeFrom'>;
  readonly #settle: () => void;

  constructor(
    state: SessionState,
    committer: Committer,
    options: Pick<CheckedOptions, 'groupId' | 'resumeFrom'>,
    settle: () => void,
  ) {
    this.#state = state;
    this.#committer = committer;
    this.#options = options;
    this.#settle = settle;
  }

  /** Whether the group's own offsets are believed: only these can be moved without storing values twice or never. */
  get isPossible(): boolean {
    return this.#options.resumeFrom === undefined;
  }

  run(stream: string, offset: number): Observable<never> {
    return defer(() => {
      const { assignment } = this.#state;
      const partition = assignment.partitions.find((one) => one.stream === stream);
      if (partition === undefined) throw denied(stream, 'it is not read here now');
      if (!this.isPossible) {
        const { topic, partition: number, watermark } = partition;
        const committed = Math.max(partition.committed, watermark.offset);
        throw denied(
          stream,
          'its position is kept with what is stored, so records that are in committed files or topics would be stored twice, or never. ' +
            resetHint({ topic, partition: number, stream, committed }, offset, this.#options),
        );
      }
      const isOurs = () => this.#state.isTaking && this.#state.assignment === assignment && !partition.isOver;
      const settled$ = timer(0, LOOK_EVERY_MS).pipe(
        tap(() => this.#settle()),
        filter(() => !isOurs() || partition.isSettled),
        take(1),
        ignoreElements(),
        within(SETTLE_WITHIN_MS, () =>
          denied(
            stream,
            `${partition.unsettled} records of it are still in flight after ${SETTLE_WITHIN_MS / 1_000} s. Try again when they are settled`,
          ),
        ),
      );
      return concat(
        settled$,
        this.#committer.allWithin(COMMIT_WITHIN_MS).pipe(ignoreElements()),
        this.#expectInLog(partition, offset),
        defer(() => {
          if (!isOurs()) throw denied(stream, 'it was taken away meanwhile, or is read again after a nack. Try again');
          if (!this.#state.isPaused) throw denied(stream, 'the flow is not paused. Pause it first');
          if (!partition.isSettled) throw denied(stream, 'records of it are in flight again. Try again');
          return this.#moved(partition, offset);
        }),
      );
    });
  }

  /** A position outside of its log would end the flow once it is resumed. */
  #expectInLog(partition: Partition, offset: number): Observable<never> {
    return defer(() => {
      const { consumer } = this.#state;
      if (consumer?.describeLogs === undefined) return EMPTY;
      const late = () => denied(partition.stream, 'the broker does not say where its log begins and ends. Try again');
      return guarded(() => consumer.describeLogs?.([partition]) ?? [], COMMIT_WITHIN_MS, late).pipe(
        concatMap((logs) => {
          const [{ start = 0, end } = { end: -1 }] = logs;
          if (end < 0) throw late();
          if (offset >= start && offset <= end) return EMPTY;
          throw denied(partition.stream, `its log has offsets ${start} to ${end}, and not ${offset}`);
        }),
      );
    });
  }

  #moved(partition: Partition, offset: number): Observable<never> {
    const fresh = this.#move(partition, offset);
    return concat(
      this.#committer.allWithin(COMMIT_WITHIN_MS).pipe(ignoreElements()),
      defer(() => {
        // A commit of an epoch that has ended completes too, and says nothing.
        if (fresh.committed >= offset) return EMPTY;
        const { stream } = fresh;
        throw denied(stream, 'it was taken away before its new offset was committed. Look where it is read now');
      }),
    );
  }

  #move(partition: Partition, offset: number): Partition {
    partition.end();
    const fresh = partition.movedTo(offset);
    this.#state.assignment.replace(fresh);
    const { topic, partition: number } = fresh;
    this.#state.call((consumer) => consumer.pause([fresh]));
    this.#state.call((consumer) => consumer.seek({ topic, partition: number, offset }));
    fresh.isPaused = true;
    return fresh;
  }
}

function denied(stream: string, why: string): OptionError {
  return new OptionError('RXF_FLOW_COMMAND', `Cannot move ${stream}: ${why}.`.replace(/\.\.$/, '.'), {
    details: { stream, command: 'reset' },
  });
}
