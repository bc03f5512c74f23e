import { SinkError } from '../../core/errors.js';
import { backOff } from '../webhdfs/answer.js';
import type { Call, Reply } from '../webhdfs/call.js';
import { lost } from '../webhdfs/data-nodes.js';
import { notMade } from '../webhdfs/folders.js';
import { lookAt } from '../webhdfs/look.js';
import { type Asks, rejection } from '../webhdfs/name-nodes.js';
import {
  type Advice,
  type Attempt,
  codeOf,
  errorOf,
  remoteExceptionOf,
  tooLarge,
} from '../webhdfs/remote-exception.js';
import { type Answer, AnswerTooLarge, WireFault } from '../webhdfs/request.js';
import { encodePath } from '../webhdfs/url.js';
import type { Settings } from './options.js';
import type { PackageClient, PackageRequest, PackageResponse } from './package.js';
import { faultOfPackage, WrongRedirect, wrongRedirect } from './redirects.js';

const ADVICE: Advice = {
  access: 'set `client.user`',
  standby: 'give the active one as `client.host`; the driver webhdfs takes several',
  safeMode: 'raise `retry.maxAttempts`',
  server: '`client` (host, port, path)',
  reach: 'and `client`',
  dataNode: 'list its host in `dataNodes`',
};

const MAY_PASS = new Set<string>(['RXF_FILES_STANDBY', 'RXF_FILES_SAFE_MODE']);

/**
 * Asks the NameNode through the package, which has no time limit, no retry and tells no reason: these are added.
 * Bounds: `requestTimeoutMs` for each of `retry.maxAttempts`; `maxResponseBytes` of an answer.
 * Fails: `RXF_FILES_UNREACHABLE`, `_TIMEOUT`, `_STANDBY`, `_SAFE_MODE`, `_PROTOCOL`, with `details.doubted`: it may have been done.
 */
export class Asking implements Asks {
  readonly #client: PackageClient;
  readonly #settings: Settings;
  readonly #at: string;

  constructor(client: PackageClient, settings: Settings, at: string) {
    this.#client = client;
    this.#settings = settings;
    this.#at = at;
  }

  attempt({ doing, path }: { readonly doing: string; readonly path: string }): Attempt {
    return { doing, path, at: this.#at, user: this.#settings.client.user, advice: ADVICE };
  }

  ask(call: Call, signal: AbortSignal): Promise<Reply> {
    const { maxResponseBytes } = this.#settings;
    const limit = `\`maxResponseBytes\` (${maxResponseBytes})`;
    return this.again(this.attempt(call), limit, signal, () => whole(this.#begin(call), this.#settings, signal));
  }

  /** Makes an exchange until it brings a final answer: a success, or a rejection that will not pass. */
  async again(attempt: Attempt, limit: string, signal: AbortSignal, once: () => Promise<Answer>): Promise<Reply> {
    const { retry } = this.#settings;
    let doubted = false;
    for (let tries = 1; ; tries++) {
      let fault: SinkError;
      try {
        const answer = await once();
        const remote = remoteExceptionOf(answer);
        const mayPass = remote ? MAY_PASS.has(codeOf(remote)) : answer.status >= 500;
        if (!mayPass && (remote || answer.status < 400)) return { answer, remote, doubted, attempt };
        fault = errorOf(answer, attempt);
        doubted ||= remote === null;
        if (!mayPass) throw fault;
      } catch (error) {
        if (error instanceof AnswerTooLarge) throw tooLarge(error, attempt, limit);
        if (error instanceof WrongRedirect) throw wrongRedirect(error, attempt);
        if (!(error instanceof WireFault)) throw error;
        fault = lost(error, attempt);
        if (error.isTls) throw fault;
        doubted ||= error.sent;
      }
      if (tries >= retry.maxAttempts) throw inDoubt(fault, doubted);
      await backOff(retry, tries, signal);
    }
  }

  /** Makes a folder with those above it. The package reports a folder that could not be made as made, so it is looked at. */
  async makeFolder(folder: string, doing: string, signal: AbortSignal): Promise<void> {
    const reply = await this.ask({ method: 'PUT', op: 'MKDIRS', path: folder, doing }, signal);
    if (reply.remote) throw rejection(reply);
    if ((await lookAt(this, folder, doing, signal))?.kind !== 'folder') throw notMade(folder, reply.attempt);
  }

  #begin({ op, path, query }: Call): PackageRequest {
    const encoded = encodePath(path);
    const ignored = () => {};
    switch (op) {
      case 'GETFILESTATUS':
        return this.#client.stat(encoded, ignored);
      case 'LISTSTATUS':
        return this.#client.readdir(encoded, ignored);
      case 'MKDIRS':
        return this.#client.mkdir(encoded, ignored);
      case 'DELETE':
        return this.#client.unlink(encoded, true, ignored);
      case 'RENAME':
        return this.#client.rename(encoded, query?.destination ?? '', ignored);
      default:
        throw new Error(`The package is not asked for ${op}`);
    }
  }
}

/** How a wait for a request of the package ends. */
export interface Ending {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
  /** Ends the request too. */
  giveUp(reason: unknown): void;
  /** Begins the time limit anew. */
  refresh(): void;
}

/** The answer that `listen` finds in a request in progress. Fails: `WireFault` after the time limit, or the signal's reason. */
export function answerOfRequest(
  request: PackageRequest,
  limitMs: number,
  signal: AbortSignal,
  listen: (ending: Ending) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
      settle();
    };
    const giveUp = (reason: unknown) => {
      request.abort();
      finish(() => reject(reason));
    };
    const abandon = () => giveUp(signal.reason);
    const late = new WireFault(`no answer within ${limitMs} ms`, { sent: true, kind: 'timeout' });
    const timer = setTimeout(() => giveUp(late), limitMs);
    listen({
      resolve: (answer) => finish(() => resolve(answer)),
      reject: (error) => finish(() => reject(error)),
      giveUp,
      refresh: () => timer.refresh(),
    });
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) abandon();
  });
}

/** The whole answer to a request in progress, as the server gave it. Fails: as `answerOfRequest`, and `AnswerTooLarge`. */
function whole(
  request: PackageRequest,
  { requestTimeoutMs, maxResponseBytes }: Pick<Settings, 'requestTimeoutMs' | 'maxResponseBytes'>,
  signal: AbortSignal,
): Promise<Answer> {
  return answerOfRequest(request, requestTimeoutMs, signal, ({ resolve, reject, giveUp }) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > maxResponseBytes) giveUp(new AnswerTooLarge(`more than ${maxResponseBytes} bytes`));
    });
    request.on('error', (error: unknown) => reject(faultOfPackage(error, mayBeSent(error))));
    request.on('complete', (response: PackageResponse, body: unknown) => resolve(answerOf(response, body)));
  });
}

/** The package's answer as our own client has it: with the bytes that were parsed. */
export function answerOf({ statusCode, headers }: PackageResponse, body: unknown): Answer {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return { status: statusCode, headers, body: Buffer.from(text) };
}

function mayBeSent(error: unknown): boolean {
  const { syscall } = (error ?? {}) as { readonly syscall?: unknown };
  return syscall !== 'connect' && syscall !== 'getaddrinfo';
}

function inDoubt(error: SinkError, doubted: boolean): SinkError {
  const { code, message, cause, retryable, details } = error;
  return new SinkError(code as never, message, { cause, retryable, details: { ...details, doubted } });
}
