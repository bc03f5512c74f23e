import type { Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileWriter } from '../../ports/file-system.js';
import { answerUnless } from './answer.js';
import { BodyStream, EarlyAnswer } from './body-stream.js';
import { lost, withDataNode } from './data-nodes.js';
import type { Folders } from './folders.js';
import { isClosed, lookAt } from './look.js';
import { type NameNodes, refusal } from './name-nodes.js';
import type { Settings } from './options.js';
import { expectHoldable } from './path-problem.js';
import { type Attempt, codeOf, notUnderstood, refused, remoteExceptionOf } from './remote-exception.js';
import { type Answer, WireFault } from './request.js';
import { backOff } from './retry.js';
import { folderOf } from './url.js';

const LOOKS = 5;

/**
 * One new file. Nothing is asked of the cluster before the first write, or the close of an empty file.
 * Bounds: the one chunk being written, not copied.
 * Fails: `RXF_FILES_EXISTS`, `_DENIED`, `_FULL`, `_UNREACHABLE`, `_TIMEOUT`, `_LENGTH`, `_ABORTED`; after that, always alike.
 * Source: a DataNode whose client goes away closes the file as it is: only a checked length says that it is whole.
 */
export class Upload implements FileWriter {
  readonly #nameNodes: NameNodes;
  readonly #folders: Folders;
  readonly #settings: Settings;
  readonly #path: string;
  readonly #doing: string;
  #stream: BodyStream | undefined;
  #attempt: Attempt;
  #sent = 0;
  #busy = false;
  #closed = false;
  #failure: Error | undefined;
  /** Ends what is under way when the file is given up. */
  readonly #abandon = new AbortController();

  constructor(nameNodes: NameNodes, folders: Folders, settings: Settings, path: string) {
    this.#nameNodes = nameNodes;
    this.#folders = folders;
    this.#settings = settings;
    this.#path = path;
    this.#doing = `write ${path}`;
    this.#attempt = nameNodes.attempt({ doing: this.#doing, path }, nameNodes.active);
  }

  write(chunk: Uint8Array): Observable<void> {
    return this.#one(async (signal) => {
      this.#stream ??= await this.#open(signal);
      await this.#stream.write(chunk);
      this.#sent += chunk.byteLength;
    });
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#one(async (signal) => {
      this.#stream ??= await this.#open(signal);
      const bytes = await this.#finish(this.#stream, signal);
      this.#closed = true;
      return { bytes };
    });
  }

  abort(): void {
    if (this.#closed) return;
    this.#failure ??= new SinkError('RXF_FILES_ABORTED', `Gave up ${this.#path} after ${this.#sent} bytes`, {
      details: { path: this.#path, bytes: this.#sent },
    });
    this.#abandon.abort();
    this.#stream?.destroy();
  }

  /** One step at a time; unsubscribing from a step under way gives the file up, for what the server has of it is unknown. */
  #one<T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> {
    return answerUnless(
      () => this.#step(work),
      () => this.abort(),
    );
  }

  async #step<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw this.#misuse('it is closed');
    if (this.#busy) throw this.#misuse('the last write has not answered');
    this.#busy = true;
    try {
      return await work(this.#abandon.signal);
    } catch (error) {
      this.#stream?.destroy();
      this.#failure ??= (await this.#explain(error)) ?? this.#translate(error);
      throw this.#failure;
    } finally {
      this.#busy = false;
    }
  }

  async #open(signal: AbortSignal): Promise<BodyStream> {
    const path = this.#path;
    expectHoldable(path);
    // A DataNode's refusal may be lost when it closes on bytes under way, so what can be refused is asked beforehand: MKDIRS
    // also waits for safe mode, and a file that stands there now is not ours when an answer is lost later.
    const [standing] = await Promise.all([
      lookAt(this.#nameNodes, path, this.#doing, signal),
      this.#folders.make(folderOf(path), this.#doing, signal, 'always'),
    ]);
    if (standing) {
      const remote = { name: 'FileAlreadyExistsException', message: `${path} already exists` };
      throw refused(remote, this.#attempt);
    }
    const query = { overwrite: 'false', ...this.#settings.creation };
    const call = { method: 'PUT', op: 'CREATE', path, query, doing: this.#doing, repeatable: false } as const;
    return withDataNode(this.#nameNodes, this.#settings, call, signal, async ({ url, attempt, lookup }) => {
      const stream = await BodyStream.open(url, { ...this.#settings, lookup }, signal);
      this.#attempt = attempt;
      return stream;
    });
  }

  async #finish(stream: BodyStream, signal: AbortSignal): Promise<number> {
    let told: Answer;
    try {
      told = await stream.finish();
    } catch (error) {
      if (!(error instanceof WireFault) || this.#failure) throw error;
      return this.#resolveByLooking(lost(error, this.#attempt), signal);
    }
    const remote = remoteExceptionOf(told);
    if (remote) throw refused(remote, this.#attempt);
    if (told.status >= 500) return this.#resolveByLooking(notUnderstood(told, this.#attempt), signal);
    if (told.status !== 200 && told.status !== 201) throw notUnderstood(told, this.#attempt);
    // Hadoop before 3 answers 201 also where closing the file failed.
    return this.#checkLength((await lookAt(this.#nameNodes, this.#path, this.#doing, signal))?.bytes ?? null);
  }

  /** The answer to the close was lost: the file is whole if it is closed and has every byte sent. */
  async #resolveByLooking(reason: SinkError, signal: AbortSignal): Promise<number> {
    for (let look = 1; look <= LOOKS; look++) {
      const found = await lookAt(this.#nameNodes, this.#path, this.#doing, signal);
      const closed = found !== null && (await this.#isClosed(signal));
      if (closed && found.bytes === this.#sent) return found.bytes;
      if (look < LOOKS) await backOff(this.#settings.retry, look, signal);
    }
    throw reason;
  }

  async #isClosed(signal: AbortSignal): Promise<boolean> {
    if (this.#settings.mode === 'httpfs') return true;
    return isClosed(this.#nameNodes, this.#path, this.#doing, signal);
  }

  #checkLength(bytes: number | null): number {
    if (bytes === this.#sent) return bytes;
    const held = bytes === null ? 'no file' : `${bytes} bytes`;
    const message = `Could not ${this.#doing}: ${this.#sent} bytes were sent, and ${this.#attempt.at} holds ${held}`;
    throw new SinkError('RXF_FILES_LENGTH', `${message}. Write the file again under another name`, {
      details: { path: this.#path, sent: this.#sent, held: bytes },
    });
  }

  /** A DataNode that refuses closes on bytes under way, and one refusal in seven is lost so (tried on Hadoop 3.4.1). */
  async #explain(error: unknown): Promise<SinkError | null> {
    if (!(error instanceof WireFault && error.kind === 'lost') || this.#settings.mode === 'httpfs') return null;
    const path = folderOf(this.#path);
    const call = { method: 'GET', op: 'CHECKACCESS', path, query: { fsaction: '-wx' }, doing: this.#doing } as const;
    const told = await this.#nameNodes.ask(call, this.#abandon.signal).catch(() => null);
    return told?.remote && codeOf(told.remote) === 'RXF_FILES_DENIED' ? refusal(told) : null;
  }

  #translate(error: unknown): Error {
    if (error instanceof WireFault) return lost(error, this.#attempt);
    if (!(error instanceof EarlyAnswer)) return error as Error;
    const remote = remoteExceptionOf(error.answer);
    return remote ? refused(remote, this.#attempt) : notUnderstood(error.answer, this.#attempt);
  }

  #misuse(why: string): Error {
    return new Error(`Cannot ${this.#doing}: ${why}. This is a bug of the caller`);
  }
}
