import { asyncScheduler, Observable, type Subscriber, Subscription } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type {
  CommandExit,
  CommandLine,
  CommandListener,
  CommandRunner,
  RunningCommand,
} from '../../ports/command-runner.js';

/**
 * Runs commands in memory, for tests: what a command writes, and how it ends, the test says. All its time is RxJS's, so inside
 * `TestScheduler.run` it is virtual.
 *
 * ```ts
 * import { execSource } from 'rxflume/inputs';
 * import { MemoryCommandRunner } from 'rxflume/testing';
 *
 * const commands = new MemoryCommandRunner();
 * export const lines$ = execSource(commands, { name: 'x', command: ['x'] });
 * export const writeOne = () => commands.runs.at(-1)?.write('hello\n');
 * ```
 */
export class MemoryCommandRunner implements CommandRunner {
  readonly name = 'commands in memory';
  /** Every command that was started, in order. */
  readonly runs: MemoryCommand[] = [];
  /** Whether the next ones can be started. */
  isStartable = true;
  readonly #latencyMs: number;

  constructor(latencyMs = 1) {
    this.#latencyMs = latencyMs;
  }

  run(line: CommandLine, listener: CommandListener): Observable<RunningCommand> {
    return new Observable((subscriber: Subscriber<RunningCommand>) => {
      if (!this.isStartable) {
        subscriber.error(new ConnectError('RXF_EXEC_START', `Cannot run ${line.command[0]}: not found.`));
        return undefined;
      }
      const command = new MemoryCommand(line, listener, this.runs.length + 1, this.#latencyMs);
      this.runs.push(command);
      const starting = asyncScheduler.schedule(() => subscriber.next(command), this.#latencyMs);
      return () => {
        starting.unsubscribe();
        command.leave();
      };
    });
  }
}

/** A command in memory. Once it was asked to end it does, unless it `ignoresStop` until it is killed. */
export class MemoryCommand implements RunningCommand {
  readonly line: CommandLine;
  readonly pid: number;
  /** What it was sent. */
  readonly signals: string[] = [];
  isPaused = false;
  isOver = false;
  ignoresStop = false;
  readonly #listener: CommandListener;
  readonly #latencyMs: number;
  readonly #later = new Subscription();
  #held: (() => void)[] = [];
  #isLeft = false;
  #isStopping = false;

  constructor(line: CommandLine, listener: CommandListener, pid: number, latencyMs: number) {
    this.line = line;
    this.#listener = listener;
    this.pid = pid;
    this.#latencyMs = latencyMs;
  }

  // What a test calls.

  /** Writes to its standard output. */
  write(text: string | Uint8Array): void {
    this.#soon(() => this.#hold(() => this.#listener.output(bytesOf(text))));
  }

  /** Writes to its standard error. */
  writeError(text: string): void {
    this.#soon(() => {
      if (!this.#isLeft) this.#listener.errorOutput(bytesOf(text));
    });
  }

  exit(code: number | null, signal: string | null = null): void {
    this.#soon(() => this.#end({ code, signal }));
  }

  // What the source calls.

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#flush();
  }

  stop(): void {
    if (this.isOver || this.#isStopping) return;
    this.#isStopping = true;
    this.signals.push('SIGTERM');
    if (!this.ignoresStop) this.exit(null, 'SIGTERM');
    this.#later.add(
      asyncScheduler.schedule(() => {
        if (this.isOver) return;
        this.signals.push('SIGKILL');
        this.#end({ code: null, signal: 'SIGKILL' });
      }, this.line.killAfterMs),
    );
  }

  // What the runner calls.

  leave(): void {
    this.#isLeft = true;
    this.#held = [];
    this.stop();
  }

  #soon(action: () => void): void {
    this.#later.add(
      asyncScheduler.schedule(() => {
        if (!this.isOver) action();
      }, this.#latencyMs),
    );
  }

  #end(exit: CommandExit): void {
    this.isOver = true;
    this.#later.unsubscribe();
    this.#hold(() => this.#listener.exited(exit));
  }

  /** A pipe holds what was written, also after the end, until it is read. */
  #hold(give: () => void): void {
    if (this.#isLeft) return;
    this.#held.push(give);
    this.#flush();
  }

  #flush(): void {
    while (!this.isPaused && !this.#isLeft) {
      const next = this.#held.shift();
      if (next === undefined) return;
      next();
    }
  }
}

function bytesOf(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
}
