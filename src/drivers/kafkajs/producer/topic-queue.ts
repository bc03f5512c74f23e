import type { RxflumeError } from '../../../core/errors.js';
import type { Call } from './call.js';
import type { Partitions } from './partition-batch.js';
import { rejectionFor, unsent, verdictOf } from './producer-answers.js';
import type { ProducingFor } from './sender.js';
import { LOOK_AGAIN_AFTER_MS } from './writable-topics.js';

/**
 * Hands the records of a call on, each once its topic is known: those of known topics at once, those of others when they
 * have been looked up, in order of the calls.
 */
export class TopicQueue {
  readonly #of: ProducingFor;
  readonly #share: (call: Call, partitionsOf: (topic: string) => Partitions) => void;
  /** Topics that are being looked up, with the calls that wait for it. */
  readonly #looking = new Map<string, Call[]>();

  /** `share`: takes the records of a call whose topic has an answer. */
  constructor(of: ProducingFor, share: (call: Call, partitionsOf: (topic: string) => Partitions) => void) {
    this.#of = of;
    this.#share = share;
  }

  add(call: Call): void {
    const { topics } = this.#of.link;
    const unknown = new Set<string>();
    const now = new Map<string, Partitions>();
    for (const { topic } of call.records) {
      if (now.has(topic)) continue;
      const waiting = this.#looking.get(topic);
      const known = waiting === undefined ? topics.known(topic) : undefined;
      now.set(topic, known);
      if (waiting !== undefined) waiting.push(call);
      else if (known === undefined) unknown.add(topic);
    }
    this.#share(call, (topic) => now.get(topic));
    for (const topic of unknown) {
      this.#looking.set(topic, [call]);
      void this.#look(topic, call.until);
    }
  }

  async #look(topic: string, until: number): Promise<void> {
    const partitions = await this.#partitionsOf(topic, until);
    const waiting = this.#looking.get(topic) ?? [];
    this.#looking.delete(topic);
    for (const call of waiting) this.#share(call, (one) => (one === topic ? partitions : undefined));
  }

  async #partitionsOf(topic: string, until: number): Promise<number | RxflumeError> {
    const { link, setting, closing, producing } = this.#of;
    for (;;) {
      let trouble: unknown = new Error('the topic has no metadata yet');
      try {
        await link.topics.look([topic]);
        const known = link.topics.known(topic);
        if (known !== undefined) return known;
      } catch (error) {
        link.forget(error);
        const verdict = verdictOf(error);
        if (verdict !== 'again' && verdict !== 'lost') return rejectionFor(topic, error, setting);
        trouble = error;
      }
      if (performance.now() > until || this.#of.isClosed) {
        return unsent(topic, producing.sendTimeoutMs, trouble, setting, false);
      }
      await closing.wait(LOOK_AGAIN_AFTER_MS);
    }
  }
}
