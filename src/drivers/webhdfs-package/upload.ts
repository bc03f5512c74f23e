import type { SinkError } from '../../core/errors.js';
import type { Attempt } from '../webhdfs/remote-exception.js';
import { WireFault } from '../webhdfs/request.js';
import { type End, Upload } from '../webhdfs/upload.js';
import { encodePath } from '../webhdfs/url.js';
import { type Asking, answerOf } from './asking.js';
import { Body } from './body.js';
import type { Settings } from './options.js';
import type { PackageClient, PackageRequest, PackageResponse } from './package.js';
import { faultOfPackage, redirectedUpload, wrongRedirect, wrongRedirectOf } from './redirects.js';

/**
 * One new file, written through the package's stream. That ends in the same way for a file that is whole, for one that a
 * DataNode rejected and for one of which half came: so nothing is believed but the length that the NameNode tells afterwards.
 * Bounds: see `Body`; `idleTimeoutMs` for a write, `requestTimeoutMs` for a close.
 */
export class PackageUpload extends Upload<Body> {
  readonly #client: PackageClient;
  readonly #asking: Asking;
  readonly #settings: Settings;
  readonly #requests: PackageRequest[] = [];
  #body: Body | undefined;
  #end: End | undefined;
  #onEnd: ((end: End) => void) | undefined;

  constructor(client: PackageClient, asking: Asking, settings: Settings, path: string) {
    super(asking, settings.retry, path);
    this.#client = client;
    this.#asking = asking;
    this.#settings = settings;
  }

  protected get attempt(): Attempt {
    return this.#asking.attempt({ doing: this.doing, path: this.path });
  }

  protected makeFolder(folder: string, signal: AbortSignal): Promise<void> {
    return this.#asking.makeFolder(folder, this.doing, signal);
  }

  protected async create(): Promise<Body> {
    this.#body = new Body((request) => this.#watch(request, (response) => redirectedUpload(response, this.attempt)));
    const request = this.#client.createWriteStream(encodePath(this.path), this.#settings.creation);
    this.#watch(request, (response) => {
      const wrong = wrongRedirectOf(response, this.#settings);
      return wrong === null ? null : wrongRedirect(wrong, this.attempt);
    });
    this.#body.pipe(request);
    return this.#body;
  }

  protected async send(body: Body, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    if (chunk.byteLength === 0) return;
    const end = await this.#endOr(this.#settings.idleTimeoutMs, signal, (taken) => body.add(chunk, taken));
    if (end) throw this.failureOf(end);
  }

  protected async finish(body: Body, signal: AbortSignal): Promise<End> {
    return (await this.#endOr(this.#settings.requestTimeoutMs, signal, () => body.end())) as End;
  }

  /** The package would leave the connections open. */
  protected cut(): void {
    this.#body?.destroy();
    for (const request of this.#requests) request.abort();
  }

  /**
   * Both requests of an upload: the first ends it where the NameNode names no DataNode, the second does so always. `problemOf` a
   * redirect ends it too.
   */
  #watch(request: PackageRequest, problemOf: (redirect: PackageResponse) => SinkError | null): void {
    this.#requests.push(request);
    // The package makes errors of rejections too, before the answer arrives here: that has the reason.
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
}

/** As the package sees it. */
function isNaming({ statusCode, headers }: PackageResponse): boolean {
  return (statusCode === 301 || statusCode === 307) && headers.location !== undefined;
}
