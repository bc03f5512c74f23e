import { flowSources } from '../../core/flow-scope.js';
import type { FlowSource } from '../../core/flow-sources.js';
import type { SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { KafkaConsumer } from '../../ports/kafka-consumer.js';
import { Assignment } from './assignment.js';

/** What one subscription has of its group now. Plain state: the session changes it, and its parts read it. */
export class SessionState {
  readonly lifecycle: SourceLifecycle;
  readonly #sources = flowSources();
  consumer: KafkaConsumer | undefined;
  assignment = new Assignment(0, []);
  isRevoking = false;

  constructor(lifecycle: SourceLifecycle) {
    this.lifecycle = lifecycle;
  }

  /** Whether records are taken and passed on now, the window aside. */
  get isTaking(): boolean {
    return this.lifecycle.isRunning && !this.isRevoking;
  }

  /** Whether the flow is paused: nothing is read, and nothing more goes out. What is out goes on. */
  get isPaused(): boolean {
    return this.#sources.isPaused;
  }

  /** Has the flow steer the session; returns what ends that. */
  join(source: FlowSource): () => void {
    return this.#sources.add(source);
  }

  /** Calls the driver. What it throws ends the stream: it is called while a sink acks and from timers, where nothing catches. */
  call(verb: (consumer: KafkaConsumer) => void): void {
    try {
      if (this.consumer !== undefined) verb(this.consumer);
    } catch (error) {
      this.lifecycle.fail(error);
    }
  }
}
