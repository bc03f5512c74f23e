import type { Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileWriter } from '../../ports/file-system.js';
import { answerUnless } from '../webhdfs/answer.js';
import { lost } from '../webhdfs/data-nodes.js';
import { lookAt } from '../webhdfs/look.js';
import { expectHoldable } from '../webhdfs/path-problem.js';
import { notUnderstood, refused, remoteExceptionOf } from '../webhdfs/remote-exception.js';
import { type Answer, WireFault } from '../webhdfs/request.js';
import { backOff } from '../webhdfs/retry.js';
import { encodePath, folderOf } from '../webhdfs/url.js';
import { type Asking, answerOf } from './asking.js';
import { Body } from './body.js';
import { makeFolder } from './folder.js';
import type { Settings } from './options.js';
import type { PackageClient, PackageRequest, PackageResponse } from './package.js';
import { faultOfPackage, redirectedUpload, wrongRedirect, wrongRedirectOf } from './redirects.js';

const LOOKS = 5;

/** What ends an upload: the DataNode's answer, or the NameNode's where it named none or a wrong one, or silence. */
type End = Answer | WireFault | SinkError;

/**
 * One new file, written through the package's stream. That ends in the same way for a file that is whole, for one that a
 * DataNode refused and for one of which half came: so nothing is believed but the length that the NameNode tells afterwards.
 * Bounds: see `Body`; `idleTimeoutMs` for a write, `requestTimeoutMs` for a close.
 * Fails: `RXF_FILES_EXISTS`, `_DENIED`, `_FULL`, `_UNREACHABLE`, `_TIMEOUT`, `_LENGTH`, `_ABORTED`; after that, always alike.
 */
export class Upload implements FileWriter {
  readonly #client: PackageClient;
  readonly #asking: Asking;
  readonly #settings: Settings;
  readonly #path: string;
  readonly #doing: string;
  readonly #requests: PackageRequest[] = [];
  /** Ends what is under way when the file is given up. */
  readonly #abandon = new AbortController();
  #body: Body | undefined;
  #end: End | undefined;
  #onEnd: ((end: End) => void) | undefined;
  #sent = 0;
  #isBusy = false;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(client: PackageClient, asking: Asking, settings: Settings, path: string) {
    this.#client = client;
    this.#asking = asking;
    this.#settings = settings;
    this.#path = path;
    this.#doing = `write ${path}`;
  }

  write(chunk: Uint8Array): Observable<void> {
    return this.#one(async (signal) => {
      const body = await this.#open(signal);
      if (chunk.byteLength === 0) return;
      const end = await this.#endOr(this.#settings.idleTimeoutMs, signal, (taken) => body.add(chunk, taken));
      // A success before the file's end is none.
      if (end) throw this.#reasonOf(end) ?? notUnderstood(end as Answer, this.#attempt);
      this.#sent += chunk.byteLength;
    });
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#one(async (signal) => {
      const body = await this.#open(signal);
      const end = await this.#endOr(this.#settings.requestTimeoutMs, signal, () => body.end());
      const bytes = await this.#wholeAfter(end as End, signal);
      this.#isClosed = true;
      return { bytes };
    });
  }

  abort(): void {
    if (this.#isClosed) return;
    this.#failure ??= new SinkError('RXF_FILES_ABORTED', `Gave up ${this.#path} after ${this.#sent} bytes`, {
      details: { path: this.#path, bytes: this.#sent },
    });
    this.#abandon.abort(this.#failure);
    this.#cut();
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
    if (this.#isClosed || this.#isBusy) {
      const why = this.#isClosed ? 'it is closed' : 'the last write has not answered';
      throw new Error(`Cannot ${this.#doing}: ${why}. This is a bug of the caller`);
    }
    this.#isBusy = true;
    try {
      return await work(this.#abandon.signal);
    } catch (error) {
      this.#cut();
      this.#failure ??= error as Error;
      throw this.#failure;
    } finally {
      this.#isBusy = false;
    }
  }

  async #open(signal: AbortSignal): Promise<Body> {
    if (this.#body) return this.#body;
    expectHoldable(this.#path);
    // Looked for beforehand: a file that stands there now is not ours when an answer is lost later.
    if (await lookAt(this.#asking, this.#path, this.#doing, signal)) {
      throw refused({ name: 'FileAlreadyExistsException', message: `${this.#path} already exists` }, this.#attempt);
    }
    await makeFolder(this.#asking, folderOf(this.#path), this.#doing, signal);
    signal.throwIfAborted();
    const body = new Body((request) => this.#watch(request, (response) => redirectedUpload(response, this.#attempt)));
    const request = this.#client.createWriteStream(encodePath(this.#path), this.#settings.creation);
    this.#watch(request, (response) => {
      const wrong = wrongRedirectOf(response, this.#settings);
      return wrong === null ? null : wrongRedirect(wrong, this.#attempt);
    });
    body.pipe(request);
    this.#body = body;
    return body;
  }

  /**
   * Both requests of an upload: the first ends it where the NameNode names no DataNode, the second does so always. `problemOf` a
   * redirect ends it too.
   */
  #watch(request: PackageRequest, problemOf: (redirect: PackageResponse) => SinkError | null): void {
    this.#requests.push(request);
    // The package makes errors of refusals too, before the answer is told here: that has the reason.
    request.on('error', (error: unknown) =>
      queueMicrotask(() => this.#ended(faultOfPackage(error, true) as WireFault)),
    );
    // The package goes where a Location leads once the answer is whole, so a wrong one is cut off before.
    request.on('response', (response: PackageResponse) => {
      const problem = isNaming(response) ? problemOf(response) : null;
      if (problem === null) return;
      request.abort();
      this.#ended(problem);
    });
    request.on('complete', (response: PackageResponse, body: unknown) => {
      if (!isNaming(response)) this.#ended(answerOf(response, body));
    });
  }

  #ended(end: End): void {
    this.#end ??= end;
    this.#onEnd?.(this.#end);
  }

  /** Starts something, and waits until it is done, or the upload has ended, or for so long. */
  #endOr(limitMs: number, signal: AbortSignal, start: (done: () => void) => void): Promise<End | undefined> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abandon);
        this.#onEnd = undefined;
        settle();
      };
      const abandon = () => finish(() => reject(signal.reason));
      const late = new WireFault(`nothing came of it for ${limitMs} ms`, { sent: true, kind: 'timeout' });
      const timer = setTimeout(() => finish(() => resolve(late)), limitMs);
      signal.addEventListener('abort', abandon, { once: true });
      this.#onEnd = (end) => finish(() => resolve(end));
      if (this.#end) this.#onEnd(this.#end);
      else start(() => finish(() => resolve(undefined)));
    });
  }

  /** Why an end is none of a whole file; undefined where it may be one. */
  #reasonOf(end: End): SinkError | undefined {
    if (end instanceof SinkError) return end;
    if (end instanceof WireFault) return lost(end, this.#attempt);
    if (end.status === 200 || end.status === 201) return undefined;
    const remote = remoteExceptionOf(end);
    return remote ? refused(remote, this.#attempt) : notUnderstood(end, this.#attempt);
  }

  /** The length, where it is what was sent: an answer that was lost, or a proxy's, is resolved by looking. */
  async #wholeAfter(end: End, signal: AbortSignal): Promise<number> {
    const reason = this.#reasonOf(end);
    if (reason && !isUnknown(end)) throw reason;
    for (let look = 1; ; look++) {
      const held = (await lookAt(this.#asking, this.#path, this.#doing, signal))?.bytes ?? null;
      if (held === this.#sent) return held;
      if (!reason) throw this.#wrongLength(held);
      if (look >= LOOKS) throw reason;
      await backOff(this.#settings.retry, look, signal);
    }
  }

  #wrongLength(held: number | null): SinkError {
    const found = held === null ? 'no file' : `${held} bytes`;
    const message = `Could not ${this.#doing}: ${this.#sent} bytes were sent, and ${this.#attempt.at} holds ${found}`;
    return new SinkError('RXF_FILES_LENGTH', `${message}. Write the file again under another name`, {
      details: { path: this.#path, sent: this.#sent, held },
    });
  }

  /** Ends the connections: the package would leave them open. */
  #cut(): void {
    this.#body?.destroy();
    for (const request of this.#requests) request.abort();
  }

  get #attempt() {
    return this.#asking.attempt({ doing: this.#doing, path: this.#path });
  }
}

/** Whether the file may be whole all the same. */
function isUnknown(end: End): boolean {
  if (end instanceof SinkError) return false;
  return end instanceof WireFault ? !end.isTls : end.status >= 500 && remoteExceptionOf(end) === null;
}

/** As the package sees it. */
function isNaming({ statusCode, headers }: PackageResponse): boolean {
  return (statusCode === 301 || statusCode === 307) && headers.location !== undefined;
}
