import { Observable } from 'rxjs';
import { ConnectError, describeError, SinkError } from '../core/errors.js';
import { withoutSecrets } from '../core/secrets.js';
import { shownUrl } from '../core/text.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../ports/http-client.js';

const MAX_RESPONSE_BYTES = 4_096;
/** Nothing was sent then. */
const UNSENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/**
 * HTTP through the `fetch` that Node has, for few and small requests. Redirects are not followed.
 *
 * Bounds: 4 KiB of each answer. Fails: as the port says; see `HttpClient`.
 */
class FetchClient implements HttpClient {
  readonly name = 'http fetch';

  request(request: HttpRequest): Observable<HttpAnswer> {
    return new Observable((subscriber) => {
      const giveUp = new AbortController();
      ask(request, giveUp.signal).then(
        (answer) => {
          subscriber.next(answer);
          subscriber.complete();
        },
        (cause: unknown) => subscriber.error(failure(request, cause)),
      );
      return () => giveUp.abort();
    });
  }
}

export const fetchClient: HttpClient = new FetchClient();

async function ask({ method, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  // Each request on a connection of its own: one that a server closes meanwhile is not given to the next.
  const all = { ...headers, connection: 'close' };
  const response = await fetch(url, { method, headers: all, body: Buffer.from(body), redirect: 'manual', signal });
  const pieces: Buffer[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined && bytes <= MAX_RESPONSE_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(Buffer.from(value as Uint8Array));
    bytes += (value as Uint8Array).length;
  }
  await reader?.cancel();
  const excerpt = Buffer.concat(pieces).subarray(0, MAX_RESPONSE_BYTES).toString();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    excerpt,
    isWhole: bytes <= MAX_RESPONSE_BYTES,
  };
}

function failure({ method, url }: HttpRequest, cause: unknown): ConnectError | SinkError {
  const reason = (cause as { readonly cause?: { readonly code?: unknown } } | null)?.cause ?? cause;
  const why = withoutSecrets(describeError(reason));
  const what = `${method} ${shownUrl(url)}`;
  const code = String((reason as { readonly code?: unknown } | null)?.code);
  if (UNSENT.includes(code)) {
    return new ConnectError('RXF_HTTP_UNREACHABLE', `${what}: cannot be reached: ${why}. Check the address.`);
  }
  return new SinkError('RXF_HTTP_LOST', `${what}: the connection ended before the answer was whole: ${why}.`);
}
