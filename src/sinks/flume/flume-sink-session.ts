import type { Delivery } from '../../delivery/delivery.js';
import { nackErrorOfThrown, stoppedError } from '../../delivery/nack-errors.js';
import { type FlumeEvent, flumeEventBytes } from '../../formats/flume-event.js';
import { BatchOutcomes } from '../../lifecycle/batch-outcomes.js';
import { Batcher } from '../../lifecycle/batcher.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { FlumeRpcClient } from '../../ports/flume-rpc.js';
import type { CheckedOptions } from './options.js';
import { Pool } from './pool.js';

/**
 * One subscription of a Flume sink: gathers the events of each stream into batches, and settles each batch by its answer.
 *
 * Bounds: one open batch a stream; batches that wait for a connection are unreleased, so the source's window bounds them.
 */
export class FlumeSinkSession implements SinkSession<FlumeEvent> {
  readonly #batcher: Batcher<FlumeEvent>;
  readonly #outcomes: BatchOutcomes;
  readonly #pool: Pool;

  constructor(client: FlumeRpcClient, options: CheckedOptions, lifecycle: SinkLifecycle) {
    const labels = { sink: 'flume', to: client.name };
    this.#outcomes = new BatchOutcomes(lifecycle, options.monitor, labels);
    this.#pool = new Pool(client, options, this.#outcomes);
    this.#batcher = new Batcher({
      limits: options.batch,
      holds: 'one epoch',
      send: (batch) => this.#pool.add(batch),
      over: (isOver) => {
        this.#pool.remove(isOver);
        lifecycle.completeIfIdle();
      },
    });
  }

  get isIdle(): boolean {
    return this.#batcher.isEmpty && this.#pool.isIdle;
  }

  take(delivery: Delivery<FlumeEvent>): void {
    let bytes: number;
    try {
      bytes = flumeEventBytes(delivery.value);
    } catch (cause) {
      delivery.nack(nackErrorOfThrown('event given to flumeSink', cause, delivery, 'RXF_SINK_FORMAT'));
      return;
    }
    this.#batcher.take(delivery.origin.stream, delivery, delivery.value, bytes);
  }

  flush(): void {
    this.#batcher.closeAll();
  }

  end(): void {
    const cause = stoppedError('an agent had taken the batch');
    for (const batch of [...this.#pool.close(), ...this.#batcher.end()]) batch.nack(cause);
    this.#outcomes.end();
  }
}
