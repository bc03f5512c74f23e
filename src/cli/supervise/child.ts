import { type ChildProcess, fork } from 'node:child_process';
import { monotonicMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import { ChildLife, type StopReason } from './child-life.js';
import { type ChildMessage, type ChildState, SUPERVISED } from './messages.js';
import type { Post } from './roster.js';

/** How processes are started, the same for all. */
export interface ChildSetting {
  /** The program: this one. */
  readonly program: string;
  readonly execArgv: readonly string[];
  /** Arguments of `rxflume run` behind its file, for the process of that name. */
  readonly argumentsOf: (post: Post) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** After so long a process that was asked to stop is killed, in milliseconds. */
  readonly killAfterMs: number;
  /** The most memory of a process, in bytes; beyond it is drained and started again. */
  readonly maxMemoryBytes: number | undefined;
}

export interface ChildEvents {
  message(child: Child, message: ChildMessage): void;
  said(child: Child, level: 'info' | 'warn' | 'error', name: string, message: string): void;
  /** It will not be started again. */
  over(child: Child, code: number): void;
}

/** One process that is kept running. */
export class Child {
  readonly post: Post;
  readonly #setting: ChildSetting;
  readonly #events: ChildEvents;
  readonly #life = new ChildLife();
  #process: ChildProcess | undefined;
  #startedAt = 0;
  #waiting: NodeJS.Timeout | undefined;
  #killing: NodeJS.Timeout | undefined;
  #state: ChildState | undefined;
  #restarts = 0;
  #isOver = false;
  /** Called when the process that runs now has ended. */
  #onExit: (() => void) | undefined;

  constructor(post: Post, setting: ChildSetting, events: ChildEvents) {
    this.post = post;
    this.#setting = setting;
    this.#events = events;
    this.#start();
  }

  /** What it said last; undefined while it starts, or does not run. */
  get state(): ChildState | undefined {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How often it was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Drains the process. For a reload or its memory, it is started again when it has ended.
   *
   * Settles: when the process has ended, which is after `killAfterMs` at the latest.
   */
  stop(reason: StopReason): Promise<void> {
    clearTimeout(this.#waiting);
    const running = this.#process;
    if (running === undefined) {
      if (reason === 'stop') this.#end(0);
      else if (!this.#isOver) this.#start();
      return Promise.resolve();
    }
    const hadStopped = this.#life.isStopped;
    this.#life.stop(reason);
    return new Promise((resolve) => {
      const before = this.#onExit;
      this.#onExit = () => {
        before?.();
        resolve();
      };
      running.kill('SIGTERM');
      if (hadStopped) return;
      clearTimeout(this.#killing);
      this.#killing = setTimeout(() => {
        this.#say('error', 'process.killed', `did not end within ${this.#setting.killAfterMs} ms, and was killed`);
        running.kill('SIGKILL');
      }, this.#setting.killAfterMs);
    });
  }

  #start(): void {
    const { program, execArgv, argumentsOf, env } = this.#setting;
    const args = ['run', this.post.file, '--flow', this.post.flow, ...argumentsOf(this.post)];
    this.#startedAt = monotonicMs();
    const child = fork(program, args, {
      execArgv: [...execArgv],
      env: { ...env, [SUPERVISED]: this.post.id },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process = child;
    child.on('message', (message: ChildMessage) => this.#message(message));
    let isEnded = false;
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      if (isEnded) return;
      isEnded = true;
      this.#exited(code, signal);
    };
    child.once('exit', ended);
    child.once('error', (error) => {
      this.#say('error', 'process.failed', `could not be started: ${describeError(error)}`);
      if (child.pid === undefined) ended(1, null);
    });
  }

  #message(message: ChildMessage): void {
    if (message.what === 'state') {
      this.#state = message;
      const { maxMemoryBytes: most } = this.#setting;
      if (most !== undefined && message.residentBytes > most && this.#killing === undefined) {
        const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
        this.#say(
          'warn',
          'process.memory',
          `has ${mib(message.residentBytes)} MiB of memory, above ${mib(most)}: it drains and is started again`,
        );
        void this.stop('memory');
      }
    }
    this.#events.message(this, message);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#killing);
    this.#killing = undefined;
    this.#process = undefined;
    this.#state = undefined;
    const after = this.#life.exited({ code, signal, ranMs: monotonicMs() - this.#startedAt });
    const waiting = this.#onExit;
    this.#onExit = undefined;
    if (after.next === 'over') {
      this.#end(after.code);
    } else {
      this.#restarts += 1;
      if (after.afterMs > 0) {
        const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
        this.#say('warn', 'process.ended', `${how}; it is started again in ${after.afterMs / 1_000} s`);
      }
      this.#waiting = setTimeout(() => this.#start(), after.afterMs);
    }
    waiting?.();
  }

  #end(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.over(this, code);
  }

  #say(level: 'info' | 'warn' | 'error', name: string, message: string): void {
    this.#events.said(this, level, name, `Process ${this.post.id} ${message}.`);
  }
}
