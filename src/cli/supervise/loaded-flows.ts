import { execFile } from 'node:child_process';
import { describeError } from '../../core/errors.js';
import type { FlowPlace } from './roster.js';

/** How long files may take to be loaded, in milliseconds. */
const LOAD_WITHIN_MS = 60_000;

/** What was said of the files: their flows, or why they cannot be used. */
export type Loaded = { readonly flows: readonly FlowPlace[] } | { readonly problem: string };

/** What `rxflume check --json` prints, as far as it is read here. */
interface Checked {
  readonly flows: readonly { readonly file: string; readonly flow: string; readonly isShared: boolean }[];
  readonly circles: readonly unknown[];
  readonly errors: readonly { readonly file: string; readonly message: string }[];
}

/**
 * Loads the files in a process of their own, as `rxflume check` does: the supervisor runs none of a flow's code, so what a file does
 * when it is loaded, and an earlier version of it, never stay.
 *
 * Settles: within a minute. Fails: never.
 */
export function loadedFlows(program: string, execArgv: readonly string[], files: readonly string[]): Promise<Loaded> {
  return new Promise((resolve) => {
    const args = [...execArgv, program, 'check', '--json', ...files];
    const limits = { timeout: LOAD_WITHIN_MS, maxBuffer: 64 * 2 ** 20 };
    execFile(process.execPath, args, limits, (error, stdout) => {
      const checked = checkedOf(stdout);
      if (checked === undefined) resolve({ problem: `The files could not be loaded: ${describeError(error)}.` });
      else if (checked.errors.length > 0) resolve({ problem: checked.errors.map(({ message }) => message).join(' ') });
      else if (checked.circles.length > 0) {
        resolve({ problem: `Flows of ${files.join(', ')} feed each other in a circle: \`rxflume check\` shows it.` });
      } else resolve({ flows: checked.flows });
    });
  });
}

function checkedOf(stdout: string): Checked | undefined {
  // The files may print, too: the last line is the answer.
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    const checked = JSON.parse(last) as Partial<Checked> | null;
    return Array.isArray(checked?.flows) && Array.isArray(checked.errors) ? (checked as Checked) : undefined;
  } catch {
    return undefined;
  }
}
