import { Observable } from 'rxjs';
import { ConnectError, describeError, SinkError } from '../core/errors.js';
import { shownUrl } from '../core/text.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../ports/http-client.js';

/**
 * HTTP by Node's `fetch`: no package, and no TLS options. No redirect is followed.
 *
 * Bounds: so many bytes of each answer; the rest is not read.
 * Fails: as `HttpClient.request`. `fetch` does not say whether a request was sent, so what fails otherwise is `RXF_HTTP_LOST`.
 * Source: the Fetch standard; in Node the reason of its `TypeError` is the cause.
 */
export function fetchClient(maxResponseBytes: number): HttpClient {
  return {
    name: 'http fetch',
    request: (request) =>
      new Observable((out) => {
        const abort = new AbortController();
        answerOf(request, maxResponseBytes, abort.signal).then(
          (answer) => {
            out.next(answer);
            out.complete();
          },
          (cause: unknown) => out.error(translated(request, cause)),
        );
        return () => abort.abort();
      }),
  };
}

async function answerOf(request: HttpRequest, most: number, signal: AbortSignal): Promise<HttpAnswer> {
  const { method, url, headers, body } = request;
  const sent = body.length === 0 ? {} : { body: Buffer.from(body) };
  const response = await fetch(url, { method, headers, redirect: 'manual', signal, ...sent });
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (response.body !== null) {
    // Leaving the loop cancels the body, and with it the connection.
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      pieces.push(piece.subarray(0, most - bytes));
      bytes += piece.length;
      if (bytes > most) break;
    }
  }
  const text = Buffer.concat(pieces).toString();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    excerpt: text,
    isWhole: bytes <= most,
  };
}

const NOT_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

function translated({ method, url }: HttpRequest, cause: unknown): ConnectError | SinkError {
  const reason = (cause as { readonly cause?: unknown } | null)?.cause ?? cause;
  const what = `${method} ${shownUrl(url)}`;
  const extras = { cause, details: { request: what } };
  const code = codeOf(reason);
  if (NOT_SENT.test(code)) {
    return new ConnectError('RXF_HTTP_UNREACHABLE', `${what}: cannot connect: ${describeError(reason)}.`, extras);
  }
  if (/^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code)) {
    const advice = 'Give the certificates: `http: undici({ tls: { ca } })` of rxflume/drivers/undici.';
    const message = `${what}: the TLS handshake failed: ${describeError(reason)}. ${advice}`;
    return new ConnectError('RXF_HTTP_TLS', message, extras);
  }
  const message = `${what}: the connection closed before the answer was whole: ${describeError(reason)}.`;
  return new SinkError('RXF_HTTP_LOST', message, extras);
}

function codeOf(reason: unknown): string {
  const { code, errors } = (reason ?? {}) as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (code === undefined && Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return typeof code === 'string' ? code : '';
}
