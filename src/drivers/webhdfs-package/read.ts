import { SinkError } from '../../core/errors.js';
import { lookAt } from '../webhdfs/look.js';
import { rejection } from '../webhdfs/name-nodes.js';
import { notUnderstood, rejected, tooLarge } from '../webhdfs/remote-exception.js';
import { type Answer, AnswerTooLarge, MAX_ERROR_BYTES } from '../webhdfs/request.js';
import { encodePath } from '../webhdfs/url.js';
import { type Asking, answerOfRequest } from './asking.js';
import type { Settings } from './options.js';
import type { PackageClient, PackageRequest, PackageResponse } from './package.js';
import { faultOfPackage } from './redirects.js';

/**
 * The whole of a small file. The package's stream has no limit, and ends in the same way for half a file: so the length is
 * asked before and compared after.
 * Bounds: `maxBytes` of memory, rejected from the length before any is taken.
 */
export async function read(
  client: PackageClient,
  asking: Asking,
  settings: Settings,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const doing = `read ${path}`;
  const attempt = asking.attempt({ doing, path });
  const found = await lookAt(asking, path, doing, signal);
  if (found?.kind !== 'file') {
    throw rejected({ name: 'FileNotFoundException', message: `no file ${path}` }, attempt);
  }
  const limit = `the limit of ${maxBytes}`;
  if (found.bytes > maxBytes) throw tooLarge(new AnswerTooLarge(`${found.bytes} bytes`), attempt, limit);
  const once = () => collected(client.createReadStream(encodePath(path)), maxBytes, settings, signal);
  const reply = await asking.again(attempt, limit, signal, once);
  if (reply.remote) throw rejection(reply);
  if (reply.answer.status !== 200) throw notUnderstood(reply.answer, attempt);
  const { byteLength } = reply.answer.body;
  if (byteLength === found.bytes) return reply.answer.body;
  const message = `Could not ${doing} on ${attempt.at}: ${byteLength} of ${found.bytes} bytes came. It can be tried again.`;
  throw new SinkError('RXF_FILES_LENGTH', message, { details: { path, held: found.bytes, read: byteLength } });
}

function collected(
  request: PackageRequest,
  maxBytes: number,
  { requestTimeoutMs }: Settings,
  signal: AbortSignal,
): Promise<Answer> {
  return answerOfRequest(request, requestTimeoutMs, signal, ({ resolve, reject, giveUp, refresh }) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let answered: PackageResponse | undefined;
    // The package takes all listeners of a rejected request away when its answer begins, so this one comes after that.
    request.on('response', (response: PackageResponse) => {
      answered = response;
      request.on('data', (chunk: Buffer) => {
        refresh();
        bytes += chunk.byteLength;
        if (bytes > maxBytes && response.statusCode < 400) giveUp(new AnswerTooLarge(`more than ${maxBytes} bytes`));
        else if (bytes <= maxBytes + MAX_ERROR_BYTES) chunks.push(chunk);
      });
    });
    request.on('error', (error: unknown) => {
      // Of a rejection the package makes an error of its own; what Hadoop says is still to come.
      if (answered === undefined || answered.statusCode < 400) reject(faultOfPackage(error, true));
    });
    request.on('complete', () => {
      const { statusCode: status, headers } = answered as PackageResponse;
      resolve({ status, headers, body: Buffer.concat(chunks) });
    });
  });
}
