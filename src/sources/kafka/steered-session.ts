import { defer, from, map, type Observable } from 'rxjs';
import { OptionError } from '../../core/errors.js';
import type { FlowSource, RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { Committer } from './committer.js';
import type { CheckedOptions } from './options.js';
import { type Partition, streamOf } from './partition.js';
import { Resetting } from './resetting.js';
import { resetHint } from './resume.js';
import type { Rewinding } from './rewinding.js';
import type { SessionState } from './session-state.js';

/** A session, as its flow steers it and asks it. Looks at each call; keeps nothing. */
export class SteeredSession implements FlowSource {
  readonly pauseChanged: () => void;
  readonly settle: () => void;
  readonly #state: SessionState;
  readonly #rewinding: Rewinding;
  readonly #resetting: Resetting;
  readonly #options: Pick<CheckedOptions, 'groupId' | 'resumeFrom'>;

  constructor(
    state: SessionState,
    rewinding: Rewinding,
    committer: Committer,
    options: Pick<CheckedOptions, 'groupId' | 'resumeFrom'>,
    does: Pick<FlowSource, 'pauseChanged' | 'settle'>,
  ) {
    this.#state = state;
    this.#rewinding = rewinding;
    this.#resetting = new Resetting(state, committer, options, does.settle);
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

  get canReset(): boolean {
    return this.#resetting.isPossible;
  }

  reset(stream: string, offset: number): Observable<never> {
    return this.#resetting.run(stream, offset);
  }

  offsetsAt(timeMs: number): Observable<ReadonlyMap<string, number>> {
    return defer(() => {
      const { consumer, assignment } = this.#state;
      const partitions = assignment.partitions.map(({ topic, partition }) => ({ topic, partition }));
      if (consumer?.offsetsAt === undefined)
        throw new OptionError('RXF_FLOW_COMMAND', 'This driver cannot look up offsets by time. Give an offset.');
      return from(consumer.offsetsAt(partitions, timeMs)).pipe(
        map((found) => new Map(found.map((one) => [streamOf(one), one.offset]))),
      );
    });
  }

  howToReset(stream: string, offset: number): string | undefined {
    const partition = this.#state.assignment.partitions.find((one) => one.stream === stream);
    return partition === undefined ? undefined : resetHint(partition, offset, this.#options);
  }
}

function positionsOf({
  stream,
  logStart,
  highWatermark,
  watermark,
  releasedOffset,
  committed,
}: Partition): StreamPositions {
  const known = (name: keyof StreamPositions, value: number) => (value < 0 ? {} : { [name]: value });
  return {
    stream,
    ...known('logStart', logStart),
    ...known('logEnd', highWatermark),
    ...known('read', watermark.readEnd),
    ...known('released', releasedOffset),
    ...known('acked', watermark.offset),
    ...known('committed', committed),
  };
}
