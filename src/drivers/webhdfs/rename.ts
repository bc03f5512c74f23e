import { SinkError } from '../../core/errors.js';
import type { Reply } from './call.js';
import type { Folders } from './folders.js';
import { booleanOf, lookAtMove } from './look.js';
import { type NameNodes, rejection } from './name-nodes.js';
import type { Settings } from './options.js';
import { codeOf } from './remote-exception.js';
import { folderOf } from './url.js';

export type Renamed = 'renamed' | 'exists' | 'missing';

/** A target that is a folder comes as a plain IOException, a target whose folder is missing as FileNotFoundException. */
export const TO_LOOK_INTO = new Set(['RXF_FILES_EXISTS', 'RXF_FILES_MISSING', 'RXF_FILES_REMOTE']);

interface Outcome {
  readonly end: Renamed | SinkError;
  /** The RENAME may have been carried out although no answer said so. */
  readonly doubted: boolean;
}

/**
 * Moves a file to a name that is free. A lost answer is resolved by looking: a source that is gone while the target exists
 * was moved by us; where both exist, the target is another's; where only the source does, the request may still be carried out, so it
 * is made again, which can move the file once only. After an error the file may be moved later: look before anything else is
 * done with either name.
 * Source: WebHDFS RENAME answers HTTP 200 `{"boolean":false}` for each failure, and moves *into* a target that is a folder;
 * with `renameoptions=NONE`, which HttpFS does not know, it says which failure it was.
 */
export class Rename {
  readonly #nameNodes: NameNodes;
  readonly #folders: Folders;
  readonly #mode: Settings['mode'];

  constructor(nameNodes: NameNodes, folders: Folders, mode: Settings['mode']) {
    this.#nameNodes = nameNodes;
    this.#folders = folders;
    this.#mode = mode;
  }

  async move(from: string, to: string, signal: AbortSignal): Promise<Renamed> {
    const doing = `rename ${from} to ${to}`;
    await this.#folders.make(folderOf(to), doing, signal);
    if (this.#mode === 'httpfs') {
      const { source, target } = await lookAtMove(this.#nameNodes, from, to, doing, signal);
      if (target || !source) return source ? 'exists' : 'missing';
    }
    const first = await this.#once(from, to, doing, false, signal);
    if (typeof first.end === 'string') return first.end;
    // Source there, target not: most likely somebody removed the target's folder, which we took for known.
    this.#folders.forget(folderOf(to));
    await this.#folders.make(folderOf(to), doing, signal);
    const second = await this.#once(from, to, doing, first.doubted, signal);
    if (typeof second.end === 'string') return second.end;
    throw second.end;
  }

  /** One RENAME; ends as an error where nothing was moved and no answer says why. */
  async #once(from: string, to: string, doing: string, inDoubt: boolean, signal: AbortSignal): Promise<Outcome> {
    const options: Record<string, string> = this.#mode === 'webhdfs' ? { renameoptions: 'NONE' } : {};
    const call = { method: 'PUT', op: 'RENAME', path: from, query: { destination: to, ...options }, doing } as const;
    let reply: Reply;
    try {
      reply = await this.#nameNodes.ask(call, signal);
    } catch (error) {
      if (!(error instanceof SinkError) || error.details.doubted !== true) throw error;
      const end = await this.#resolve(from, to, doing, true, signal);
      if (end === null) throw error;
      return { end, doubted: true };
    }
    const doubted = reply.doubted || inDoubt;
    if (!reply.remote && (this.#isEmpty(reply) || booleanOf(reply))) return { end: 'renamed', doubted };
    if (reply.remote?.name === 'FileAlreadyExistsException' && !doubted) return { end: 'exists', doubted };
    const code = reply.remote ? codeOf(reply.remote) : 'RXF_FILES_MISSING';
    if (!TO_LOOK_INTO.has(code)) throw rejection(reply);
    const end = await this.#resolve(from, to, doing, doubted, signal);
    return { end: end ?? this.#unexplained(reply, from, to, doing), doubted };
  }

  #unexplained(reply: Reply, from: string, to: string, doing: string): SinkError {
    if (reply.remote) return rejection(reply);
    const message = `Could not ${doing} on ${reply.attempt.at}: it answered false. Look into the server's log.`;
    return new SinkError('RXF_FILES_REMOTE', message, { details: { path: from, to, at: reply.attempt.at } });
  }

  /** What became of it, or null where the source exists and the target does not. */
  async #resolve(
    from: string,
    to: string,
    doing: string,
    doubted: boolean,
    signal: AbortSignal,
  ): Promise<Renamed | null> {
    const { source, target } = await lookAtMove(this.#nameNodes, from, to, doing, signal);
    if (source) return target ? 'exists' : null;
    return target && doubted ? 'renamed' : 'missing';
  }

  #isEmpty({ answer }: Reply): boolean {
    return answer.status === 200 && answer.body.byteLength === 0;
  }
}
