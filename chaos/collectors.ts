import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { pause } from './pause.js';
import type { Doors } from './proxies.js';
import { root } from './services.js';

export interface CollectorsOptions {
  /** Where the logs go, one a collector. */
  readonly folder: string;
  /** Told to the flow. */
  readonly env: Readonly<Record<string, string>>;
  /** Told when one ends that nobody stopped. */
  readonly gaveUp: (slot: number, code: number | null, lastError: string) => void;
}

interface Collector {
  readonly slot: number;
  readonly child: ChildProcess;
  readonly log: WriteStream;
  readonly ended: Promise<number | null>;
  /** Once it has been given partitions. */
  works: boolean;
  isFrozen: boolean;
  /** When someone has stopped it, its end is no surprise. */
  isStopped: boolean;
  lastError: string;
}

const RESTART_AFTER_MS = 500;

/** The collectors under test: `rxflume run chaos/collector.ts` from the sources, one a slot, each a group of its own. */
export class Collectors {
  readonly #options: CollectorsOptions;
  readonly #doors: readonly Doors[];
  readonly #running = new Map<number, Collector>();
  #started = 0;
  #gaveUp = 0;
  #isClosed = false;

  constructor(doors: readonly Doors[], options: CollectorsOptions) {
    this.#doors = doors;
    this.#options = options;
    process.once('exit', this.#killAll);
  }

  get working(): number {
    return [...this.#running.values()].filter(({ works }) => works).length;
  }

  /** How many have ended that nobody stopped. */
  get gaveUp(): number {
    return this.#gaveUp;
  }

  start(slot: number): void {
    this.#start(slot, []);
  }

  /** Starts one that ends when all is read, and says how it ended. */
  async runLast(withinMs: number, signal: AbortSignal): Promise<{ code: number | null | 'no end'; lastError: string }> {
    const collector = this.#start(0, ['--until-idle', '3000']);
    collector.isStopped = true;
    const code = await this.#endOf(collector, withinMs, signal);
    return { code, lastError: collector.lastError };
  }

  #start(slot: number, args: readonly string[]): Collector {
    const doors = this.#doors[slot] as Doors;
    this.#started += 1;
    const log = createWriteStream(
      `${this.#options.folder}/collector-${String(this.#started).padStart(3, '0')}-slot-${slot}.log`,
    );
    const command = ['--import', 'tsx', `${root}src/cli/main.ts`, 'run', 'chaos/collector.ts', ...args];
    const child = spawn(process.execPath, command, {
      cwd: root,
      detached: true,
      env: {
        ...process.env,
        ...this.#options.env,
        NODE_OPTIONS: '',
        CHAOS_KAFKA: doors.kafka,
        CHAOS_NAMENODE: doors.nameNode,
        CHAOS_DATANODE: doors.dataNode,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null));
      child.once('close', resolve);
    });
    const collector: Collector = {
      slot,
      child,
      log,
      ended,
      works: false,
      isFrozen: false,
      isStopped: false,
      lastError: '',
    };
    this.#running.set(slot, collector);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#read(collector, chunk));
    }
    void ended.then((code) => this.#atEnd(collector, code));
    return collector;
  }

  /** The slot itself when its collector is at work, or else another whose is. */
  near(slot: number): number {
    const all = [...this.#running.values()];
    const isAtWork = (one: Collector | undefined) => one?.works === true && !one.isFrozen && !one.isStopped;
    return isAtWork(this.#running.get(slot)) ? slot : (all.find(isAtWork)?.slot ?? slot);
  }

  /** SIGKILL, at once; a new one is started after so long. False where none runs. */
  kill(slot: number, absentMs: number): boolean {
    const collector = this.#running.get(slot);
    if (collector === undefined || collector.isStopped) return false;
    collector.isStopped = true;
    signalTo(collector, 'SIGKILL');
    this.#startLater(collector.slot, absentMs);
    return true;
  }

  /** SIGSTOP, at once, and SIGCONT after so long, unless it is killed before. False where none runs. */
  freeze(slot: number, forMs: number): boolean {
    const collector = this.#running.get(slot);
    if (collector === undefined || collector.isStopped || collector.isFrozen) return false;
    collector.isFrozen = true;
    signalTo(collector, 'SIGSTOP');
    setTimeout(() => {
      collector.isFrozen = false;
      signalTo(collector, 'SIGCONT');
    }, forMs);
    return true;
  }

  /** Drains all with SIGTERM; says of each that did not end well how it ended. */
  async drain(withinMs: number, signal: AbortSignal): Promise<string[]> {
    this.#isClosed = true;
    const ends = [...this.#running.values()].map(async (collector) => {
      collector.isStopped = true;
      collector.child.kill('SIGTERM');
      const code = await this.#endOf(collector, withinMs, signal);
      return code === 0 ? [] : [`the collector of slot ${collector.slot} ended with ${code}: ${collector.lastError}`];
    });
    return (await Promise.all(ends)).flat();
  }

  /** The exit code of a collector; it is killed when it takes longer. */
  async #endOf(collector: Collector, withinMs: number, signal: AbortSignal): Promise<number | null | 'no end'> {
    const waited = new AbortController();
    const late = pause(withinMs, AbortSignal.any([signal, waited.signal])).then(() => 'no end' as const);
    late.catch(() => undefined);
    const code = await Promise.race([collector.ended, late]);
    waited.abort();
    if (code === 'no end') signalTo(collector, 'SIGKILL');
    return code;
  }

  /** Kills what runs. Nothing is started any more. */
  async close(): Promise<void> {
    this.#killAll();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    process.off('exit', this.#killAll);
  }

  readonly #killAll = (): void => {
    this.#isClosed = true;
    for (const collector of this.#running.values()) {
      collector.isStopped = true;
      signalTo(collector, 'SIGKILL');
    }
  };

  #startLater(slot: number, afterMs: number): void {
    setTimeout(() => {
      if (!this.#isClosed) this.start(slot);
    }, afterMs);
  }

  #read(collector: Collector, chunk: Buffer): void {
    collector.log.write(chunk);
    const text = chunk.toString();
    if (text.includes('"what":"kafka.assigned"')) collector.works = true;
    const error = /"level":"error".*|^rxflume: .*/m.exec(text)?.[0];
    if (error !== undefined) collector.lastError = error.slice(0, 500);
  }

  #atEnd(collector: Collector, code: number | null): void {
    collector.log.end();
    if (this.#running.get(collector.slot) === collector) this.#running.delete(collector.slot);
    if (collector.isStopped) return;
    this.#gaveUp += 1;
    this.#options.gaveUp(collector.slot, code, collector.lastError);
    this.#startLater(collector.slot, RESTART_AFTER_MS);
  }
}

/** To the whole group: a compiler that a collector started must not outlive it. */
function signalTo({ child }: Collector, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself in this moment.
  }
}
