import type { FlumeEvent } from '../formats/flume-event.js';

/** What is read of a message of syslog, as `syslogSource` gives it. */
interface SyslogFields {
  readonly facility: number | undefined;
  readonly severity: number | undefined;
  readonly timestamp: number | undefined;
  readonly host: string | undefined;
  readonly message: string;
  readonly raw: Uint8Array;
}

export interface SyslogEventOptions {
  /** `message`: the text behind the fields. `raw`: all that came, as `keepFields = all` has it. Default `message`. */
  readonly body?: 'message' | 'raw';
}

/**
 * For `mapValue`: a message of syslog as the event that Flume's syslog sources make of it, with the headers `Facility`, `Severity`, `timestamp`
 * and `host`, as far as the message has them.
 *
 * ```ts
 * import { tcpServer } from 'rxflume/drivers/node';
 * import { syslogEvent } from 'rxflume/flume';
 * import { syslogSource } from 'rxflume/inputs';
 * import { mapValue } from 'rxflume/operators';
 *
 * export const events$ = syslogSource(tcpServer({ port: 5140 }), { name: 'hosts' }).pipe(mapValue(syslogEvent()));
 * ```
 *
 * Source: Flume 1.11, `SyslogUtils`.
 */
export function syslogEvent({ body = 'message' }: SyslogEventOptions = {}): (message: SyslogFields) => FlumeEvent {
  return ({ facility, severity, timestamp, host, message, raw }) => ({
    headers: {
      ...(facility !== undefined && { Facility: String(facility) }),
      ...(severity !== undefined && { Severity: String(severity) }),
      ...(timestamp !== undefined && { timestamp: String(timestamp) }),
      ...(host !== undefined && { host }),
    },
    body: body === 'raw' ? raw : Buffer.from(message),
  });
}
