import { defer, merge, type Observable, of, race, Subject, take, timer } from 'rxjs';
import { describeError, isRetryable, SourceError } from '../../core/errors.js';
import type { Metric } from '../../core/monitor.js';
import { type NextAttempt, Reconnect } from '../../lifecycle/reconnect.js';
import type { CommandExit, CommandRunner, RunningCommand } from '../../ports/command-runner.js';
import type { CallbackConnection, CallbackListener } from '../from/callback-connection.js';
import { CommandOutput, type CommandOutputHost } from './command-output.js';
import { ErrorLines } from './error-lines.js';
import type { CheckedOptions, ExecLine } from './options.js';

/** That a run of the command is over, as the end of a connection. */
class Exited {
  readonly exit: CommandExit;

  constructor(exit: CommandExit) {
    this.exit = exit;
  }
}

/** After it was killed the end of a command is awaited for so long. */
const GONE_WITHIN_MS = 1_000;

/** A command that is started again when it ends, as its exit codes and options say. */
export class SupervisedCommand implements CallbackConnection, CommandOutputHost {
  readonly #runner: CommandRunner;
  readonly #options: CheckedOptions;
  readonly #listener: CallbackListener<ExecLine>;
  readonly #restarts: Metric;
  readonly #lost: Metric;
  readonly #errors: ErrorLines;
  readonly #runs: Reconnect<RunningCommand>;
  readonly #over$ = new Subject<void>();
  #output: CommandOutput | undefined;
  #isPaused = false;

  constructor(runner: CommandRunner, options: CheckedOptions, listener: CallbackListener<ExecLine>) {
    const { name, monitor, restart } = options;
    const labels = { source: 'exec', name };
    this.#runner = runner;
    this.#options = options;
    this.#listener = listener;
    this.#restarts = monitor.metric('rxflume_source_restarts_total', labels);
    this.#lost = monitor.metric('rxflume_source_lost_total', labels);
    this.#errors = new ErrorLines(this.#stream, monitor, options.errorOutput === 'log');
    this.#runs = new Reconnect({
      backoff: { ...restart, jitter: 0, random: () => 0 },
      connect: () => this.#run(),
      opened: (command) => {
        if (this.#isPaused) command.pause();
      },
      ended: (error, next) => this.#ended(error, next),
    });
    this.#runs.start();
  }

  // What the session calls.

  pause(): void {
    this.#isPaused = true;
    this.#runs.current?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#output?.give();
    if (!this.#isPaused) this.#runs.current?.resume();
  }

  stop(): void {
    this.close();
  }

  close(): void {
    this.#runs.end();
    const unread = this.#output?.drop() ?? 0;
    this.#output = undefined;
    if (unread > 0) this.#lost.add(unread);
  }

  /** Asks the command to end; emits once it has and its lines were given, or after a bounded time. */
  ended(): Observable<unknown> {
    return defer(() => {
      const command = this.#runs.leave();
      if (command === undefined) return of(undefined);
      const gone$ = race(this.#over$, timer(this.#options.killAfterMs + GONE_WITHIN_MS)).pipe(take(1));
      // After the subscription to `gone$`, in which it may end at once.
      return merge(
        gone$,
        defer(() => {
          command.stop();
          return [];
        }),
      );
    });
  }

  // What a run calls.

  get isTaking(): boolean {
    return !this.#isPaused;
  }

  line(line: ExecLine): void {
    this.#listener.next(line);
  }

  over(exit: CommandExit): void {
    this.#runs.broken(new Exited(exit));
    this.#over$.next();
  }

  get #stream(): string {
    return `exec:${this.#options.name}`;
  }

  #run(): Observable<RunningCommand> {
    return defer(() => {
      const output = new CommandOutput(this.#options.maxMessageBytes, this.#errors, this);
      this.#output = output;
      return this.#runner.run(this.#options.line, output);
    });
  }

  #ended(error: unknown, next: NextAttempt | null): boolean {
    const { restart, monitor, endCodes, failCodes } = this.#options;
    if (next === null) return false;
    const isExit = error instanceof Exited;
    const code = isExit ? error.exit.code : null;
    if (code !== null && endCodes.includes(code)) {
      this.#listener.complete();
      return false;
    }
    const mayRestart = isExit ? code === null || !failCodes.includes(code) : isRetryable(error);
    if (!mayRestart || next.failures > restart.maxAttempts) {
      this.#listener.error(isExit ? this.#exitError(error.exit, next.failures) : error);
      return false;
    }
    this.#restarts.add(1);
    const why = isExit ? this.#exitText(error.exit) : `cannot be started: ${describeError(error)}`;
    const message = `The command of ${this.#stream} ${why}. It is started again in ${next.delayMs} ms, for the ${next.failures}. time in a row.`;
    monitor.logEvent('warn', 'exec.restart', message, { name: this.#options.name, failures: next.failures });
    return true;
  }

  #exitText({ code, signal }: CommandExit): string {
    const how = code === null ? `was ended by ${signal ?? 'a signal'}` : `exited with code ${code}`;
    return this.#errors.last === '' ? how : `${how}; the last it wrote to its standard error is: ${this.#errors.last}`;
  }

  #exitError(exit: CommandExit, failures: number): SourceError {
    const often = failures > 1 ? `, ${failures} times in a row` : '';
    const next =
      'Run it by hand as the user of this process. Which codes end the source, fail it, or start the command again is set by ' +
      '`endCodes`, `failCodes` and `restart`.';
    const message = `The command of ${this.#stream} (${this.#options.line.command[0]}) ${this.#exitText(exit)}${often}. ${next}`;
    return new SourceError('RXF_EXEC_EXITED', message, { details: { ...exit } });
  }
}
