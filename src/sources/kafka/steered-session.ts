import type { FlowSource, RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { Partition } from './partition.js';
import type { Rewinding } from './rewinding.js';
import type { SessionState } from './session-state.js';

/** A session, as its flow steers it and asks it. Looks at each call; keeps nothing. */
export class SteeredSession implements FlowSource {
  readonly pauseChanged: () => void;
  readonly settle: () => void;
  readonly #state: SessionState;
  readonly #rewinding: Rewinding;

  constructor(state: SessionState, rewinding: Rewinding, does: Pick<FlowSource, 'pauseChanged' | 'settle'>) {
    this.#state = state;
    this.#rewinding = rewinding;
    this.pauseChanged = does.pauseChanged;
    this.settle = does.settle;
  }

  *positions(): Iterable<StreamPositions> {
    for (const partition of this.#state.assignment.partitions) yield positionsOf(partition);
  }

  locate(stream: string, offset: number): RecordPosition | undefined {
    const partition = this.#state.assignment.partitions.find((one) => one.stream === stream);
    if (partition === undefined) return undefined;
    const position = partition.locate(offset, partition.committed);
    const attempt = this.#rewinding.attemptAt(partition, offset);
    return position.state === 'in flight' || attempt > 1 ? { ...position, attempt } : position;
  }
}

function positionsOf({ stream, highWatermark, watermark, releasedOffset, committed }: Partition): StreamPositions {
  const known = (name: keyof StreamPositions, value: number) => (value < 0 ? {} : { [name]: value });
  return {
    stream,
    ...known('logEnd', highWatermark),
    ...known('read', watermark.readEnd),
    ...known('released', releasedOffset),
    ...known('acked', watermark.offset),
    ...known('committed', committed),
  };
}
