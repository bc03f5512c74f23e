import { Monitor } from '../../../src/core/monitor.js';
import type { TailSourceOptions } from '../../../src/sources/tail/options.js';
import { tailSource } from '../../../src/sources/tail/tail-source.js';
import { MemoryLocalFiles } from '../../../src/testing/index.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** A tail source over files in memory, in virtual time; several runs of it one after the other. */
export class Tailing {
  readonly files: MemoryLocalFiles;
  readonly monitor = new Monitor();
  readonly events: string[] = [];
  readonly #options: Partial<TailSourceOptions>;
  run!: SourceRun<Buffer>;
  readonly runs: SourceRun<Buffer>[] = [];

  constructor(options: Partial<TailSourceOptions> = {}, files = new MemoryLocalFiles()) {
    this.files = files;
    this.#options = options;
    this.monitor.logEvents$.subscribe(({ what }) => this.events.push(what));
  }

  /** `acks`: whether each value is acked at once. */
  start(acks = true, options: Partial<TailSourceOptions> = {}): SourceRun<Buffer> {
    const source = tailSource(this.files, {
      paths: ['/log/*.log', '/log/*.log.[0-9]'],
      positionFile: '/state/tail.json',
      drainTimeoutMs: 500,
      monitor: this.monitor,
      ...this.#options,
      ...options,
    });
    const run = new SourceRun(source);
    run.onNext = (delivery) => (acks ? delivery.ack() : undefined);
    for (const delivery of run.seen) run.onNext(delivery);
    this.run = run;
    this.runs.push(run);
    return run;
  }

  /** What came of all runs. */
  get lines(): string[] {
    return this.runs.flatMap(({ seen }) => seen.map(({ value }) => value.toString()));
  }

  sample(name: string): number {
    return this.monitor.samples().find((sample) => sample.name === name)?.value ?? Number.NaN;
  }
}

/** Runs a scene of a source that is left at the end. */
export function scene(
  options: Partial<TailSourceOptions>,
  play: (tailing: Tailing, at: (ms: number, action: () => void) => void) => void,
  files?: MemoryLocalFiles,
): void {
  inVirtualTime((at) => {
    const tailing = new Tailing(options, files);
    at(30_000, () => {
      for (const run of tailing.runs) run.leave();
    });
    play(tailing, at);
  });
}
