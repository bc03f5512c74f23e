import { innerPartsOf } from '../delivery/inner-parts.js';
import { type Flow, insideOf } from '../flow/flow.js';
import { secretFieldsOf } from '../formats/secret-field.js';

/** The names of the fields that are not shown of a flow: those of an option, and those that the codecs of its operators call secret. */
export function hiddenFields(flow: Flow<unknown> | undefined, redact: readonly string[]): readonly string[] {
  const steps = flow === undefined ? [] : (insideOf(flow as Flow)?.steps ?? []);
  const secret = steps.flatMap((step) => innerPartsOf(step).flatMap(({ part }) => secretFieldsOf(part)));
  return [...new Set([...redact, ...secret])];
}

/** The newest subscription of a flow with this name. */
export function flowNamed<R extends { readonly control: { readonly name: string } }>(
  running: readonly R[],
  name: string,
): R | undefined {
  return running.findLast(({ control }) => control.name === name);
}
