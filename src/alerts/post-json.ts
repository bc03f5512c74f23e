import { catchError, from, ignoreElements, map, mergeMap, type Observable } from 'rxjs';
import { describeError, isRetryable, SinkError } from '../core/errors.js';
import { expectOption } from '../core/options.js';
import { readHeaders, type SecretHeaders } from '../core/secret-headers.js';
import { secretsOf, withoutSecrets } from '../core/secrets.js';
import { shownText, shownUrl } from '../core/text.js';
import { within } from '../lifecycle/time-limit.js';
import type { HttpAnswer, HttpClient } from '../ports/http-client.js';

export interface Post {
  readonly client: HttpClient;
  readonly url: string;
  readonly headers: SecretHeaders;
  readonly body: string;
  readonly requestTimeoutMs: number;
}

/**
 * Posts JSON; completes when the answer is 2xx.
 *
 * Fails: `RXF_ALERT_SEND`, without the query of the URL, headers or secrets; retryable unless the answer says that the request was
 * wrong, or redirects elsewhere.
 */
export function postJson(post: Post): Observable<never> {
  const headers = readHeaders(post.headers);
  return headers instanceof Promise ? from(headers).pipe(mergeMap((read) => send(post, read))) : send(post, headers);
}

function send(
  { client, url, body, requestTimeoutMs }: Post,
  headers: Readonly<Record<string, string>>,
): Observable<never> {
  const at = shownUrl(url);
  const known = [...Object.values(headers), ...secretsOf(new URL(url))];
  const late = () =>
    new SinkError('RXF_ALERT_SEND', `${at} did not answer within ${requestTimeoutMs} ms. It is tried again.`);
  const all = { 'content-type': 'application/json', ...headers };
  return client.request({ method: 'POST', url, headers: all, body: Buffer.from(body) }).pipe(
    within<HttpAnswer>(requestTimeoutMs, late),
    map((answer) => expectSuccess(at, answer, known)),
    ignoreElements(),
    catchError((cause: unknown) => {
      if (cause instanceof SinkError && cause.code === 'RXF_ALERT_SEND') throw cause;
      const why = withoutSecrets(describeError(cause), known);
      throw new SinkError('RXF_ALERT_SEND', `Cannot send alerts: ${why}.`, { retryable: isRetryable(cause) });
    }),
  );
}

function expectSuccess(at: string, { status, excerpt }: HttpAnswer, known: readonly string[]): void {
  if (status >= 200 && status < 300) return;
  const details = { status };
  if (status >= 300 && status < 400) {
    const message = `${at} answered ${status}. Redirects are not followed: alerts would go to an address that is not configured. Give the final URL.`;
    throw new SinkError('RXF_ALERT_SEND', message, { retryable: false, details });
  }
  const said = shownText(withoutSecrets(excerpt.slice(0, 200).replace(/\s+/g, ' ').trim(), known));
  const retryable = status >= 500 || status === 408 || status === 429;
  const advice = retryable ? 'It is tried again.' : 'Check the URL, the credentials and what the receiver expects.';
  throw new SinkError('RXF_ALERT_SEND', `${at} answered ${status}${said === '' ? '' : ` (${said})`}. ${advice}`, {
    retryable,
    details,
  });
}

/** An http or https URL without user information. */
export function expectUrl(name: string, value: unknown): void {
  const isFit =
    typeof value === 'string' &&
    URL.canParse(value) &&
    /^https?:$/.test(new URL(value).protocol) &&
    new URL(value).username === '';
  // What it is must not be shown: it may hold a secret.
  expectOption(name, isFit ? value : typeof value, isFit, 'an http or https URL without user information');
}

/** Names and values that HTTP can carry: a line end in one would fail each request, with a message that may show a secret. */
export function expectHeaders(name: string, headers: unknown): void {
  const isFit =
    typeof headers === 'object' &&
    headers !== null &&
    Object.entries(headers).every(
      ([header, value]) =>
        /^[\w!#$%&'*+.^`|~-]+$/.test(header) && typeof value === 'string' && /^[\t -~\u0080-\u00ff]*$/.test(value),
    );
  // Not shown: they may hold a secret.
  expectOption(name, typeof headers, isFit, 'an object of header names and values without line ends');
}
