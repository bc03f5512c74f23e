import { describeError } from '../../core/errors.js';
import { type Flow, insideOf } from '../../flow/flow.js';
import type { CommandContext } from '../command.js';
import { errorPlace } from '../error-place.js';
import { isOwn, loadFlows } from '../load-flow.js';
import { sayError, startLog } from '../say-error.js';
import { checkText, circleText, connectionsText } from './check-text.js';
import { circlesOf, connectionsOf } from './connections.js';

/** What `rxflume check` is asked for. */
export interface CheckAsked {
  readonly files: readonly string[];
  readonly isJson: boolean;
}

interface NotLoaded {
  readonly file: string;
  readonly error: unknown;
}

/**
 * Prints what flows guarantee, and where they hand over to each other. Makes no connection.
 *
 * Fails: never; exit code 0 printed, 1 flows feed each other in a circle, 2 a file cannot be loaded; the worst decides.
 */
export async function check({ files, isJson }: CheckAsked, { out, err, cwd }: CommandContext): Promise<number> {
  const flows: { readonly file: string; readonly flow: Flow }[] = [];
  const failed: NotLoaded[] = [];
  for (const file of files) {
    try {
      for (const flow of await loadFlows(file)) flows.push({ file, flow });
    } catch (error) {
      failed.push({ file, error });
    }
  }
  const connections = connectionsOf(flows.map(({ flow }) => flow));
  const circles = circlesOf(connections);
  const exitCode = failed.length > 0 ? 2 : circles.length > 0 ? 1 : 0;
  if (isJson) {
    const checked = flows.map(({ file, flow }) => ({
      file,
      flow: flow.name,
      guarantee: flow.guarantee,
      warnings: flow.warnings,
      isShared: insideOf(flow)?.source.traits?.isShared === true,
    }));
    const errors = failed.map(({ file, error }) => ({
      file,
      code: isOwn(error) ? error.code : null,
      message: describeError(error),
    }));
    out.write(`${JSON.stringify({ flows: checked, connections, circles, errors, exitCode })}\n`);
    return exitCode;
  }
  out.write(flows.map(({ flow }) => checkText(flow)).join(''));
  out.write(connectionsText(connections));
  for (const circle of circles) err.write(circleText(circle));
  for (const { error } of failed) {
    sayError(startLog(err), error);
    const place = errorPlace(error, cwd);
    if (place !== undefined) err.write(`  at ${place}\n`);
  }
  return exitCode;
}
