import { defer, from, map, type Observable, switchMap, take, throwIfEmpty } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { shownUrl } from '../../core/shown-url.js';
import { within } from '../../lifecycle/within.js';
import type { HttpAnswer, HttpClient } from '../../ports/http-client.js';
import { joinBody } from './http-body.js';
import type { CheckedOptions, HttpHeaders } from './options.js';
import type { OutgoingBatch } from './outgoing-batch.js';
import { expectHeaders } from './request-parts.js';

/** An answer, and the request it is to. */
export interface Sent {
  /** The caller's headers, whose values are in no message. */
  readonly headers: HttpHeaders;
  /** The size of the body as it was sent. */
  readonly bytes: number;
  readonly answer: HttpAnswer;
}

/** One try of a parcel, cold: made anew for each, so that no body is kept while it waits. */
export function requestOf(
  client: HttpClient,
  outgoing: OutgoingBatch,
  options: CheckedOptions<never>,
): Observable<Sent> {
  const { method, body: form, compression, timeoutMs, idempotencyHeader, idempotencyKey } = options;
  const { url } = outgoing;
  const late = (problem: string) =>
    new SinkError(
      'RXF_HTTP_TIMEOUT',
      `${method} ${shownUrl(url)}: ${problem}. Nobody knows whether the server has carried it out.`,
      { details: { url: shownUrl(url), timeoutMs } },
    );
  return defer(() => {
    const { batch } = outgoing;
    const headers = options.headers(batch);
    expectHeaders('headers', headers, idempotencyHeader);
    const named = idempotencyHeader === null ? {} : { [idempotencyHeader]: idempotencyKey(batch) };
    expectHeaders('idempotencyKey', named);
    const encoding = compression.name === 'none' ? {} : { 'content-encoding': compression.name };
    const all = { ...headers, ...named, ...encoding, 'content-type': form.contentType };
    const joined = joinBody(
      outgoing.pieces.map(({ value }) => value),
      form,
    );
    return from(compression.compress(joined)).pipe(
      switchMap((body) =>
        client.request({ method, url, headers: all, body }).pipe(
          take(1),
          throwIfEmpty(() => late('no answer came')),
          map((answer) => ({ headers, bytes: body.length, answer })),
        ),
      ),
    );
  }).pipe(within(timeoutMs, () => late(`its answer was not whole within ${timeoutMs} ms (timeoutMs)`)));
}
