import { from, mergeMap } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import { deliveryOperator } from '../../delivery/delivery-operator.js';
import { type Probe, probes, rightBy } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { FlumeRpcClient } from '../../ports/flume-rpc.js';
import { FlumeSinkSession } from './flume-sink-session.js';
import { checkOptions, type FlumeSinkOptions } from './options.js';

/** One or more Flume agents; `write()` is the last operator of a flow. */
export interface FlumeSink {
  /**
   * The sink as an operator: takes events, emits a receipt for each batch that an agent has taken.
   *
   * ```
   * values    -a-b-c-d----|
   * sent      ---(ab)-(cd)---
   * answers   --------F-----O     F: FAILED, O: OK
   * acks      --------------(cd)
   * nacks     --------(ab)---     after a and b were rejected one by one too
   * receipts  --------------r|
   * ```
   *
   * Settles: acks a batch when an agent has answered `OK` to it. When the answer is `FAILED`, `UNKNOWN` or an error, its
   * events are sent in parts: what is taken is acked, an event that is rejected alone is nacked alone
   * (`RXF_FLUME_EVENT_REJECTED`), and where the agent takes none of three, all is nacked (`RXF_FLUME_REJECTED`). A batch whose connection was lost before the answer is sent
   * again, and counted (`rxflume_sink_resent_total`): the agent may have it twice.
   * Bounds: one batch a stream being gathered; the source's window bounds what waits for a connection.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<FlumeEvent>;
}

/**
 * Sends events to Flume agents in batches of one stream each, over a pool of connections, with failover or balance
 * between several agents.
 *
 * ```ts
 * import { flumeSink } from 'rxflume';
 * import { avroRpcClient } from 'rxflume/drivers/avro-rpc';
 *
 * export const agents = flumeSink(avroRpcClient({ agents: ['flume1:4141', 'flume2:4141'] }), { strategy: 'failover' });
 * ```
 */
export function flumeSink(client: FlumeRpcClient, options: FlumeSinkOptions = {}): FlumeSink {
  expectFunction('client.connect', client?.connect);
  const checked = checkOptions(options);
  const fix = 'Check that an Avro source listens there, and that `compression` and `tls` are as in the agent.';
  const agreeing: Probe = () =>
    from(client.agents).pipe(
      mergeMap((on, at) => rightBy({ action: 'agree with the agent', on, fix }, () => client.connect(at))),
    );
  const probe = probes(client.probe, agreeing);
  return {
    write: () =>
      Object.assign(
        deliveryOperator('flumeSink', 'kept', (deliveries) =>
          sinkLifecycle(deliveries, (lifecycle) => new FlumeSinkSession(client, checked, lifecycle)),
        ),
        probe && { probe },
      ),
  };
}
