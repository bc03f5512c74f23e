import type { FlowSource, RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { CheckedOptions } from './options.js';
import type { Partition } from './partition.js';
import { resetHint } from './resume.js';
import type { Rewinding } from './rewinding.js';
import type { SessionState } from './session-state.js';

/** A session, as its flow steers it and asks it. Looks at each call; keeps nothing. */
export class SteeredSession implements FlowSource {
  readonly pauseChanged: () => void;
  readonly settle: () => void;
  readonly #state: SessionState;
  readonly #rewinding: Rewinding;
  readonly #options: Pick<CheckedOptions, 'groupId' | 'resumeFrom'>;

  constructor(
    state: SessionState,
    rewinding: Rewinding,
    options: Pick<CheckedOptions, 'groupId' | 'resumeFrom'>,
    does: Pick<FlowSource, 'pauseChanged' | 'settle'>,
  ) {
    this.#state = state;
    this.#rewinding = rewinding;
    this.#options = options;
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

  howToReset(stream: string, offset: number): string | undefined {
    const partition = this.#state.assignment.partitions.find((one) => one.stream === stream);
    return partition === undefined ? undefined : resetHint(partition, offset, this.#options);
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
