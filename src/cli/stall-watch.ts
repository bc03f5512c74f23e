import type { Monitor } from '../core/monitor.js';
import { culpritOf } from '../metrics/culprit.js';
import { type FlowStatus, statusOf } from '../metrics/status.js';

/** A flow that has had no progress for so long, while there is a backlog, is reported. */
const STALLED_AFTER_MS = 10_000;
/** How often it is looked, and so how late it may be seen. */
const LOOK_EVERY_MS = 1_000;

/** Says when a flow has stopped moving though there is something to read, and when it goes on. */
export function watchStalls(monitor: Monitor, say: Say): () => void {
  const watch = new StallWatch(say);
  const looking = setInterval(() => watch.look(statusOf(monitor)), LOOK_EVERY_MS);
  looking.unref();
  return () => clearInterval(looking);
}

type Say = (level: 'info' | 'warn', what: string, message: string, details: Readonly<Record<string, unknown>>) => void;

/**
 * Decides what to say of stalls, from one status to the next: once when a flow has stopped, and once when it goes on.
 *
 * Pure. Bounds: one number for each source that is stalled.
 */
export class StallWatch {
  readonly #say: Say;
  /** For how long each was stalled when it was looked at last, in seconds. */
  readonly #stalled = new Map<string, number>();

  constructor(say: Say) {
    this.#say = say;
  }

  look(flows: readonly FlowStatus[]): void {
    for (const status of flows) this.#lookAt(status);
  }

  #lookAt(status: FlowStatus): void {
    const { flow } = status;
    for (const { source, name, streams, inFlight, noProgressSeconds = 0 } of status.sources) {
      const key = JSON.stringify([flow, source, name]);
      const backlog = streams.reduce((sum, { backlog: of = 0 }) => sum + of, 0);
      const before = this.#stalled.get(key);
      if (noProgressSeconds * 1_000 >= STALLED_AFTER_MS) {
        this.#stalled.set(key, noProgressSeconds);
        if (before !== undefined) continue;
        const seconds = Math.floor(noProgressSeconds);
        const culprit = culpritOf(status);
        const message =
          `No progress for ${seconds} s, though ${backlog} records are not read yet. ${culprit.message} ` +
          'Nothing is lost; this is reported again when it goes on.';
        this.#say('warn', 'flow.stalled', message, {
          flow,
          source,
          name,
          seconds,
          backlog,
          inFlight,
          waitsIn: culprit.name,
        });
      } else if (before !== undefined) {
        this.#stalled.delete(key);
        const message = `Progress again, after ${Math.floor(before)} s without any.`;
        this.#say('info', 'flow.resumed', message, { flow, source, name, seconds: Math.floor(before), backlog });
      }
    }
  }
}
