import { SinkError } from '../../core/errors.js';
import { lookAt } from '../webhdfs/look.js';
import { refusal } from '../webhdfs/name-nodes.js';
import type { Asking } from './asking.js';

/** Makes a folder with those above it. The package reports a folder that could not be made as made, so it is looked at. */
export async function makeFolder(asking: Asking, folder: string, doing: string, signal: AbortSignal): Promise<void> {
  const told = await asking.ask({ method: 'PUT', op: 'MKDIRS', path: folder, doing }, signal);
  if (told.remote) throw refusal(told);
  const found = await lookAt(asking, folder, doing, signal);
  if (found?.kind === 'folder') return;
  const message = `Could not ${doing}: ${told.attempt.at} did not make the folder ${folder}. Look into the server's log`;
  throw new SinkError('RXF_FILES_REMOTE', message, { details: { path: folder, at: told.attempt.at } });
}
