import { nothingToProbe } from '../../delivery/probe.js';
import type { SourceTraits } from '../../delivery/traits.js';
import type { FromOptions } from './options.js';

/** What differs between the sources that emit by themselves. */
export interface PushKind {
  /** The label `source` of its metrics, and the beginning of its stream's name. */
  readonly name: 'from' | 'generate' | 'exec';
  /** What to do about a nack that ends the source: the end of its message. */
  readonly afterNack: string;
  /** What is read and not acked is lost: it is counted in `rxflume_source_lost_total` at the end. Default: nothing is counted. */
  readonly losesUnsettled?: boolean;
  /** `drop`: a nack is counted as a loss, and the source goes on. Default `stop`. */
  readonly whenNacked?: 'stop' | 'drop';
}

/** What an application connects. */
export const FROM: PushKind = {
  name: 'from',
  afterNack:
    'It cannot be read again: set such values aside as dead letters, or give the source an `onNack` that brings them again.',
};

/** What a source says of itself whose values the application settles. */
export function traitsOf<T>(name: string, { onAck, onNack }: Pick<FromOptions<T>, 'onAck' | 'onNack'>): SourceTraits {
  const traits = { name, isReplayable: false, probe: nothingToProbe };
  if (onAck !== undefined || onNack !== undefined) return traits;
  const lossBecause = `${name} has no \`onAck\` and no \`onNack\` to hand back what becomes of a value`;
  return { ...traits, lossBecause };
}
