import { doublingMs } from '../../../backpressure/backoff.js';
import type { PartitionBatch } from './partition-batch.js';

const FIRST_WAIT_MS = 20;
const MAX_WAIT_MS = 1_000;

/** What waits to be written to one partition, in order, and whether it can be sent now. */
export class SendQueue {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly partitionBatches: PartitionBatch[] = [];
  /** A request with its first batch is under way. */
  isBusy = false;
  retryAt = 0;
  /** In a row. */
  troubles = 0;
  trouble: unknown;
  /** The last request with it was not answered in time. */
  isSlow = false;

  constructor({ name, topic, partition }: PartitionBatch) {
    this.name = name;
    this.topic = topic;
    this.partition = partition;
  }

  /** The batch that is sent, or is to be sent next. */
  get current(): PartitionBatch | undefined {
    return this.partitionBatches[0];
  }

  /** The next batch that there is something to do for. What nobody waits for is sent on only while it is in doubt. */
  head(isClosed: boolean): PartitionBatch | undefined {
    for (
      let partitionBatch = this.partitionBatches[0];
      partitionBatch !== undefined;
      partitionBatch = this.partitionBatches[0]
    ) {
      if (!partitionBatch.isDone && (!partitionBatch.call.isOver || (partitionBatch.isInDoubt && !isClosed)))
        return partitionBatch;
      this.partitionBatches.shift();
    }
    return undefined;
  }

  drop(partitionBatch: PartitionBatch): void {
    const at = this.partitionBatches.indexOf(partitionBatch);
    if (at >= 0) this.partitionBatches.splice(at, 1);
  }

  isWell(): void {
    this.troubles = 0;
    this.isSlow = false;
  }

  retryLater(error: unknown, isSlow: boolean): void {
    this.isSlow = isSlow;
    this.troubles += 1;
    this.trouble = error;
    this.retryAt = performance.now() + doublingMs(this.troubles, FIRST_WAIT_MS, MAX_WAIT_MS);
  }
}
