import { ConnectError, describeValue } from '../../core/errors.js';
import type { AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';
import { toWire } from './wire-table.js';

const NAME = 'x-stream-offset';

/** RabbitMQ ends the whole connection, with all its channels, at an offset that it does not know. */
export function isStreamOffset(value: AmqpValue | undefined): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  if (typeof value === 'bigint') return value >= 0n;
  if (typeof value === 'string') return /^(first|last|next|\d+[YMDhms])$/.test(value);
  return value === undefined || value instanceof Date;
}

export function wrongOffset(about: string, value: unknown): ConnectError {
  return new ConnectError(
    'RXF_AMQP_MISMATCH',
    `Cannot consume ${about} from the offset ${describeValue(value)}: RabbitMQ accepts 'first', 'last', 'next', an interval such as ` +
      "'1h', a whole number from 0, and a Date. Correct `x-stream-offset`.",
    { details: { about, argument: NAME } },
  );
}

/** The arguments of a consumer as amqplib encodes them: an offset is a number of 64 bits, however small it is. */
export function consumerArguments(given: AmqpTable): object {
  const value = given[NAME];
  return typeof value === 'number' ? { ...toWire(given), [NAME]: { '!': 'long', value } } : toWire(given);
}
