import type { Flow } from '../flow/flow.js';
import type { CommandContext } from './command.js';
import { errorPlace } from './error-place.js';
import { loadFlow, loadNamedFlow } from './load-flow.js';
import { sayError, startLog } from './say-error.js';

/** The flow that a file exports as default, or with that name; undefined, and said why on standard error, where there is none. */
export async function flowOf(
  file: string,
  { err, cwd }: Pick<CommandContext, 'err' | 'cwd'>,
  name?: string,
): Promise<Flow | undefined> {
  return loaded(() => (name === undefined ? loadFlow(file) : loadNamedFlow(file, name)), { err, cwd });
}

/** What was loaded from a file of the user; undefined, and said why and at which line, where that fails. */
export async function loaded<T>(
  load: () => Promise<T>,
  { err, cwd }: Pick<CommandContext, 'err' | 'cwd'>,
): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    sayError(startLog(err), error);
    const place = errorPlace(error, cwd);
    if (place !== undefined) err.write(`  at ${place}\n`);
    return undefined;
  }
}
