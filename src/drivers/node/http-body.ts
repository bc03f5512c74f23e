import type { IncomingMessage } from 'node:http';
import { gunzip, type InputType, inflate, type ZlibOptions } from 'node:zlib';
import type { BodyDeadlines } from './body-deadlines.js';

/** A body that cannot be taken, and the status that says so. */
export interface BodyProblem {
  readonly status: number;
  readonly problem: string;
}

/** Memory for bodies of all clients. */
export class BodyMemory {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes so many bytes, unless some are held and the limit would be passed. */
  take(bytes: number): boolean {
    if (this.#held > 0 && this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    return true;
  }

  free(bytes: number): void {
    this.#held -= bytes;
  }
}

/** DEFLATE makes at most so many bytes of one. */
const MOST_INFLATED = 1_032;

const INFLATE: Readonly<
  Record<string, (body: InputType, options: ZlibOptions, done: (error: Error | null, plain: Buffer) => void) => void>
> = { gzip: gunzip, 'x-gzip': gunzip, deflate: inflate };

/** Whether a body in this encoding can be read. */
export function isKnownEncoding(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding === 'identity' || INFLATE[encoding] !== undefined;
}

/**
 * Receives a body, and calls `done` once: with the body, or with what is wrong. Not where the client goes away: `gone`.
 *
 * Bounds: `maxBytes`, of which `memory` has its share until `done` or `gone`; `deadlines` for all of it to come.
 */
export function receiveBody(
  request: IncomingMessage,
  limits: { readonly maxBytes: number; readonly deadlines: BodyDeadlines; readonly memory: BodyMemory },
  done: (body: Buffer | BodyProblem) => void,
  gone: () => void,
): void {
  const { maxBytes, deadlines, memory } = limits;
  let chunks: Buffer[] = [];
  let length = 0;
  let isOver = false;
  const end = (call: () => void): void => {
    if (isOver) return;
    isOver = true;
    deadlines.delete(late);
    memory.free(length);
    call();
    chunks = [];
  };
  const late = (): void => {
    end(() => done({ status: 408, problem: `the body did not come within ${deadlines.timeoutMs} ms` }));
  };
  deadlines.add(late);
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    if (length + chunk.length > maxBytes) {
      end(() => done({ status: 413, problem: `the body has more than ${maxBytes} bytes (maxBodyBytes)` }));
      return;
    }
    if (!memory.take(chunk.length)) {
      end(() => done({ status: 503, problem: 'too much is being received at once (maxBufferedBytes)' }));
      return;
    }
    length += chunk.length;
    chunks.push(chunk);
  });
  request.on('end', () => end(() => done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))));
  const lost = () => end(gone);
  request.on('close', lost);
  // A request of HTTP/1.1 has no error that nobody listens to, and closes.
  if (request.httpVersionMajor > 1) request.on('aborted', lost).on('error', lost);
}

/** Undoes `content-encoding`, and calls `done` once. Bounds: `maxBytes`, which `memory` has its share of meanwhile. */
export function inflateBody(
  body: Buffer,
  encoding: string | undefined,
  limits: { readonly maxBytes: number; readonly memory: BodyMemory },
  done: (body: Uint8Array | BodyProblem) => void,
): void {
  const undo = encoding === undefined ? undefined : INFLATE[encoding];
  if (undo === undefined) {
    done(body);
    return;
  }
  const { maxBytes, memory } = limits;
  const most = body.length + Math.min(maxBytes, body.length * MOST_INFLATED);
  if (!memory.take(most)) {
    done({ status: 503, problem: 'too much is being received at once (maxBufferedBytes)' });
    return;
  }
  undo(body, { maxOutputLength: maxBytes }, (error, plain) => {
    memory.free(most);
    if (error === null) done(plain);
    else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      done({ status: 413, problem: `the body has more than ${maxBytes} bytes when inflated (maxBodyBytes)` });
    } else done({ status: 400, problem: `the body is not ${encoding}` });
  });
}
