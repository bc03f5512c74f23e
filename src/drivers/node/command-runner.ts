import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Readable } from 'node:stream';
import { Observable, type Subscriber, Subscription, timer } from 'rxjs';
import { ConnectError, describeError } from '../../core/errors.js';
import type { CommandLine, CommandListener, CommandRunner, RunningCommand } from '../../ports/command-runner.js';

/** What may pass by itself. */
const PASSING = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'];
/** How long after it was killed the pipes of a command are closed that something outside of its group holds open. */
const CLOSE_AFTER_MS = 500;

/**
 * Runs commands of this machine, each in a process group of its own, which is ended as a whole: a shell, and what it started.
 *
 * ```ts
 * import { commandRunner } from 'rxflume/drivers/node';
 * import { execSource } from 'rxflume/inputs';
 *
 * export const journal$ = execSource(commandRunner(), { name: 'journal', command: ['journalctl', '-f', '-o', 'json', '-n', '0'] });
 * ```
 *
 * Bounds: the pipe, 64 KiB, and as much again of each command while it is paused. A command that is asked to end and does not is killed
 * after `killAfterMs`; those that run when this process exits are killed. After `kill -9` of this process they run on until they write.
 * Fails: `RXF_EXEC_START` where a command cannot be started.
 * Source: Node, `child_process.spawn` with `detached`; POSIX `kill` of a process group.
 */
export function commandRunner(): CommandRunner {
  return {
    name: `commands of ${hostname()}`,
    run: (line, listener) =>
      new Observable((subscriber) => {
        try {
          const command = new Command(line, listener, subscriber);
          return () => command.leave();
        } catch (error) {
          // What is too long, for example, is thrown, and not emitted.
          subscriber.error(startError(line, error));
          return undefined;
        }
      }),
  };
}

const running = new Set<Command>();

/** Whatever ends this process, but a SIGKILL, ends what it runs. */
function killAll(): void {
  for (const command of running) command.kill();
}

class Command implements RunningCommand {
  readonly #line: CommandLine;
  readonly #listener: CommandListener;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #killing = new Subscription();
  #isOver = false;
  #isStopping = false;
  #isLeft = false;

  constructor(line: CommandLine, listener: CommandListener, out: Subscriber<RunningCommand>) {
    this.#line = line;
    this.#listener = listener;
    const [program = '', ...words] = line.command;
    this.#child = spawn(program, words, {
      cwd: line.cwd,
      env: { ...process.env, ...line.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.on('spawn', () => {
      if (running.size === 0) process.once('exit', killAll);
      running.add(this);
      out.next(this);
    });
    this.#child.on('error', (error) => {
      // Also emitted where a signal cannot be sent.
      if (this.#child.pid === undefined) out.error(startError(line, error));
    });
    this.#child.stdout.on('data', (bytes: Buffer) => {
      if (!this.#isLeft) this.#listener.output(bytes);
    });
    this.#child.stderr.on('data', (bytes: Buffer) => {
      if (!this.#isLeft) this.#listener.errorOutput(bytes);
    });
    for (const pipe of [this.#child.stdout, this.#child.stderr]) pipe.on('error', () => undefined);
    this.#child.on('close', (code, signal) => this.#closed(code, signal));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  pause(): void {
    if (!this.#isLeft) this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  stop(): void {
    if (this.#isOver || this.#isStopping || this.#child.pid === undefined) return;
    this.#isStopping = true;
    this.#signal('SIGTERM');
    this.#killing.add(timer(this.#line.killAfterMs).subscribe(() => this.kill()));
    this.#killing.add(timer(this.#line.killAfterMs + CLOSE_AFTER_MS).subscribe(() => this.#closePipes()));
  }

  kill(): void {
    if (!this.#isOver) this.#signal('SIGKILL');
  }

  /** Gives nothing more, and reads on: a command that waits for its pipe could not end. */
  leave(): void {
    this.#isLeft = true;
    this.#child.stdout.resume();
    this.stop();
  }

  #closed(code: number | null, signal: string | null): void {
    if (this.#isOver || this.#child.pid === undefined) return;
    this.#isOver = true;
    this.#killing.unsubscribe();
    running.delete(this);
    if (running.size === 0) process.removeListener('exit', killAll);
    if (!this.#isLeft) this.#listener.exited({ code, signal });
  }

  #closePipes(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // All of the group has ended.
    }
  }
}

function startError({ command: [program = ''], cwd }: CommandLine, cause: unknown): ConnectError {
  const code = (cause as { readonly code?: string } | null)?.code ?? '';
  const isFolderMissing = cwd !== undefined && !existsSync(cwd);
  const next = isFolderMissing
    ? `Its folder ${cwd} does not exist: create it, or change \`cwd\`.`
    : code === 'ENOENT'
      ? 'Install it, give its whole path, or, for what a shell knows, set `shell: true`.'
      : code === 'EACCES'
        ? 'Give the user of this process the right to execute it, and to enter its folder.'
        : 'Run it by hand as the user of this process.';
  return new ConnectError('RXF_EXEC_START', `Cannot run ${program}: ${describeError(cause)}. ${next}`, {
    cause,
    retryable: PASSING.includes(code),
    details: { program },
  });
}
