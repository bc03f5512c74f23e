import type { Subject, Subscriber } from 'rxjs';
import type { FlowSources } from '../../core/flow-sources.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Settling } from '../../lifecycle/settling.js';
import type { SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { AmqpConsumer } from '../../ports/amqp-consumer.js';

/** What the readers of one session share. */
export interface SessionParts {
  readonly out: Pick<Subscriber<Delivery<Buffer>>, 'next'>;
  /** While it runs, messages are taken. */
  readonly lifecycle: SourceLifecycle;
  readonly settling: Settling;
  readonly sources: FlowSources;
  /** Whether any channel was opened: only the first failure to connect ends the session. */
  hasConnected: boolean;
}

/** One channel: the acker of what it has delivered. */
export interface ReaderChannel {
  readonly flush$: Subject<FlushSignal>;
  readonly unsettled: number;
  /** How many are out and not released, and their bytes. */
  readonly inFlight: number;
  readonly inFlightBytes: number;
  /** When the oldest unsettled message was made. */
  readonly oldestTime: number | undefined;
  opened(consumer: AmqpConsumer): void;
  /** Sends all acks that are owed. */
  flush(): void;
  end(): void;
}
