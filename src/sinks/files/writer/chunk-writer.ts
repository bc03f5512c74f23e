import { from, type ObservableInput, type Subscription } from 'rxjs';
import type { AckGroup } from '../../../delivery/ack-group.js';
import type { Call, CallTimer } from '../../../lifecycle/call-timer.js';
import type { FileWriter } from '../../../ports/file-system.js';

export interface Chunk {
  /** What is written: at once, or once it is compressed. */
  readonly bytes: Uint8Array | ObservableInput<Uint8Array>;
  /** The deliveries in it, released when the storage has taken it. */
  readonly parts: AckGroup;
}

/** What a chunk writer tells the file it writes. */
export interface ChunkReport {
  stored(chunk: Chunk, bytes: number): void;
  /** Everything that was pushed is written, and no more will be. */
  ended(): void;
  failed(error: unknown): void;
}

/**
 * Writes chunks one after the other. No chain of Observables for each: at thousands of chunks a second, it was their making
 * that cost, and V8's optimizing of it.
 *
 * Bounds: what waits is what was pushed.
 */
export class ChunkWriter {
  readonly #writer: FileWriter;
  readonly #report: ChunkReport;
  readonly #timer: CallTimer | undefined;
  readonly #waiting: Chunk[] = [];
  #step: Subscription | undefined;
  #call: Call | undefined;
  #isWriting = false;
  #isRunning = false;
  #isEnding = false;
  #isOver = false;

  constructor(writer: FileWriter, report: ChunkReport, timer?: CallTimer) {
    this.#writer = writer;
    this.#report = report;
    this.#timer = timer;
  }

  push(chunk: Chunk): void {
    this.#waiting.push(chunk);
    this.#run();
  }

  /** After what waits there will be no more. */
  end(): void {
    this.#isEnding = true;
    this.#run();
  }

  /** Stops at once, and tells no more. */
  abort(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#step?.unsubscribe();
    if (this.#call !== undefined) this.#timer?.drop(this.#call);
  }

  /** A storage may answer at once, from within; so this goes round instead of calling itself. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (!this.#isWriting && !this.#isOver) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) this.#start(chunk);
      else if (this.#isEnding) this.#end();
      else break;
    }
    this.#isRunning = false;
  }

  #start(chunk: Chunk): void {
    this.#isWriting = true;
    const { bytes } = chunk;
    if (bytes instanceof Uint8Array) {
      this.#write(chunk, bytes);
      return;
    }
    let compressed: Uint8Array | undefined;
    this.#step = from(bytes).subscribe({
      next: (whole) => {
        compressed = whole;
      },
      error: (error: unknown) => this.#fail(error),
      complete: () => this.#write(chunk, compressed as Uint8Array),
    });
  }

  #write(chunk: Chunk, bytes: Uint8Array): void {
    let isStored = false;
    this.#call = this.#timer?.start();
    const step = from(this.#writer.write(bytes)).subscribe({
      error: (error: unknown) => this.#fail(error),
      complete: () => {
        isStored = true;
      },
    });
    this.#step = step;
    // Only when the writer has put this write behind it may it be asked for the next.
    step.add(() => {
      if (!isStored || this.#isOver) return;
      if (this.#call !== undefined) this.#timer?.done(this.#call);
      this.#isWriting = false;
      this.#report.stored(chunk, bytes.length);
      this.#run();
    });
  }

  #end(): void {
    this.#isOver = true;
    this.#report.ended();
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#call !== undefined) this.#timer?.drop(this.#call);
    this.#waiting.length = 0;
    this.#report.failed(error);
  }
}
