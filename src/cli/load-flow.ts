import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeError, describeValue, isOwnError, OptionError } from '../core/errors.js';
import { type Flow, isFlow } from '../flow/flow.js';
import { importFile } from './loaders.js';

export { isOwnError as isOwn } from '../core/errors.js';

/**
 * All flows that a file exports: that by default first, then those by name.
 *
 * Fails: as `loadFlow`, where there is none.
 */
export async function loadFlows(file: string): Promise<readonly Flow[]> {
  const exported = await exportsOf(file);
  const inner = exported.default as Readonly<Record<string, unknown>> | null | undefined;
  const compiled = typeof inner === 'object' && inner !== null && !isFlow(inner) ? Object.values(inner) : [];
  const flows = [inner, ...compiled, ...Object.values(exported)].filter(isFlow);
  if (flows.length > 0) return [...new Set(flows)];
  throw noFlow(file, exported);
}

/**
 * The flow of that name that a file exports.
 *
 * Fails: as `loadFlow`, where there is none of that name.
 */
export async function loadNamedFlow(file: string, name: string): Promise<Flow> {
  const flows = await loadFlows(file);
  const found = flows.find((flow) => flow.name === name);
  if (found !== undefined) return found;
  throw new OptionError(
    'RXF_FLOW_FILE',
    `${file} exports no flow \`${name}\` but ${flows.map((flow) => `\`${flow.name}\``).join(', ')}. Name one of these.`,
  );
}

/**
 * The flow that a file exports as default. The file is TypeScript or JavaScript, a module or CommonJS, in a project of
 * any `type`.
 *
 * Fails: `RXF_FLOW_FILE` where there is no such file, this Node cannot load it, it throws, or its default export is no
 * flow; an rxflume error that the file throws (a wrong option) as it is.
 */
export async function loadFlow(file: string): Promise<Flow> {
  const exported = await exportsOf(file);
  // What a compiler made of `export default` for CommonJS is a field of what Node takes for the default.
  const inner = exported.default as { readonly default?: unknown } | null | undefined;
  for (const one of [inner, inner?.default]) if (isFlow(one)) return one;
  throw noFlow(file, exported);
}

async function exportsOf(file: string): Promise<Record<string, unknown>> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new OptionError(
      'RXF_FLOW_FILE',
      `There is no file ${file}. Pass a .ts or .js file that exports a flow as default.`,
    );
  }
  try {
    return await importFile(path);
  } catch (cause) {
    if (isOwnError(cause)) throw cause;
    throw new OptionError('RXF_FLOW_FILE', `${file} threw while it was loaded: ${describeError(cause)}.`, { cause });
  }
}

function noFlow(file: string, exported: Readonly<Record<string, unknown>>): OptionError {
  const names = Object.keys(exported).join(', ') || 'nothing';
  return new OptionError(
    'RXF_FLOW_FILE',
    `The default export of ${file} is not a flow but ${describeValue(exported.default)} (exports: ${names}). ` +
      "End it with `export default flow('name', source, …operators, sink.write());`.",
  );
}
