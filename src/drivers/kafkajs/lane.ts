import type { Lot } from './lots.js';

const FIRST_WAIT_MS = 20;
const MOST_WAIT_MS = 1_000;

/** What waits to be written to one partition, in order, and whether it can be sent now. */
export class Lane {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly lots: Lot[] = [];
  /** A request with its first lot is under way. */
  isBusy = false;
  retryAt = 0;
  /** In a row. */
  troubles = 0;
  trouble: unknown;
  /** The last request with it was not answered in time. */
  isSlow = false;

  constructor({ name, topic, partition }: Lot) {
    this.name = name;
    this.topic = topic;
    this.partition = partition;
  }

  /** The lot that is sent, or is to be sent next. */
  get current(): Lot | undefined {
    return this.lots[0];
  }

  /** The next lot that there is something to do for. What nobody waits for is sent on only while it is in doubt. */
  head(isClosed: boolean): Lot | undefined {
    for (let lot = this.lots[0]; lot !== undefined; lot = this.lots[0]) {
      if (!lot.isDone && (!lot.call.isOver || (lot.isInDoubt && !isClosed))) return lot;
      this.lots.shift();
    }
    return undefined;
  }

  drop(lot: Lot): void {
    const at = this.lots.indexOf(lot);
    if (at >= 0) this.lots.splice(at, 1);
  }

  isWell(): void {
    this.troubles = 0;
    this.isSlow = false;
  }

  retryLater(error: unknown, isSlow: boolean): void {
    this.isSlow = isSlow;
    this.troubles += 1;
    this.trouble = error;
    this.retryAt = performance.now() + Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.troubles - 1));
  }
}
