import { describeError } from '../../core/errors.js';
import { defaultMonitor } from '../../core/monitor.js';
import type { Secret } from '../../core/secret.js';
import type { Link } from './link.js';

/** How to log in, as amqplib takes it. */
export interface Credentials {
  readonly mechanism: 'PLAIN' | 'EXTERNAL';
  response(): Buffer;
}

export function plain(user: string, password: string): Credentials {
  return { mechanism: 'PLAIN', response: () => Buffer.from(`\0${user}\0${password}`) };
}

export const EXTERNAL: Credentials = { mechanism: 'EXTERNAL', response: () => Buffer.alloc(0) };

/** Calls back with what a secret is now: at once where it is known at once. */
export function whenRead(secret: Secret, read: (text: string) => void, failed: (error: unknown) => void): void {
  let given: string | Promise<string>;
  try {
    given = secret.value();
  } catch (error) {
    queueMicrotask(() => failed(error));
    return;
  }
  if (typeof given === 'string') read(given);
  else given.then(read, failed);
}

/**
 * Reads the password of an open connection again from time to time, and tells the broker of a new one, which so learns a new token before
 * the old one ends. What cannot be read is tried again at the next time.
 *
 * Source: RabbitMQ, `connection.update-secret`.
 */
export function renewSecret(link: Link, password: string, intervalMs: number): void {
  let current = password;
  const read = (text: string) => {
    if (text === current || link.isOver) return;
    current = text;
    try {
      link.connection.updateSecret(Buffer.from(text), 'the secret was renewed', (error) => {
        if (error) failed(error);
      });
    } catch {
      // It is closing: the next connection logs in with the new one.
    }
  };
  const failed = (cause: unknown) => {
    const message = `Cannot renew the secret of the connection to RabbitMQ at ${link.broker.name}: ${describeError(cause)}. It is tried again.`;
    defaultMonitor.report({ what: 'amqp.secret', about: link.broker.name, message, cause });
  };
  const timer = setInterval(() => whenRead(link.broker.password, read, failed), intervalMs);
  timer.unref();
  link.whenOver(() => clearInterval(timer));
}
