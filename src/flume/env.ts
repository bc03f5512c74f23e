import { OptionError } from '../core/errors.js';

/**
 * A variable of the environment that a flow cannot do without, as `${env:NAME}` of an agent's file.
 *
 * ```ts
 * import { env } from 'rxflume/flume';
 *
 * export const brokers = () => env('KAFKA_BROKERS').split(',');
 * ```
 *
 * Fails: `OptionError` where it is not set.
 */
export function env(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  throw new OptionError(
    'RXF_OPTION_INVALID',
    `The variable ${name} of the environment is not set. Set it before you start the flow.`,
    {
      details: { name },
    },
  );
}
