import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as Amqplib from 'amqplib/callback_api';
import { OptionError } from '../../core/errors.js';

export type {
  Channel,
  ConfirmChannel,
  Connection,
  ConsumeMessage,
  Message,
  Options,
  SocketOptions,
} from 'amqplib/callback_api';

const LEAST = [2, 3, 1] as const;
const WANTED = LEAST.join('.');

/**
 * amqplib's callbacks, not its promises: a callback runs before the next frame is looked at, so a consumer is known
 * before its first message comes. Fails: `RXF_DRIVER_MISSING` where amqplib 2.3.1 or a later 2 is not installed.
 */
export function loadAmqplib(): typeof Amqplib {
  const require = createRequire(import.meta.url);
  let version: string;
  try {
    const file = join(dirname(require.resolve('amqplib')), 'package.json');
    version = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch (cause) {
    throw missing('which is not installed', cause);
  }
  if (!isUsable(version)) throw missing(`found ${version}, which is incompatible or has known defects`);
  return require('amqplib/callback_api') as typeof Amqplib;
}

function isUsable(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major === LEAST[0] && (minor > LEAST[1] || (minor === LEAST[1] && patch >= LEAST[2]));
}

function missing(what: string, cause?: unknown): OptionError {
  return new OptionError(
    'RXF_DRIVER_MISSING',
    `The amqplib driver needs the package amqplib ^${WANTED}, ${what}. Run \`npm install amqplib@^${WANTED}\`.`,
    { details: { package: 'amqplib', wanted: `^${WANTED}` }, cause },
  );
}
