import { BodyStream, EarlyAnswer } from './body-stream.js';
import { withDataNode } from './data-nodes.js';
import type { Folders } from './folders.js';
import { isClosed } from './look.js';
import { type NameNodes, rejection } from './name-nodes.js';
import type { Settings } from './options.js';
import { type Attempt, codeOf } from './remote-exception.js';
import { WireFault } from './request.js';
import { type End, Upload } from './upload.js';
import { folderOf } from './url.js';

/**
 * One new file, streamed to a DataNode. Nothing is asked of the cluster before the first write, or the close of an empty file.
 * Bounds: the one chunk being written, not copied.
 */
export class DirectUpload extends Upload<BodyStream> {
  readonly #nameNodes: NameNodes;
  readonly #folders: Folders;
  readonly #settings: Settings;
  #stream: BodyStream | undefined;
  protected attempt: Attempt;

  constructor(nameNodes: NameNodes, folders: Folders, settings: Settings, path: string) {
    super(nameNodes, settings.retry, path);
    this.#nameNodes = nameNodes;
    this.#folders = folders;
    this.#settings = settings;
    this.attempt = nameNodes.attempt({ doing: this.doing, path }, nameNodes.active);
  }

  protected makeFolder(folder: string, signal: AbortSignal): Promise<void> {
    return this.#folders.make(folder, this.doing, signal, 'always');
  }

  protected create(signal: AbortSignal): Promise<BodyStream> {
    const { path, doing } = this;
    const query = { overwrite: 'false', ...this.#settings.creation };
    const call = { method: 'PUT', op: 'CREATE', path, query, doing, repeatable: false } as const;
    return withDataNode(this.#nameNodes, this.#settings, call, signal, async ({ url, attempt, lookup, headers }) => {
      this.#stream = await BodyStream.open(url, { ...this.#settings, lookup, headers }, signal);
      this.attempt = attempt;
      return this.#stream;
    });
  }

  protected send(stream: BodyStream, chunk: Uint8Array): Promise<void> {
    return stream.write(chunk);
  }

  protected finish(stream: BodyStream): Promise<End> {
    return stream.finish().catch((error: unknown) => {
      if (error instanceof WireFault) return error;
      throw error;
    });
  }

  protected cut(): void {
    this.#stream?.destroy();
  }

  protected override isFinal(signal: AbortSignal): Promise<boolean> {
    return this.#settings.mode === 'httpfs'
      ? super.isFinal(signal)
      : isClosed(this.#nameNodes, this.path, this.doing, signal);
  }

  protected override async explain(error: unknown, signal: AbortSignal): Promise<Error> {
    if (error instanceof EarlyAnswer) return this.failureOf(error.answer);
    if (!(error instanceof WireFault)) return error as Error;
    return (await this.#denied(error, signal)) ?? this.failureOf(error);
  }

  /** A DataNode that rejects closes on bytes in flight, and one rejection in seven is lost so (tried on Hadoop 3.4.1). */
  async #denied({ kind }: WireFault, signal: AbortSignal): Promise<Error | null> {
    if (kind !== 'lost' || this.#settings.mode === 'httpfs') return null;
    const path = folderOf(this.path);
    const call = { method: 'GET', op: 'CHECKACCESS', path, query: { fsaction: '-wx' }, doing: this.doing } as const;
    const reply = await this.#nameNodes.ask(call, signal).catch(() => null);
    return reply?.remote && codeOf(reply.remote) === 'RXF_FILES_DENIED' ? rejection(reply) : null;
  }
}
