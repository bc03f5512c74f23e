import { map } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import type { HttpServer } from '../../ports/http-server.js';
import { ListeningSession } from '../listening/listening-session.js';
import { listenProbe } from '../listening/probe.js';
import { AnsweredKeys } from './answered-keys.js';
import { HttpIntake } from './http-intake.js';
import { checkOptions, type HttpSourceOptions } from './options.js';
import type { HttpValue } from './request-body.js';

/**
 * Listens for what clients post: one delivery a value. The answer to a request is its ack: 200 means that every value of it
 * is durable.
 *
 * ```
 * requests -[a b]---------[c]---
 * values   -(ab)----------c-----
 * acks     ------b--a-------X---     X: c is nacked
 * answers  ---------200-----503-
 * ```
 *
 * ```ts
 * import { httpSource } from 'rxflume/inputs';
 * import { nodeHttpServer } from 'rxflume/drivers/node';
 *
 * export const orders$ = httpSource(nodeHttpServer({ host: '0.0.0.0', port: 8080 }), { name: 'orders', path: '/orders' });
 * ```
 *
 * Settles: answers 200 when every value of a request is acked; at the first nack 503 with `Retry-After`, or 422 where the
 * cause is a `DecodeError`, with the index of the value and how many others were durable by then; 503 after
 * `answerTimeoutMs`. Such a client sends all of it again, so values may come twice. A request with an `Idempotency-Key` that
 * became durable is answered again without being delivered again, as long as this process remembers the key (`maxKeys`).
 * Bounds: `window` for what is out, and one request; while it is full, clients get 503. Bodies that are being received: see
 * the server.
 * Fails: `ConnectError` when it cannot listen, `SourceError` when a drain is late or a value was nacked during it.
 * Source: RFC 9110; draft-ietf-httpapi-idempotency-key-header; Flume 1.11, `HTTPSource` and `JSONHandler`.
 */
export function httpSource(
  server: HttpServer,
  options: HttpSourceOptions & { readonly body: 'flume' },
): Source<Delivery<FlumeEvent>>;
export function httpSource(
  server: HttpServer,
  options: HttpSourceOptions & { readonly body: 'bytes' },
): Source<Delivery<Uint8Array>>;
export function httpSource(server: HttpServer, options: HttpSourceOptions): Source<Delivery<unknown>>;
export function httpSource(server: HttpServer, options: HttpSourceOptions): Source<Delivery<unknown>> {
  expectFunction('server.listen', server?.listen);
  const checked = checkOptions(options);
  const probe = listenProbe(() => new HttpIntake(server, checked, new AnsweredKeys(0)));
  const traits = { name: 'httpSource', isReplayable: false, probe };
  const keys = new AnsweredKeys(checked.maxKeys);
  const read$ = new Source<Delivery<HttpValue>>((subscriber, stop$) => {
    keys.forgetUnanswered();
    return new ListeningSession(new HttpIntake(server, checked, keys), checked, subscriber).start(stop$);
  }, traits);
  return read$.through((deliveries$) => deliveries$.pipe(map((delivery) => delivery.with(delivery.value.value))));
}
