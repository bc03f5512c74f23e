/** The last second of the year 9999: no later time is meant. */
const MAX_SECONDS = 253_402_300_799;

export interface AmqpTime {
  /** Milliseconds since 1970; undefined where the number is no time in any unit. */
  readonly timestamp: number | undefined;
  /** The number as it came, where it is not in seconds: who publishes the message again sends this. */
  readonly wireTimestamp: number | undefined;
}

/**
 * What a timestamp on the wire means. AMQP has seconds; there are producers that send milliseconds, microseconds or
 * nanoseconds. Each of these, of any time since 1978, is beyond the year 9999 in the next larger unit, so none is mistaken.
 *
 * ```ts
 * import { amqpTimeOf } from 'rxflume/ports';
 *
 * amqpTimeOf(1_772_446_500); // → { timestamp: 1_772_446_500_000, wireTimestamp: undefined }
 * amqpTimeOf(1_772_446_500_123); // → { timestamp: 1_772_446_500_123, wireTimestamp: 1_772_446_500_123 }
 * ```
 *
 * Source: AMQP 0-9-1, section 4.2.5.4.
 */
export function amqpTimeOf(wire: number): AmqpTime {
  if (wire >= 0 && wire <= MAX_SECONDS) return { timestamp: wire * 1_000, wireTimestamp: undefined };
  for (const perMs of [1, 1_000, 1_000_000]) {
    if (wire >= 0 && wire <= MAX_SECONDS * 1_000 * perMs) {
      return { timestamp: Math.floor(wire / perMs), wireTimestamp: wire };
    }
  }
  return { timestamp: undefined, wireTimestamp: wire };
}
