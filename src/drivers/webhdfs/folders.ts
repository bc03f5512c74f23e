import { SinkError } from '../../core/errors.js';
import { booleanOf } from './look.js';
import { type NameNodes, rejection } from './name-nodes.js';
import type { Attempt } from './remote-exception.js';

const MAX_KNOWN = 1_000;

/** Makes folders, and remembers the last ones made. Bounds: 1,000 names. */
export class Folders {
  readonly #nameNodes: NameNodes;
  readonly #known = new Set<string>();

  constructor(nameNodes: NameNodes) {
    this.#nameNodes = nameNodes;
  }

  /** Makes a folder with those above it, unless it is known to exist. */
  async make(
    folder: string,
    doing: string,
    signal: AbortSignal,
    when: 'unknown' | 'always' = 'unknown',
  ): Promise<void> {
    if (when === 'unknown' && this.#known.has(folder)) return;
    const reply = await this.#nameNodes.ask({ method: 'PUT', op: 'MKDIRS', path: folder, doing }, signal);
    if (reply.remote) throw rejection(reply);
    if (!booleanOf(reply)) throw notMade(folder, reply.attempt);
    this.#known.delete(folder);
    this.#known.add(folder);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.values().next().value!);
  }

  /** Forgets a folder, those below it and those above it. */
  forget(folder: string): void {
    for (const known of this.#known) {
      if (`${known}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${known}/`)) this.#known.delete(known);
    }
  }
}

/** A folder that does not exist although the server has not rejected it. */
export function notMade(folder: string, { doing, at }: Attempt): SinkError {
  const message = `Could not ${doing}: ${at} did not make the folder ${folder}. Look into the server's log.`;
  return new SinkError('RXF_FILES_REMOTE', message, { details: { path: folder, at } });
}
