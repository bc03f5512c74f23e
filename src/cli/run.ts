import { Subject, type Subscription } from 'rxjs';
import { monotonicMs } from '../core/clock.js';
import { defaultMonitor, type Monitor } from '../core/monitor.js';
import type { Flow } from '../flow/flow.js';
import { controlOf } from '../flow/running-flows.js';
import { guaranteeClause } from './check/check-text.js';
import type { ConsoleLog } from './console-log.js';
import { type Progress, ProgressReader, progressLine } from './progress.js';
import { sayError } from './say-error.js';
import { watchStalls } from './stall-watch.js';

export interface RunOptions {
  /** Drain after this many milliseconds without a record; null: run until stopped. */
  readonly untilIdleMs: number | null;
  /** The time limit of a drain before it is abandoned, in milliseconds. */
  readonly drainTimeoutMs: number;
  readonly monitor?: Monitor;
}

export interface Running {
  /** 0 drained, 1 failed or abandoned. */
  readonly exitCode: Promise<0 | 1>;
  /** The first call drains; a second one, at least half a second later, abandons. */
  stop(why: string): void;
}

/** A signal to a process group arrives twice: from the system, and forwarded by npm. Within this time it counts as one. */
const ONE_SIGNAL_MS = 500;

/** Runs a flow until it is drained, fails, or is abandoned, and prints its progress. */
export function run(flow: Flow<unknown>, log: ConsoleLog, options: RunOptions): Running {
  const monitor = options.monitor ?? defaultMonitor;
  const startedAt = monotonicMs();
  const reader = new ProgressReader(monitor, startedAt);
  const stop$ = new Subject<void>();
  let subscription: Subscription | undefined;
  let deadline: NodeJS.Timeout | undefined;
  /** When the last record arrived, if the flow was stopped because it was idle. */
  let busyUntil: number | undefined;
  let stoppingSince: number | undefined;
  let end: (code: 0 | 1) => void = () => undefined;
  const exitCode = new Promise<0 | 1>((resolve) => {
    end = resolve;
  });

  const show = () => {
    const progress = reader.read(monotonicMs());
    log.progress(progressLine(flow.name, progress, log.columns), { flow: flow.name, ...progress });
  };
  const logEvents = monitor.logEvents$.subscribe(({ level, what, message, details }) =>
    log.say(level, what, message, details),
  );
  const showing = setInterval(show, log.progressEveryMs);
  const idle =
    options.untilIdleMs === null
      ? undefined
      : watchIdle(
          monitor,
          options.untilIdleMs,
          () => controlOf(flow.name)?.state === 'paused',
          (lastRecordAt) => {
            busyUntil = lastRecordAt;
            stop('idle');
          },
        );

  const unwatch = watchStalls(monitor, (level, what, message, details) => log.say(level, what, message, details));

  const finish = (outcome: 'drained' | 'failed' | 'abandoned', error?: unknown) => {
    clearInterval(showing);
    unwatch();
    clearTimeout(deadline);
    idle?.();
    logEvents.unsubscribe();
    if (error !== undefined) sayError(log, error, monitor.reportedOf(error));
    const progress = reader.read(monotonicMs());
    const seconds = (monotonicMs() - startedAt) / 1_000;
    const busySeconds = busyUntil === undefined ? seconds : (busyUntil - startedAt) / 1_000;
    // Of the whole run; the progress line's is of the time since the line before.
    const recordsPerSecond = Math.round(progress.records / Math.max(0.001, busySeconds));
    const whole = { ...progress, recordsPerSecond };
    const facts = { flow: flow.name, outcome, seconds, ...whole };
    log.say('info', 'summary', summaryOf(flow.name, outcome, whole, seconds), facts);
    end(outcome === 'drained' ? 0 : 1);
  };
  const abandon = (why: string) => {
    subscription?.unsubscribe();
    log.say('warn', 'abandoned', `Abandoned: ${why}. Uncommitted records are redelivered at the next start.`);
    finish('abandoned');
  };
  const stop = (why: string) => {
    if (stoppingSince !== undefined) {
      if (monotonicMs() - stoppingSince < ONE_SIGNAL_MS) return;
      abandon(`received ${why} while draining`);
      return;
    }
    stoppingSince = monotonicMs();
    log.say(
      'info',
      'draining',
      `Draining (${why}); at most ${options.drainTimeoutMs} ms, a second signal abandons the flow.`,
    );
    deadline = setTimeout(
      () => abandon(`the drain took longer than ${options.drainTimeoutMs} ms`),
      options.drainTimeoutMs,
    );
    stop$.next();
  };

  const { name, guarantee } = flow;
  log.say('info', 'started', `Running ${name}, ${guaranteeClause(guarantee)}.`, {
    flow: name,
    guarantee: guarantee.level,
  });
  for (const warning of flow.warnings) log.say('warn', 'flow.warning', warning, { flow: name });
  subscription = flow.drainedBy(stop$).subscribe({
    error: (error: unknown) => finish('failed', error),
    complete: () => finish('drained'),
  });
  return { exitCode, stop };
}

/**
 * Calls `onIdle` once, with when the last record was seen, when what the group gave us is read without trouble, none is held
 * back, none came for so long, and the flow is not paused.
 */
function watchIdle(
  monitor: Monitor,
  untilIdleMs: number,
  isPaused: () => boolean,
  onIdle: (lastRecordAt: number) => void,
): () => void {
  let seen = monitor.total('rxflume_source_records_total');
  let since = monotonicMs();
  let lastRecordAt = since;
  const checking = setInterval(
    () => {
      const records = monitor.total('rxflume_source_records_total');
      const isReading =
        !isPaused() &&
        monitor.total('rxflume_source_joined') > 0 &&
        monitor.total('rxflume_source_interrupted') === 0 &&
        monitor.total('rxflume_source_held_back_partitions') === 0;
      const now = monotonicMs();
      if (records !== seen) lastRecordAt = now;
      if (records !== seen || !isReading) {
        seen = records;
        since = now;
      } else if (now - since >= untilIdleMs) {
        clearInterval(checking);
        onIdle(lastRecordAt);
      }
    },
    Math.min(100, Math.max(5, untilIdleMs / 4)),
  );
  return () => clearInterval(checking);
}

function summaryOf(
  name: string,
  outcome: string,
  { records, recordsPerSecond, acked, committed, files, storedBytes }: Progress,
  seconds: number,
): string {
  const parts = [
    `${name} ${outcome} after ${seconds.toFixed(1)} s: ${records} records in (${recordsPerSecond}/s)`,
    `${acked} settled`,
    ...(committed === undefined ? [] : [`${committed} committed`]),
    ...(files === undefined ? [] : [`${files} files`]),
    ...(storedBytes === undefined ? [] : [`${storedBytes} bytes out`]),
  ];
  return `${parts.join(', ')}.`;
}
