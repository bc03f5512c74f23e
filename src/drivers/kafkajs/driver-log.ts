import { sentence } from '../../core/sentence.js';
import type { KafkaProducerListener } from '../../ports/kafka-producer.js';
import { redact } from './errors.js';
import type { LogCreator } from './vendor/internals.js';

const SAME_AGAIN_AFTER_MS = 10_000;
const MAX_REMEMBERED = 100;
const LEVEL_ERROR = 1;
const LEVEL_WARN = 2;

/**
 * Passes log events to the listener, the same one at most once per 10 s, and remembers the last network failure that kafkajs
 * logged but did not throw.
 */
export class DriverLog {
  lastFailure: string | undefined;
  readonly #listener: KafkaProducerListener;
  readonly #secrets: readonly string[];
  readonly #seen = new Map<string, number>();
  #isSilent = false;

  constructor(listener: KafkaProducerListener, secrets: readonly string[]) {
    this.#listener = listener;
    this.#secrets = secrets;
  }

  readonly logCreator: LogCreator =
    () =>
    ({ level, log }) => {
      if (level !== LEVEL_ERROR && level !== LEVEL_WARN) return;
      const message = redact(String(log.message), this.#secrets);
      const failure = /^Connection (?:error: |timeout)(.*)/.exec(message);
      if (failure !== null) {
        const broker = String(log.broker ?? '');
        const reason = failure[1] || 'no answer';
        this.lastFailure = broker && !reason.includes(broker) ? `${reason} (${broker})` : reason;
        this.trouble(`A connection failed: ${this.lastFailure}. Retrying.`);
        return;
      }
      // A response that kafkajs rejects reaches us as an error too.
      if (!message.startsWith('Response '))
        this.trouble(sentence(`kafkajs reports: ${message}`, 'The failed request is retried.'));
    };

  /** The listener is not called again. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Something is tried again. */
  trouble(message: string): void {
    this.tell('warn', 'kafka.trouble', message);
  }

  /** Something is left out; all else goes on. */
  skipped(message: string): void {
    this.tell('warn', 'kafka.skipped', message);
  }

  tell(level: 'info' | 'warn', what: string, message: string): void {
    if (this.#isSilent) return;
    const key = `${what} ${message}`;
    const now = performance.now();
    const before = this.#seen.get(key);
    if (before !== undefined && now - before < SAME_AGAIN_AFTER_MS) return;
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.set(key, now);
    this.#listener.logEvent(level, what, message);
  }
}
