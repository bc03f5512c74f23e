import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { OptionError } from '../../core/errors.js';
import type { Settings } from './options.js';

/**
 * A request of the package's, as its calls return it: an object of `request`. It tells what the callbacks leave out, in
 * `complete(response, body)`: the status, and the body with Hadoop's own exception.
 */
export interface PackageRequest extends EventEmitter {
  abort(): void;
}

/** What `complete` brings of an answer. */
export interface PackageResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

type Ignored = () => void;

/** As much of the package as is used; its paths are to be encoded already, its other values are not. */
export interface PackageClient {
  stat(path: string, callback: Ignored): PackageRequest;
  readdir(path: string, callback: Ignored): PackageRequest;
  mkdir(path: string, callback: Ignored): PackageRequest;
  rename(path: string, destination: string, callback: Ignored): PackageRequest;
  unlink(path: string, recursive: boolean, callback: Ignored): PackageRequest;
  createWriteStream(path: string, options: Readonly<Record<string, unknown>>): PackageRequest & Writable;
  createReadStream(path: string): PackageRequest;
}

/** Makes a client of the package, with its second argument. Throws `RXF_DRIVER_MISSING` where it is not installed. */
export function createClient(client: Settings['client'], requestParams: Settings['requestParams']): PackageClient {
  let webhdfs: { createClient(client: unknown, requestParams: unknown): PackageClient };
  try {
    webhdfs = createRequire(import.meta.url)('webhdfs');
  } catch (cause) {
    throw new OptionError(
      'RXF_DRIVER_MISSING',
      'The driver webhdfs-package needs the package webhdfs, which is not installed. Run `npm install webhdfs@1`, or use the ' +
        'driver webhdfs, which needs none.',
      { details: { package: 'webhdfs', wanted: '^1.2.0' }, cause },
    );
  }
  return webhdfs.createClient(client, requestParams);
}
