import { expectMs, expectOneOf, expectOption, expectWhole, withDefaults } from '../../core/options.js';
import { checkListening, LISTENING, type ListeningOptions } from '../listening/options.js';

/**
 * What a body is. `json`: one JSON value, an array of values, or a value a line (NDJSON), by its content type. `flume`: Flume's
 * JSONHandler format, an array of `{ "headers": {…}, "body": "…" }`. `bytes`: one value of bytes, whatever it holds.
 */
export type HttpBodyKind = 'json' | 'flume' | 'bytes';

export interface HttpSourceOptions extends ListeningOptions {
  /** Default `json`. */
  readonly body?: HttpBodyKind;
  /** The path that requests are sent to; others get 404. Default `/`. */
  readonly path?: string;
  /** The most values in one request; a larger one is answered with 413. Default 10,000. */
  readonly maxBatchCount?: number;
  /**
   * The longest a client waits for its answer, in milliseconds; then it gets 503. Under the time limit of the clients, and
   * over what the sink takes to make values durable. Default 30,000.
   */
  readonly answerTimeoutMs?: number;
  /** What `Retry-After` tells a client that gets 503, in milliseconds, rounded up to seconds. Default 1,000. */
  readonly retryAfterMs?: number;
  /** How many of the keys that came in `Idempotency-Key` are remembered, in flight or durable. Default 10,000. */
  readonly maxKeys?: number;
}

/** The defaults of `httpSource`. */
export const HTTP_SOURCE_DEFAULTS = {
  ...LISTENING,
  body: 'json',
  path: '/',
  maxBatchCount: 10_000,
  answerTimeoutMs: 30_000,
  retryAfterMs: 1_000,
  maxKeys: 10_000,
} as const satisfies Partial<HttpSourceOptions>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: HttpSourceOptions) {
  const options = checkListening(withDefaults('httpSource options', HTTP_SOURCE_DEFAULTS, given, ['name']));
  expectOneOf('body', options.body, ['json', 'flume', 'bytes']);
  const isPath = typeof options.path === 'string' && options.path.startsWith('/');
  expectOption('path', options.path, isPath, 'a path that begins with `/`');
  expectWhole('maxBatchCount', options.maxBatchCount, 1);
  expectMs('answerTimeoutMs', options.answerTimeoutMs, 1);
  expectMs('retryAfterMs', options.retryAfterMs, 1);
  expectWhole('maxKeys', options.maxKeys, 1);
  return options;
}
