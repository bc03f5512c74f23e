import type { AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';

/** A table as amqplib encodes it, where it cannot guess the type: `{ '!': type, value }`. The same object where it can. */
export function toWire(table: AmqpTable): object {
  for (const name in table) {
    const value = table[name];
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) {
      return Object.fromEntries(Object.entries(table).map(([key, each]) => [key, valueToWire(each)]));
    }
  }
  return table;
}

function valueToWire(value: AmqpValue | undefined): unknown {
  if (typeof value === 'bigint') return { '!': 'long', value };
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (value instanceof Date) return { '!': 'timestamp', value: Math.floor(value.getTime() / 1_000) };
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(valueToWire);
  // amqplib would read it as a type.
  if (Object.hasOwn(value, '!')) throw new TypeError("A table inside a table cannot have a key '!'");
  return toWire(value as AmqpTable);
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
  if (typed['!'] === 'timestamp') return new Date(Number(typed.value) * 1_000);
  const { digits, places } = typed.value as { readonly digits: number; readonly places: number };
  return digits / 10 ** places;
}
