import type { FlowSource } from '../../core/flow-sources.js';
import type { TimeIndex } from '../../offsets/time-index.js';
import type { ValueAcker } from './value-acker.js';

/** Of the stream of one subscription: its name, and the offset of the first value. */
export interface PushStream {
  readonly stream: string;
  readonly base: number;
}

/** A source that emits by itself, as its flow steers it and asks it. */
export function steeredPush<T>(
  { stream, base }: PushStream,
  acker: ValueAcker<T>,
  times: TimeIndex,
  pauseChanged: () => void,
): FlowSource {
  return {
    pauseChanged,
    settle: () => acker.flush$.next('settle'),
    positions: () => [{ stream, read: base + acker.count, acked: base + acker.settledEnd }],
    locate: (asked, offset) => {
      if (asked !== stream) return undefined;
      const seq = offset - base;
      if (seq < 0) return { state: 'gone' };
      if (seq >= acker.count) return { state: 'not read' };
      if (acker.isSettled(seq)) return { state: 'settled' };
      const sentAt = times.sentAtOf(seq);
      return { state: 'in flight', ...(sentAt !== undefined && { sentAt }) };
    },
  };
}
