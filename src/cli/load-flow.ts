import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeError, describeValue, OptionError, type RxflumeError } from '../core/errors.js';
import { type Flow, isFlow } from '../flow/flow.js';
import { importFile } from './loaders.js';

/**
 * The flow that a file exports as default. The file is TypeScript or JavaScript, a module or CommonJS, in a project of
 * any `type`.
 *
 * Fails: `RXF_FLOW_FILE` where there is no such file, this Node cannot load it, it throws, or its default export is no
 * flow; an rxflume error that the file throws (a wrong option) as it is.
 */
export async function loadFlow(file: string): Promise<Flow> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new OptionError(
      'RXF_FLOW_FILE',
      `There is no file ${file}. Pass a .ts or .js file that exports a flow as default.`,
    );
  }
  let exported: Record<string, unknown>;
  try {
    exported = await importFile(path);
  } catch (cause) {
    if (isOwn(cause)) throw cause;
    throw new OptionError('RXF_FLOW_FILE', `${file} threw while it was loaded: ${describeError(cause)}.`, { cause });
  }
  // What a compiler made of `export default` for CommonJS is a field of what Node takes for the default.
  const inner = exported.default as { readonly default?: unknown } | null | undefined;
  for (const one of [inner, inner?.default]) if (isFlow(one)) return one;
  const names = Object.keys(exported).join(', ') || 'nothing';
  throw new OptionError(
    'RXF_FLOW_FILE',
    `The default export of ${file} is not a flow but ${describeValue(exported.default)} (exports: ${names}). ` +
      "End it with `export default flow('name', source, …operators, sink.write());`.",
  );
}

/** Recognized by its code, since the file may load another copy of this package. */
export function isOwn(error: unknown): error is RxflumeError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('RXF_');
}
