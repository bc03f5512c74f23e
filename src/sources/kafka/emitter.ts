import type { Subscriber } from 'rxjs';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import type { Metric } from '../../core/monitor.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Partition } from './partition.js';
import type { SessionState } from './session-state.js';

/** The most records of one partition that go out before the next one has its turn. */
const MAX_IN_TURN = 1_000;

/**
 * Emits what waits in the partitions while the window has room and the flow is not paused; pauses what is full and resumes what is
 * empty.
 *
 * Partitions have turns: an even share of the window each, at most 1,000 records, and who had to stop for want of room goes
 * on first. So whatever waits in one goes out before more than a window of the others has.
 */
export class Emitter {
  readonly #state: SessionState;
  readonly #out: Subscriber<Delivery<Buffer | null>>;
  readonly #window: InFlightWindow;
  readonly #maxUnacked: number;
  readonly #heldBack: Metric;
  #isUnderWay = false;
  /** Whose turn it is, by its place in the assignment, and what is left of its turn. */
  #turn = 0;
  #countLeft = 0;
  #bytesLeft = 0;
  /** Less than `maxUnacked` allows, where something was acked since it was looked up. */
  #replayRoom = 0;

  constructor(
    state: SessionState,
    out: Subscriber<Delivery<Buffer | null>>,
    limits: { readonly window: InFlightWindow; readonly maxUnacked: number },
    heldBack: Metric,
  ) {
    this.#state = state;
    this.#out = out;
    this.#window = limits.window;
    this.#maxUnacked = limits.maxUnacked;
    this.#heldBack = heldBack;
  }

  /** Too much would be redelivered after a crash: nothing goes out until something is acked. */
  get isReplayFull(): boolean {
    return this.#state.assignment.unacked >= this.#maxUnacked;
  }

  /** Emits all that may go out; false where it is doing so already, and this call came from within. */
  run(): boolean {
    if (this.#isUnderWay) return false;
    this.#isUnderWay = true;
    this.#replayRoom = this.#maxUnacked - this.#state.assignment.unacked;
    let idle = 0;
    while (idle < this.#state.assignment.partitions.length && !this.#state.isPaused && this.#hasRoom) {
      if (this.#emitTurn()) idle = 0;
      else idle += 1;
    }
    this.#isUnderWay = false;
    return true;
  }

  setPauses(): void {
    const pause: Partition[] = [];
    const resume: Partition[] = [];
    const { assignment, isPaused } = this.#state;
    let heldBack = 0;
    for (const partition of assignment.partitions) {
      const isHeldBack = partition.hasQueued || isPaused;
      if (isHeldBack || partition.isOver) heldBack += 1;
      if (isHeldBack === partition.isPaused || partition.isOver) continue;
      partition.isPaused = isHeldBack;
      (partition.isPaused ? pause : resume).push(partition);
    }
    this.#heldBack.set(heldBack);
    if (pause.length > 0) this.#state.call((consumer) => consumer.pause(pause));
    if (resume.length > 0) this.#state.call((consumer) => consumer.resume(resume));
  }

  get #hasRoom(): boolean {
    if (!this.#state.isTaking || this.#window.isFull) return false;
    if (this.#replayRoom <= 0) this.#replayRoom = this.#maxUnacked - this.#state.assignment.unacked;
    return this.#replayRoom > 0;
  }

  /** Emits what is left of a turn, while there is room, and ends it where that is why it stops; false where nothing waited. */
  #emitTurn(): boolean {
    const { partitions } = this.#state.assignment;
    // A new assignment may be shorter.
    if (this.#turn >= partitions.length) this.#turn = 0;
    const partition = partitions[this.#turn];
    if (partition === undefined || !partition.hasQueued) {
      this.#nextTurn();
      return false;
    }
    if (this.#countLeft === 0) this.#startTurn(partitions.length);
    while (this.#countLeft > 0 && this.#bytesLeft > 0 && this.#hasRoom) {
      const delivery = partition.take();
      if (delivery === undefined) break;
      this.#countLeft -= 1;
      this.#bytesLeft -= delivery.origin.byteLength;
      this.#replayRoom -= 1;
      this.#out.next(delivery);
    }
    if (this.#countLeft === 0 || this.#bytesLeft <= 0 || !partition.hasQueued) this.#nextTurn();
    return true;
  }

  #startTurn(among: number): void {
    const { count, bytes } = this.#window.limits;
    this.#countLeft = Math.min(MAX_IN_TURN, Math.max(1, Math.floor(count / among)));
    this.#bytesLeft = Math.max(1, bytes / among);
  }

  #nextTurn(): void {
    this.#turn = this.#turn + 1 < this.#state.assignment.partitions.length ? this.#turn + 1 : 0;
    this.#countLeft = 0;
  }
}
