import type { Said } from '../lab/program.js';

/** What every program is told. */
export interface Task {
  readonly broker: string;
  readonly hdfsUrl: string;
  readonly topic: string;
  readonly partitions: number;
  /** How many to read; undefined: until it is told to stop. */
  readonly records?: number;
  readonly run: string;
  readonly folder: string;
  /** Whether it tells what it has read and stored. */
  readonly isTelling?: boolean;
  readonly rollBytes: number;
  readonly rollIntervalMs: number;
}

/** What the loops without a framework are told. */
export interface LoopTask extends Task {
  /** Whether it writes what it reads, or only counts it. */
  readonly isWriting: boolean;
  /** Whether each value is parsed as JSON and decoded by the codec. */
  readonly isDecoding: boolean;
}

export interface Stage {
  /** Resolves when no more records will come. */
  readonly stopped: Promise<void>;
  seen(records: number): void;
  durable(path: string): void;
}

/**
 * Loads, warms up where there is something to, says so, waits for the word, plays, and says what that took. `play`
 * resolves with the records stored.
 */
export function perform<T extends Task>(
  play: (task: T, stage: Stage) => Promise<number>,
  warmUp: (task: T) => Promise<unknown> = () => Promise.resolve(),
): void {
  const task = JSON.parse(process.argv[2] ?? '') as T;
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const say = (said: Said) => process.send?.(said);
  const stage: Stage = {
    stopped,
    seen: (records) => say({ say: 'seen', records }),
    durable: (path) => say({ say: 'durable', path, atMs: Date.now() }),
  };
  process.on('disconnect', () => process.exit(1));
  process.on('message', (message) => {
    if (message === 'stop') stop();
    if (message !== 'go') return;
    const startedAt = performance.now();
    const before = process.cpuUsage();
    play(task, stage).then(
      (records) => {
        const cpu = process.cpuUsage(before);
        const seconds = (performance.now() - startedAt) / 1_000;
        const said: Said = { say: 'done', records, seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
        process.send?.(said, () => process.exit(0));
      },
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  warmUp(task).then(
    () => say({ say: 'ready' }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
