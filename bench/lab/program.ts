import { type ChildProcess, spawn } from 'node:child_process';
import { compiled } from './compiled.js';
import type { Measured } from './contest.js';
import { usageOf } from './watch.js';

const LONGEST_RUN_MS = 300_000;
const SAMPLE_MS = 100;

/** What a program of `bench/programs` says to whom started it. */
export type Said =
  | { readonly say: 'ready' }
  | { readonly say: 'seen'; readonly records: number }
  | { readonly say: 'durable'; readonly path: string; readonly atMs: number }
  | { readonly say: 'done'; readonly records: number; readonly seconds: number; readonly cpuSeconds: number };

export interface Durable {
  readonly path: string;
  readonly atMs: number;
}

/**
 * A program of `bench/programs`, in a process of its own: it loads, waits until it is told to go, and measures itself
 * from there until everything is stored, connecting included.
 */
export class Program {
  readonly #child: ChildProcess;
  readonly #limit: NodeJS.Timeout;
  readonly #sampling: NodeJS.Timeout;
  readonly #rssMiB: number[] = [];
  readonly #ready: Promise<void>;
  readonly #measured: Promise<Measured>;
  #peakRssMiB = 0;
  /** Records it has read so far, where it tells. */
  seen = 0;
  /** Files it has made durable, where it tells. */
  readonly durable: Durable[] = [];

  constructor(name: string, task: object, nodeFlags: readonly string[] = []) {
    const asked = (process.env.RXFLUME_BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean);
    this.#child = spawn(
      process.execPath,
      [...asked, ...nodeFlags, compiled(`programs/${name}`), JSON.stringify(task)],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    );
    this.#limit = setTimeout(() => this.#child.kill('SIGKILL'), LONGEST_RUN_MS);
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
    let becomeReady = (): void => undefined;
    this.#ready = new Promise((resolve) => {
      becomeReady = resolve;
    });
    this.#measured = new Promise((resolve, reject) => {
      this.#child.on('message', (said: Said) => {
        if (said.say === 'ready') becomeReady();
        else if (said.say === 'seen') this.seen = said.records;
        else if (said.say === 'durable') this.durable.push(said);
        else {
          this.#sample();
          const { records, seconds, cpuSeconds } = said;
          resolve({ records, seconds, cpuSeconds, peakRssMiB: this.#peakRssMiB, rssMiB: this.#rssMiB });
        }
      });
      this.#child.on('exit', (code, signal) => {
        clearTimeout(this.#limit);
        clearInterval(this.#sampling);
        reject(new Error(`${name} ended with ${signal ?? code} before it was done`));
      });
    });
    // Whoever asks for the measurement hears of it.
    this.#measured.catch(() => undefined);
  }

  /** Resolves when it has loaded. */
  async ready(): Promise<void> {
    await Promise.race([this.#ready, this.#measured]);
  }

  go(): void {
    this.#rssMiB.length = 0;
    this.#child.send('go');
  }

  /** No more records will come: it is to store what it has. */
  stop(): void {
    this.#child.send('stop');
  }

  measured(): Promise<Measured> {
    return this.#measured;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #sample(): void {
    const usage = this.#child.pid === undefined ? undefined : usageOf(this.#child.pid);
    if (usage === undefined) return;
    this.#rssMiB.push(Math.round(usage.rssMiB));
    this.#peakRssMiB = usage.peakRssMiB;
  }
}

/** Runs a program from start to end. */
export async function runProgram(name: string, task: object, nodeFlags: readonly string[] = []): Promise<Measured> {
  const program = new Program(name, task, nodeFlags);
  await program.ready();
  program.go();
  return program.measured();
}
