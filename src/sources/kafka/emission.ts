import type { Subscriber } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import type { Figure } from '../../core/monitor.js';
import type { InFlightWindow } from '../../core/window.js';
import type { KafkaConsumer } from '../../ports/kafka-consumer.js';
import type { Assignment } from './assignment.js';
import type { Partition } from './partition.js';

/** What emission needs of the session it emits for. */
export interface EmitsFor {
  readonly consumer: KafkaConsumer | undefined;
  readonly assignment: Assignment;
  /** Whether records may go out now, the window aside. */
  readonly isTaking: boolean;
}

/** Emits what waits in the partitions while the window has room, in turn; pauses what is full and resumes what is empty. */
export class Emission {
  readonly #session: EmitsFor;
  readonly #out: Subscriber<Delivery<Buffer | null>>;
  readonly #window: InFlightWindow;
  readonly #maxUnacked: number;
  readonly #heldBack: Figure;
  #isUnderWay = false;

  constructor(
    session: EmitsFor,
    out: Subscriber<Delivery<Buffer | null>>,
    limits: { readonly window: InFlightWindow; readonly maxUnacked: number },
    heldBack: Figure,
  ) {
    this.#session = session;
    this.#out = out;
    this.#window = limits.window;
    this.#maxUnacked = limits.maxUnacked;
    this.#heldBack = heldBack;
  }

  /** Too much would come again after a crash: nothing goes out until something is acked. */
  get isReplayFull(): boolean {
    return this.#session.assignment.unacked >= this.#maxUnacked;
  }

  /** Emits all that may go out; false where it is doing so already, and this call came from within. */
  run(): boolean {
    if (this.#isUnderWay) return false;
    this.#isUnderWay = true;
    let hasEmitted = true;
    while (hasEmitted && this.#hasRoom && !this.isReplayFull) {
      hasEmitted = false;
      for (const partition of this.#session.assignment.partitions) hasEmitted = this.#emitFrom(partition) || hasEmitted;
    }
    this.#isUnderWay = false;
    return true;
  }

  setPauses(): void {
    const pause: Partition[] = [];
    const resume: Partition[] = [];
    let heldBack = 0;
    for (const partition of this.#session.assignment.partitions) {
      if (partition.hasQueued || partition.isOver) heldBack += 1;
      if (partition.hasQueued === partition.isPaused || partition.isOver) continue;
      partition.isPaused = partition.hasQueued;
      (partition.isPaused ? pause : resume).push(partition);
    }
    this.#heldBack.set(heldBack);
    if (pause.length > 0) this.#session.consumer?.pause(pause);
    if (resume.length > 0) this.#session.consumer?.resume(resume);
  }

  get #hasRoom(): boolean {
    return this.#session.isTaking && !this.#window.isFull;
  }

  /** Emits what waits in one partition, while there is room. The window is looked at for each record. */
  #emitFrom(partition: Partition): boolean {
    if (!partition.hasQueued) return false;
    const replayRoom = this.#maxUnacked - this.#session.assignment.unacked;
    for (let emitted = 0; emitted < replayRoom && this.#hasRoom; emitted += 1) {
      const delivery = partition.take();
      if (delivery === undefined) break;
      this.#out.next(delivery);
    }
    return true;
  }
}
