import { SinkError } from '../../core/errors.js';
import type { Reply } from '../webhdfs/call.js';
import { lookAtMove } from '../webhdfs/look.js';
import { rejection } from '../webhdfs/name-nodes.js';
import { codeOf } from '../webhdfs/remote-exception.js';
import { TO_LOOK_INTO } from '../webhdfs/rename.js';
import { folderOf } from '../webhdfs/url.js';
import type { Asking } from './asking.js';

const TRIES = 2;

/**
 * Moves a file to a name that is free. The package reports a rename that did nothing as done, and a NameNode asked so moves
 * *into* a target that is a folder: so both names are looked at before, and again after each answer.
 * Fails: `RXF_FILES_REMOTE` where the source still exists, the target does not, and no answer says why.
 */
export async function move(
  asking: Asking,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<'renamed' | 'exists' | 'missing'> {
  const doing = `rename ${from} to ${to}`;
  const look = () => lookAtMove(asking, from, to, doing, signal);
  await asking.makeFolder(folderOf(to), doing, signal);
  const { source: before, target: existing } = await look();
  if (!before) return 'missing';
  if (existing) return 'exists';

  for (let tries = 1; ; tries++) {
    const outcome = await rename(asking, from, to, doing, signal);
    const { source, target } = await look();
    if (source) {
      if (target) return 'exists';
      if (tries >= TRIES) throw outcome instanceof SinkError ? outcome : unexplained(outcome, from, to, doing);
      // Most likely somebody removed the target's folder.
      await asking.makeFolder(folderOf(to), doing, signal);
      continue;
    }
    // The source existed a moment ago, so it was us who moved it; into a folder, where one was made at the target meanwhile.
    if (target?.kind === before.kind && target.bytes === before.bytes) return 'renamed';
    const message = `Could not ${doing}: ${from} is gone, and what is at ${to} is another file. Check that no other program works there.`;
    throw new SinkError('RXF_FILES_REMOTE', message, { details: { path: from, to }, retryable: false });
  }
}

/** One RENAME; an error where the answer is to be looked into. */
async function rename(
  asking: Asking,
  from: string,
  to: string,
  doing: string,
  signal: AbortSignal,
): Promise<Reply | SinkError> {
  const call = { method: 'PUT', op: 'RENAME', path: from, query: { destination: to }, doing } as const;
  try {
    const reply = await asking.ask(call, signal);
    if (reply.remote && !TO_LOOK_INTO.has(codeOf(reply.remote))) throw rejection(reply);
    return reply.remote ? rejection(reply) : reply;
  } catch (error) {
    if (error instanceof SinkError && error.details.doubted === true) return error;
    throw error;
  }
}

function unexplained(reply: Reply, from: string, to: string, doing: string): SinkError {
  const message = `Could not ${doing} on ${reply.attempt.at}: it moved nothing, and says no reason. Look into the server's log.`;
  return new SinkError('RXF_FILES_REMOTE', message, { details: { path: from, to, at: reply.attempt.at } });
}
