import type { Sink } from '../delivery/receipt.js';
import type { Flow } from '../flow/flow.js';
import { type Guarantee, guaranteeOf, operatorPart } from '../flow/guarantee.js';
import { insideToEnter } from './replay.js';

/**
 * How often a replayed letter may be in what the flow's sink makes durable, and why: whatever the flow's own source is, the stream of a
 * replay can be read again.
 *
 * ```ts
 * import type { Flow } from 'rxflume';
 * import { replayGuarantee } from 'rxflume/dead-letters';
 *
 * export function warn(chat: Flow): void {
 *   const { level, because } = replayGuarantee(chat);
 *   if (level === 'at-least-once') console.warn(because.join('; '));
 * }
 * ```
 */
export function replayGuarantee(flow: Flow<unknown>): Guarantee {
  const { steps } = insideToEnter(flow, undefined);
  const sink = steps.at(-1) as Sink<never> | undefined;
  const ledger = sink?.ledger;
  const isPlain = ledger?.addresses === undefined || sink?.writes !== undefined;
  const operators = steps.slice(0, -1).map(operatorPart);
  const source = { name: 'the replay', isReplayable: true, ...(ledger && { resumeFrom: ledger.offsetStore }) };
  const { level, because } = guaranteeOf({
    source,
    ledger: isPlain ? ledger : undefined,
    ...(sink && { sink: sink.name }),
    operators,
  });
  if (isPlain) return { level, because };
  return { level, because: ['the Kafka sink has no fixed topic, in whose offsets a replay could be kept'] };
}
