import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { register } from 'tsx/esm/api';
import { describeError, describeValue, OptionError, type RxflumeError } from '../core/errors.js';
import { type Flow, isFlow } from '../flow/flow.js';

/**
 * The flow that a file exports as default; TypeScript is taken as it is.
 *
 * Fails: `RXF_FLOW_FILE` where there is no such file, it throws, or its default export is no flow; an rxflume error that
 * the file throws (a wrong option) as it is.
 */
export async function loadFlow(file: string): Promise<Flow> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new OptionError(
      'RXF_FLOW_FILE',
      `There is no file ${file}. Give the path of a .ts or .js file that exports a flow as default.`,
    );
  }
  register();
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    if (isOwn(cause)) throw cause;
    throw new OptionError('RXF_FLOW_FILE', `${file} threw while it was loaded: ${describeError(cause)}`, { cause });
  }
  if (isFlow(exported.default)) return exported.default;
  const names = Object.keys(exported).join(', ') || 'nothing';
  throw new OptionError(
    'RXF_FLOW_FILE',
    `${file} exports no flow as default but ${describeValue(exported.default)} (it exports: ${names}). ` +
      "End it with: export default flow('name', source, …operators, sink.write());",
  );
}

/** Told by its code, since the file may load another copy of this package. */
export function isOwn(error: unknown): error is RxflumeError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('RXF_');
}
