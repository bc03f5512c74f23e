import type { Delivery } from '../delivery/delivery.js';
import type { FlumeEvent } from '../formats/flume-event.js';

/** Which headers `kafkaEvent` sets; a name is that of Flume's property. */
export interface KafkaEventOptions {
  /** The header with the name of the topic; null for none. Default `topic`. */
  readonly topicHeader?: string | null;
  /** Headers of the record that become headers of the event: the event's name, and the record's. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * For `mapValue`: a record of Kafka as the event that Flume's Kafka source makes of it, with the headers `timestamp`, `topic`, `partition`,
 * `offset` and, where the record has one, `key`. A record without a value has an empty body.
 *
 * ```ts
 * import { kafkaSource } from 'rxflume';
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 * import { kafkaEvent } from 'rxflume/flume';
 * import { mapValue } from 'rxflume/operators';
 *
 * export const events$ = kafkaSource(kafkajs({ brokers: ['k1:9092'] }), { topics: ['chat'], groupId: 'flume' }).pipe(
 *   mapValue(kafkaEvent()),
 * );
 * ```
 *
 * Source: Flume 1.11, `KafkaSource.doProcess`.
 */
export function kafkaEvent({
  topicHeader = 'topic',
  headers: wanted = {},
}: KafkaEventOptions = {}): (value: Uint8Array | FlumeEvent | null, delivery: Delivery<unknown>) => FlumeEvent {
  return (value, { origin }) => {
    const given =
      value instanceof Uint8Array || value === null ? { headers: {}, body: value ?? Buffer.alloc(0) } : value;
    const [, topic = '', partition = ''] = /^kafka:(.+)\/(\d+)$/.exec(origin.stream) ?? [];
    const headers: Record<string, string> = {
      ...(origin.timestamp !== undefined && { timestamp: String(origin.timestamp) }),
      ...(topicHeader !== null && { [topicHeader]: topic }),
      partition,
      offset: String(origin.offset),
    };
    for (const [name, of] of Object.entries(wanted)) {
      const header = [origin.headers?.[of]].flat().at(-1);
      if (header !== undefined && header !== null) headers[name] = Buffer.from(header).toString();
    }
    Object.assign(headers, given.headers);
    if (origin.key !== undefined && origin.key !== null) headers.key = Buffer.from(origin.key).toString();
    return { headers, body: given.body };
  };
}

/**
 * For `mapValue`: a text or bytes as the event that Flume's sources of lines make of it, without headers but those given.
 *
 * ```ts
 * import { lineEvent } from 'rxflume/flume';
 *
 * lineEvent({ file: '/var/log/app.log' })('started').headers; // → { file: '/var/log/app.log' }
 * ```
 */
export function lineEvent(headers: Readonly<Record<string, string>> = {}): (line: string | Uint8Array) => FlumeEvent {
  return (line) => ({ headers, body: typeof line === 'string' ? Buffer.from(line) : line });
}
