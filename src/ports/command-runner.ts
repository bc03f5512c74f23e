import type { Observable } from 'rxjs';

/** What is run, and how. */
export interface CommandLine {
  /** The program and its arguments, each as it is. */
  readonly command: readonly string[];
  /** The folder it runs in; undefined for that of this process. */
  readonly cwd: string | undefined;
  /** Set beside what this process has in its environment; undefined takes one away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long after it was asked to end it, and all it started, is killed, in milliseconds. */
  readonly killAfterMs: number;
}

/** How a command ended: by itself, with a code, or by a signal such as `SIGKILL`. */
export interface CommandExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Whatever reads what a command writes. */
export interface CommandListener {
  /** Bytes of its standard output, in order; they are the listener's to keep. */
  output(bytes: Uint8Array): void;
  /** Bytes of its standard error. A pause does not hold these back. */
  errorOutput(bytes: Uint8Array): void;
  /** It has ended, and all it wrote was given. Called once, last. */
  exited(exit: CommandExit): void;
}

/** A command that runs. Nothing here throws, or does anything once it has ended. */
export interface RunningCommand {
  readonly pid: number;
  /** Reads no more of its standard output until `resume`; once its pipe is full, the command waits. */
  pause(): void;
  resume(): void;
  /**
   * Asks it, and all it started, to end (SIGTERM), and kills what is left after `killAfterMs`. What it still writes is given. Answers at
   * once; `exited` says when it is over.
   */
  stop(): void;
}

/** Runs commands of the machine. */
export interface CommandRunner {
  /** For messages, such as `commands of web1`. */
  readonly name: string;
  /**
   * Cold: subscribing starts the command, and emits once it runs; unsubscribing asks it, and all it started, to end, kills what is left
   * after `killAfterMs`, and gives nothing more. Fails with `ConnectError` (`RXF_EXEC_START`) where it cannot be started.
   */
  run(line: CommandLine, listener: CommandListener): Observable<RunningCommand>;
}
