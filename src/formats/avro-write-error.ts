import { describeError, describeValue, SinkError } from '../core/errors.js';
import type { AvroMisfit } from './avro-type.js';

/** The error for a value of which a part does not fit its schema. */
export function misfitError({ path, value, expected }: AvroMisfit): SinkError {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  const shown = `$${steps.join('')}`;
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write \`${shown}\` as Avro: expected ${expected}, got ${describeValue(value)} ` +
      `(${value === null ? 'null' : typeof value}). Change the schema, or map the value before the sink.`,
    { details: { path: shown } },
  );
}

/** A value that holds itself, or is nested too deep for the stack; a getter that throws. */
export function failedError(cause: unknown): SinkError {
  return new SinkError('RXF_SINK_FORMAT', `Cannot write a value as Avro: ${describeError(cause)}.`, {
    cause,
    details: { path: '$' },
  });
}
