import { shownUrl } from '../../core/text.js';
import type { Delivery } from '../../delivery/delivery.js';
import { stoppedError } from '../../delivery/nack-errors.js';
import { BatchOutcomes } from '../../lifecycle/batch-outcomes.js';
import { Batcher } from '../../lifecycle/batcher.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { HttpClient } from '../../ports/http-client.js';
import { frameOf } from './http-body.js';
import type { CheckedOptions } from './options.js';
import { type Routed, route } from './routing.js';
import { Sender } from './sender.js';

/**
 * One subscription of an HTTP sink: gathers values into batches, sends these, and settles each by its answer.
 *
 * Bounds: an open batch of `batch.bytes` for each stream, and with `order: 'key'` for each of `maxInFlight` queues of it.
 */
export class HttpSinkSession<T> implements SinkSession<T> {
  readonly #options: CheckedOptions<T>;
  readonly #batcher: Batcher<string | Uint8Array>;
  readonly #outcomes: BatchOutcomes;
  readonly #sender: Sender;
  readonly #between: number;
  #sent = 0;

  constructor(client: HttpClient, options: CheckedOptions<T>, lifecycle: SinkLifecycle) {
    this.#options = options;
    const { monitor, url, batch, body } = options;
    const labels = { sink: 'http', to: typeof url === 'string' ? shownUrl(url) : client.name };
    this.#outcomes = new BatchOutcomes(lifecycle, monitor, labels);
    this.#sender = new Sender(client, options, this.#outcomes);
    const { ends, between } = frameOf(body);
    this.#between = between;
    this.#batcher = new Batcher({
      // So that the body with its frame has at most so many: there is one separator less than there are values.
      limits: { ...batch, bytes: batch.bytes - ends + between },
      holds: 'one epoch',
      // Without an order each batch has a queue of its own.
      send: (closed, queue) => this.#sender.add(options.order === 'none' ? `${++this.#sent}` : queue, closed),
      over: (isOver) => this.#sender.remove(isOver),
    });
  }

  get isIdle(): boolean {
    return this.#batcher.isEmpty && this.#sender.isIdle;
  }

  take(delivery: Delivery<T>): void {
    let routed: Routed;
    try {
      routed = route(this.#options, delivery);
    } catch (cause) {
      delivery.nack(cause);
      return;
    }
    const { queue, url, piece } = routed;
    // Of several streams or epochs: it goes alone.
    const isAlone = delivery.acker.isMixed === true;
    if (isAlone) this.#batcher.close(queue);
    this.#batcher.take(queue, delivery, piece, Buffer.byteLength(piece) + this.#between, url);
    if (isAlone) this.#batcher.close(queue);
  }

  flush(): void {
    this.#batcher.closeAll();
  }

  end(): void {
    const cause = stoppedError('a server had taken the batch');
    for (const batch of [...this.#sender.close(), ...this.#batcher.end()]) batch.nack(cause);
    this.#outcomes.end();
  }
}
