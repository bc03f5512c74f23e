import { createHash } from 'node:crypto';
import { map } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import type { HeaderMap } from '../core/headers.js';
import { expectFunction, expectKnown, expectText, expectWhole, withDefaults } from '../core/options.js';
import { type DeadLetter, deadLetterOf } from '../delivery/dead-letter.js';
import type { Delivery, Origin } from '../delivery/delivery.js';
import type { Source } from '../delivery/source.js';
import type { AmqpConsumerDriver, AmqpOrigin, AmqpTable, AmqpValue } from '../ports/amqp-consumer.js';
import { amqpSource } from '../sources/amqp/amqp-source.js';
import { readLetter } from './letter.js';

export interface DeadLetterQueueOptions {
  /** The queue behind a dead-letter exchange, or one that a RabbitMQ sink writes dead letters to, with `encode: jsonText`. */
  readonly queue: string;
  /** The most messages that are out and not settled, 1 to 65,535. Default 20,000. */
  readonly prefetch?: number;
}

/** The defaults of `deadLetterQueue`. */
export const DEAD_LETTER_QUEUE_DEFAULTS = { prefetch: 20_000 } as const satisfies Partial<DeadLetterQueueOptions>;

/**
 * Takes dead letters out of a queue of RabbitMQ, so that a flow stores them where they can be listed and replayed: a message that the
 * broker set aside becomes a letter with its bytes, headers, routing key and time, and with what `x-death` says; a letter stays as it is.
 *
 * ```ts
 * import { fileSink, flow, jsonLines } from 'rxflume';
 * import { type DeadLetter, deadLetterQueue } from 'rxflume/dead-letters';
 * import { amqplib } from 'rxflume/drivers/amqplib';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * const letters$ = deadLetterQueue(amqplib({ urls: ['amqp://mq1'] }), { queue: 'chat.dead' });
 * const bad = fileSink<DeadLetter>(localDisk(), { root: '/srv/chat-bad', format: jsonLines() });
 * export default flow('take-chat', letters$, bad.write());
 * ```
 *
 * Settles: acks a message when its letter is durable, as `amqpSource` does. One that is redelivered, since the process died
 * before its ack, is a duplicate of the first where it has a `messageId`, and a letter of its own where it has none.
 * Bounds: `prefetch` messages, however large.
 * Fails: as `amqpSource`.
 * Source: RabbitMQ, "Dead Letter Exchanges": `x-death`, newest first.
 */
export function deadLetterQueue(
  driver: AmqpConsumerDriver,
  options: DeadLetterQueueOptions,
): Source<Delivery<DeadLetter>> {
  expectFunction('driver.consume', driver?.consume);
  expectKnown('deadLetterQueue options', options, ['queue', 'prefetch']);
  const { queue, prefetch } = withDefaults('deadLetterQueue options', DEAD_LETTER_QUEUE_DEFAULTS, options, ['queue']);
  expectText('queue', queue);
  expectWhole('prefetch', prefetch, 1, 65_535);
  return amqpSource(driver, { queues: [queue], prefetch }).through((deliveries$) =>
    deliveries$.pipe(map((delivery) => delivery.with(letterOf(delivery.value, delivery.origin as AmqpOrigin)))),
  );
}

/** What `x-death` says of the last time that a queue gave the message up. */
interface Death {
  readonly queue: string;
  readonly reason: string;
  readonly count: number;
  readonly routingKey: string | undefined;
  readonly atMs: number | undefined;
}

/** What the broker adds when it sets a message aside: it is no part of the record. */
const ADDED = /^(x-death|x-(first|last)-death-(queue|reason|exchange)|x-delivery-count|x-acquired-count)$/;

function letterOf(content: Buffer, message: AmqpOrigin): DeadLetter {
  const own = ownLetter(content);
  if (own !== undefined) return own;
  const death = deathOf(message.properties.headers);
  const { queue = message.queue, reason = 'unknown', count = 1, routingKey = message.routingKey } = death ?? {};
  const origin: Origin = {
    stream: `amqp:${queue}`,
    offset: offsetOf(message, queue),
    epoch: 1,
    byteLength: content.length,
    timestamp: message.timestamp,
    key: Buffer.from(routingKey),
    headers: headersOf(message),
  };
  const times = count === 1 ? 'once' : `${count} times`;
  const text =
    death === undefined
      ? `It was in queue ${message.queue}, without x-death.`
      : `RabbitMQ set it aside ${times} from queue ${queue}: ${reason}.`;
  const cause = Object.assign(new Error(text), { name: `AMQP_${reason.toUpperCase()}` });
  return deadLetterOf(content, origin, cause, { attempt: count, now: death?.atMs ?? timeOfDayMs() });
}

/** The letter that a flow wrote to the queue. */
function ownLetter(content: Buffer): DeadLetter | undefined {
  if (!content.includes('"setAsideAt"')) return undefined;
  try {
    return readLetter(content.toString());
  } catch {
    return undefined;
  }
}

/** The same for a message that comes a second time, as far as a message says which one it is. */
function offsetOf({ properties, offset }: AmqpOrigin, queue: string): number {
  const { messageId } = properties;
  if (messageId === undefined) return offset;
  return createHash('sha256').update(`${queue}\0${messageId}`).digest().readUIntBE(0, 6);
}

function headersOf({ headers }: AmqpOrigin): HeaderMap | undefined {
  if (headers === undefined) return undefined;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ADDED.test(name)));
}

function deathOf(headers: AmqpTable | undefined): Death | undefined {
  const all = headers?.['x-death'];
  const last = Array.isArray(all) ? (all[0] as AmqpTable | undefined) : undefined;
  if (typeof last?.queue !== 'string') return undefined;
  const { queue, reason, count, time } = last;
  const keys = last['routing-keys'];
  const key: AmqpValue | undefined = Array.isArray(keys) ? (keys as AmqpValue[])[0] : undefined;
  return {
    queue,
    reason: typeof reason === 'string' && /^[a-z_]{1,40}$/.test(reason) ? reason : 'unknown',
    count: Math.max(1, Number(count) || 1),
    routingKey: typeof key === 'string' ? key : undefined,
    atMs: time instanceof Date ? time.getTime() : undefined,
  };
}
