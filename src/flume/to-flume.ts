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

export interface FileEventOptions {
  /** The header with the path of the file; null for none. Default null. */
  readonly fileHeader?: string | null;
  /** Headers of the files whose path matches, as `headers.<group>` of TAILDIR has them. Default none. */
  readonly groups?: readonly { readonly path: RegExp; readonly headers: Readonly<Record<string, string>> }[];
}

/**
 * For `mapValue`: a line of `tailSource` as the event that Flume's TAILDIR makes of it.
 *
 * ```ts
 * import { localFiles } from 'rxflume/drivers/local-disk';
 * import { fileEvent } from 'rxflume/flume';
 * import { tailSource } from 'rxflume/inputs';
 * import { mapValue } from 'rxflume/operators';
 *
 * const lines$ = tailSource(localFiles(), { paths: ['/var/log/app/*.log'], positionFile: '/var/lib/rxflume/app.json' });
 * export const events$ = lines$.pipe(mapValue(fileEvent({ fileHeader: 'file' })));
 * ```
 *
 * Source: Flume 1.11, `ReliableTaildirEventReader`.
 */
export function fileEvent({
  fileHeader = null,
  groups = [],
}: FileEventOptions = {}): (line: Uint8Array, delivery: Delivery<unknown>) => FlumeEvent {
  return (line, { origin }) => {
    const path = (origin as { readonly path?: string }).path ?? '';
    const group = groups.find((one) => path.search(one.path) >= 0);
    return { headers: { ...group?.headers, ...(fileHeader !== null && { [fileHeader]: path }) }, body: line };
  };
}

export interface SpoolEventOptions {
  /** The header with the path of the file; null for none. Default null. */
  readonly fileHeader?: string | null;
  /** The header with the name of the file; null for none. Default null. */
  readonly basenameHeader?: string | null;
}

/**
 * For `mapValue`: a record of `spoolSource` as the event that Flume's spooling directory source makes of it.
 *
 * ```ts
 * import { localDisk } from 'rxflume/drivers/local-disk';
 * import { spoolEvent } from 'rxflume/flume';
 * import { lineRecords, spoolSource } from 'rxflume/inputs';
 * import { mapValue } from 'rxflume/operators';
 *
 * const lines$ = spoolSource(localDisk(), { name: 'orders', folder: '/srv/spool', records: lineRecords() });
 * export const events$ = lines$.pipe(mapValue(spoolEvent({ basenameHeader: 'basename' })));
 * ```
 *
 * Source: Flume 1.11, `ReliableSpoolingFileEventReader`.
 */
export function spoolEvent({
  fileHeader = null,
  basenameHeader = null,
}: SpoolEventOptions = {}): (record: Uint8Array, delivery: Delivery<unknown>) => FlumeEvent {
  return (record, { origin }) => {
    const file = origin.headers?.file;
    const path = file instanceof Uint8Array ? Buffer.from(file).toString() : String(file ?? '');
    const headers = {
      ...(fileHeader !== null && { [fileHeader]: path }),
      ...(basenameHeader !== null && { [basenameHeader]: path.slice(path.lastIndexOf('/') + 1) }),
    };
    return { headers, body: record };
  };
}
