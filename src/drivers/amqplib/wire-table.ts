import { describeValue } from '../../core/errors.js';
import { isWellFormed } from '../../core/text.js';
import type { AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';
import { amqpTimeOf } from '../../ports/amqp-timestamp.js';

/** A table as amqplib encodes it, where it cannot guess the type: `{ '!': type, value }`. The same object where it can. */
export function toWire(table: AmqpTable): object {
  for (const name in table) {
    const value = table[name];
    if (!isWellFormed(name) || (typeof value === 'string' && !isWellFormed(value))) throw unpaired(name);
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) {
      return Object.fromEntries(Object.entries(table).map(([key, each]) => [key, valueToWire(each)]));
    }
  }
  return table;
}

function unpaired(name: string): TypeError {
  return new TypeError(`the header ${describeValue(name)}, which has an unpaired surrogate`);
}

function valueToWire(value: AmqpValue | undefined): unknown {
  if (typeof value === 'bigint') return { '!': 'long', value };
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (value instanceof WireDate) return { '!': 'timestamp', value: value.wire };
  if (value instanceof Date) return { '!': 'timestamp', value: secondsOf(value) };
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(valueToWire);
  // amqplib would read it as a type.
  if (Object.hasOwn(value, '!')) throw new TypeError("A table inside a table cannot have a key '!'");
  return toWire(value as AmqpTable);
}

/** A time that was sent in another unit than seconds, and goes out again as it came. */
class WireDate extends Date {
  readonly wire: number;

  constructor(ms: number, wire: number) {
    super(ms);
    this.wire = wire;
  }
}

/** A number that is no time in any unit stays a number: a `Date` that is none makes texts of it throw. */
function dateOf(wire: number): AmqpValue {
  const { timestamp, wireTimestamp } = amqpTimeOf(wire);
  if (timestamp === undefined) return wire;
  return wireTimestamp === undefined ? new Date(timestamp) : new WireDate(timestamp, wireTimestamp);
}

function secondsOf(date: Date): number {
  const ms = date.getTime();
  if (ms >= 0) return Math.floor(ms / 1_000);
  throw new TypeError(
    `a header with the time ${Number.isNaN(ms) ? 'of an invalid Date' : date.toISOString()}: AMQP timestamps start in 1970`,
  );
}

/** A table as amqplib decoded it. The same object where nothing needs to be changed. */
export function fromWire(table: object): AmqpTable {
  for (const value of Object.values(table)) {
    if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
      return Object.fromEntries(Object.entries(table).map(([key, each]) => [key, valueFromWire(each)]));
    }
  }
  return table as AmqpTable;
}

function valueFromWire(value: unknown): AmqpValue {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value as AmqpValue;
  if (Array.isArray(value)) return value.map(valueFromWire);
  if (!Object.hasOwn(value, '!')) return fromWire(value);
  const typed = value as { readonly '!': string; readonly value: unknown };
  if (typed['!'] === 'timestamp') return dateOf(Number(typed.value));
  const { digits, places } = typed.value as { readonly digits: number; readonly places: number };
  return digits / 10 ** places;
}
