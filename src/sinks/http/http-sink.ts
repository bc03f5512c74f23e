import { EMPTY, type Observable } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Probe } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { HttpClient } from '../../ports/http-client.js';
import { HttpSinkSession } from './http-sink-session.js';
import { checkOptions, type HttpSinkOptions } from './options.js';

/** An HTTP endpoint; `write()` is the last operator of a flow. */
export interface HttpSink<in T> {
  /**
   * The sink as an operator: takes values, emits a receipt for each batch that the server has said yes to.
   *
   * ```
   * values    -a-b-c-d-------|
   * sent      ---x---y--y-----     x = [a b], y = [c d]
   * answers   -----2---5--2---     2: 200, 5: 503
   * acks      -----(ab)---(cd)
   * receipts  -----r------r--|
   * ```
   *
   * Settles: acks a batch when it is answered 2xx; sends it again, in order, where that may help; nacks it, or the values
   * of it that are at fault, with an error that says whether the source may redeliver it.
   * Bounds: a batch being gathered for each stream, `maxInFlight` requests; the source's window bounds what waits.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<T>;
}

/**
 * Sends values to an HTTP server in batches of one stream each, retries by status, and names each batch so that a server
 * can tell when it is redelivered.
 *
 * ```ts
 * import { httpSink } from 'rxflume';
 * import { undici } from 'rxflume/drivers/undici';
 *
 * export const store = httpSink(undici(), { url: 'https://store.example/ingest', batch: { count: 500, maxWaitMs: 500 } });
 * ```
 */
export function httpSink<T = unknown>(client: HttpClient, options: HttpSinkOptions<T>): HttpSink<T> {
  expectFunction('client.request', client?.request);
  const checked = checkOptions(options);
  const { url } = checked;
  const probe: Probe | undefined =
    typeof url === 'string' && client.probe ? (setting) => client.probe?.(url, setting) ?? EMPTY : undefined;
  return {
    write: () =>
      Object.assign(
        (deliveries: Observable<Delivery<T>>) =>
          sinkLifecycle(deliveries, (lifecycle) => new HttpSinkSession(client, checked, lifecycle)),
        probe && { probe },
      ),
  };
}
