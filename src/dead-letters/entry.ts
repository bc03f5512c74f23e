import { describeError } from '../core/errors.js';
import type { FlowInside } from '../flow/flow.js';
import { stepName } from '../flow/flow-run.js';
import type { StoredDeadLetter } from './dead-letter-store.js';
import { originalValue } from './letter.js';

/** Where a letter enters a flow, or why it cannot. */
export type Entry = { readonly step: number } | { readonly problem: string };

/**
 * Where a letter enters the flow of today: at the step that set it aside, by its number and name, or by its name where that is now the
 * only one. A letter that does not say, of an earlier version or of a plain pipe, is of the source's own value, and enters at the first.
 */
export function entryOf({ letter }: StoredDeadLetter, flow: string, { steps }: FlowInside, at?: number): Entry {
  if (letter.type === 'other') return { problem: 'its value could not be written down, and cannot be had back' };
  try {
    originalValue(letter);
  } catch (error) {
    return { problem: `its value cannot be read back: ${describeError(error)}` };
  }
  if (at !== undefined) return { step: at };
  if (letter.flow !== null && letter.flow !== flow) return { problem: `flow \`${letter.flow}\` set it aside` };
  if (letter.flow === null && letter.operator === null) {
    if (letter.type !== 'json') return { step: 0 };
    return { problem: 'it does not say which operator set it aside' };
  }
  if (letter.operator === null) return { problem: 'it was set aside in a branch of an operator' };
  const [, number, name] = /^(\d+) (.*)$/.exec(letter.operator) ?? [];
  const given = Number(number) - 1;
  const step = steps[given];
  if (step !== undefined && stepName(step, given) === letter.operator) return { step: given };
  const same = steps.flatMap((one, index) => (one.name === name ? [index] : []));
  if (same.length === 1) return { step: same[0] as number };
  return { problem: `the flow has no operator \`${letter.operator}\` any more` };
}
