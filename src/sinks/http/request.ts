import { defer, from, map, type Observable, of, switchMap, take, throwIfEmpty } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { readHeaders, shownHeaders } from '../../core/secret-headers.js';
import { shownUrl } from '../../core/text.js';
import type { DeliveryBatch } from '../../delivery/delivery-batch.js';
import { within } from '../../lifecycle/time-limit.js';
import type { HttpAnswer, HttpClient } from '../../ports/http-client.js';
import { type HttpBatch, httpBatchOf } from './batch-id.js';
import { joinBody } from './http-body.js';
import type { CheckedOptions } from './options.js';
import { expectHeaders } from './request-parts.js';

/** The encoded values of one stream that go in one request; `to` is its URL. */
export type HttpPayload = DeliveryBatch<string | Uint8Array>;

/** An answer, and the request it is to. */
export interface Sent {
  /** The caller's headers, whose values are in no message. */
  readonly headers: Readonly<Record<string, string>>;
  /** The size of the body as it was sent. */
  readonly bytes: number;
  readonly answer: HttpAnswer;
}

/** One attempt to send a batch, cold: made anew for each, so that no body is kept while it waits. */
export function requestOf(client: HttpClient, payload: HttpPayload, options: CheckedOptions<never>): Observable<Sent> {
  const { method, body: form, compression, requestTimeoutMs, idempotencyHeader, idempotencyKey } = options;
  const { to: url } = payload;
  const late = (problem: string) =>
    new SinkError(
      'RXF_HTTP_TIMEOUT',
      `${method} ${shownUrl(url)}: ${problem}. It is not known whether the server has carried it out.`,
      { details: { url: shownUrl(url), requestTimeoutMs } },
    );
  return defer(() => {
    const batch = httpBatchOf(payload);
    const given = options.headers(batch);
    expectHeaders('headers', shownHeaders(given), idempotencyHeader);
    const headers = readHeaders(given);
    return (headers instanceof Promise ? from(headers) : of(headers)).pipe(switchMap((read) => send(batch, read)));
  }).pipe(
    within(requestTimeoutMs, () => late(`its answer was not whole within ${requestTimeoutMs} ms (requestTimeoutMs)`)),
  );

  function send(batch: HttpBatch, headers: Readonly<Record<string, string>>): Observable<Sent> {
    expectHeaders('headers', headers, idempotencyHeader);
    const named = idempotencyHeader === null ? {} : { [idempotencyHeader]: idempotencyKey(batch) };
    expectHeaders('idempotencyKey', named);
    const encoding = compression.name === 'none' ? {} : { 'content-encoding': compression.name };
    const all = { ...headers, ...named, ...encoding, 'content-type': form.contentType };
    return from(compression.compress(joinBody(payload.values, form))).pipe(
      switchMap((body) =>
        client.request({ method, url, headers: all, body }).pipe(
          take(1),
          throwIfEmpty(() => late('no answer came')),
          map((answer) => ({ headers, bytes: body.length, answer })),
        ),
      ),
    );
  }
}
