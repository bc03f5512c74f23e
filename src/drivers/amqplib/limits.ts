import { MiB } from '../../core/units.js';
import type { AmqpProperties, AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';

/** The most that amqplib's own buffer for headers, and the other properties, can come to. */
const NEVER_MORE_BYTES = 65_536 + 10 * 256 + 64;
const FRAME_BYTES = 8;

/** The largest message that a driver sends: as configured, or the broker's limit, which may be learnt from a rejection. */
export class MessageLimit {
  readonly #given: number | undefined;
  #learnt = Number.POSITIVE_INFINITY;

  constructor(given: number | undefined) {
    this.#given = given;
  }

  /** In bytes. RabbitMQ's default is 128 MiB, and 16 MiB from 4.0 on. */
  at(version: string): number {
    const usual = (Number.parseInt(version, 10) >= 4 ? 16 : 128) * MiB;
    return Math.min(this.#given ?? usual, this.#learnt);
  }

  learn(mostBytes: number): void {
    this.#learnt = Math.min(this.#learnt, mostBytes);
  }
}

/** Whether the frame with a message's properties is larger than the other side takes: it would end the connection. */
export function isBeyondFrame(properties: AmqpProperties, maxFrameBytes: number): boolean {
  if (maxFrameBytes >= NEVER_MORE_BYTES || properties.headers === undefined) return false;
  const texts = Object.values(properties).filter((value): value is string => typeof value === 'string');
  const others = texts.reduce((sum, text) => sum + 1 + Buffer.byteLength(text), 64);
  return others + tableBytes(properties.headers) + FRAME_BYTES > maxFrameBytes;
}

function tableBytes(table: AmqpTable): number {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined);
  return entries.reduce((sum, [name, value]) => sum + 1 + Buffer.byteLength(name) + valueBytes(value as AmqpValue), 4);
}

/** Its tag, and a length where it has one. No number takes more than 8. */
function valueBytes(value: AmqpValue): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return 9;
  if (value instanceof Uint8Array) return 5 + value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, one: AmqpValue) => sum + valueBytes(one), 5);
  return 1 + tableBytes(value as AmqpTable);
}
