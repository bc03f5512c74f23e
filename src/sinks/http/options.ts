import { BACKOFF_DEFAULTS, type BackoffOptions, expectBackoff } from '../../backpressure/backoff.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
  expectCircuitBreaker,
} from '../../backpressure/circuit-breaker.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectFunction,
  expectKnown,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { type SecretHeaders, shownHeaders } from '../../core/secret-headers.js';
import { MiB } from '../../core/units.js';
import type { Delivery } from '../../delivery/delivery.js';
import { compressionOf } from '../../formats/compression.js';
import type { HttpAnswer } from '../../ports/http-client.js';
import { type HttpBatch, idempotencyKey } from './batch-id.js';
import { HTTP_BODIES, type HttpBody } from './http-body.js';
import { expectHeaders, urlProblem } from './request-parts.js';

export interface HttpBatchOptions {
  /** Sent when it has so many values. Default 100. */
  readonly count?: number;
  /** Sent before it has more encoded bytes, before compression; a larger value goes alone. Default 1 MiB. */
  readonly bytes?: number;
  /** The longest its first value waits, in milliseconds. Default 1,000. */
  readonly maxWaitMs?: number;
}

export interface HttpRetryOptions extends BackoffOptions {
  /** The most attempts of one batch, the first included; then it is nacked and the source decides. Default 6. */
  readonly maxAttempts?: number;
  /** The longest that `Retry-After` is followed, in milliseconds. Default 60,000. */
  readonly maxRetryAfterMs?: number;
}

/**
 * `stream`: one batch of a stream is under way at a time, so that each stream keeps its order. `key`: batches of the values
 * whose keys fall together, one of them under way at a time, so that each key keeps its order. `none`: as many as there is
 * room for.
 */
export type HttpOrder = 'stream' | 'key' | 'none';

export interface HttpSinkOptions<T = unknown> {
  /**
   * Where to: an http or https URL, or a function that gives one for a value. A value with another URL than the one
   * before it begins another batch.
   */
  readonly url: string | ((value: T, delivery: Delivery<T>) => string);
  /** Default `POST`. */
  readonly method?: 'POST' | 'PUT' | 'PATCH';
  /**
   * Further headers, such as `{ authorization: secret.bearer(token) }`, or a function that gives them, asked before each try. Default none.
   */
  readonly headers?: HttpHeaders | ((batch: HttpBatch) => HttpHeaders);
  /** How values become a body: a form by its name, or one of yours. Default `jsonLines`. */
  readonly body?: keyof typeof HTTP_BODIES | HttpBody<T>;
  /** Compresses the body, and says so in `content-encoding`. Default `none`. */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  readonly batch?: HttpBatchOptions;
  /** Default `stream`. */
  readonly order?: HttpOrder;
  /** The key of a value for `order: 'key'`; undefined or null for no order. Default: the origin's key, as text. */
  readonly key?: (value: T, delivery: Delivery<T>) => unknown;
  /** The most requests under way at once. Default 4. */
  readonly maxInFlight?: number;
  /** The longest one request may take until its answer is whole, in milliseconds. Default 60,000. */
  readonly requestTimeoutMs?: number;
  /** How long after its first attempt a batch is no longer tried, in milliseconds. Default 300,000. */
  readonly sendTimeoutMs?: number;
  readonly retry?: HttpRetryOptions;
  /** When everything for one origin waits, because the last requests to it failed. Default 5 failures, 10,000 ms. */
  readonly breaker?: CircuitBreakerOptions;
  /**
   * What a 400 or 422 to a batch rejects: the `value` at fault alone, found by halving the batch, or the whole `batch`.
   * A server that stores a part of a batch which it answers so gets that part again as it is halved. Default `value`.
   */
  readonly reject?: 'batch' | 'value';
  /** Looks at a 2xx answer: why the batch was not stored all the same, else undefined. Default: every 2xx is a yes. */
  readonly whyRejected?: (answer: HttpAnswer) => string | undefined;
  /** The header that names a batch, the same at each try; null for none. Default `Idempotency-Key`. */
  readonly idempotencyHeader?: string | null;
  /** The value of that header. Default: the batch's id in quotes. */
  readonly idempotencyKey?: (batch: HttpBatch) => string;
  readonly monitor?: Monitor;
}

/** A value that is a secret is read for each request. */
export type HttpHeaders = SecretHeaders;

/** The defaults of `httpSink`. */
export const HTTP_SINK_DEFAULTS = {
  method: 'POST',
  headers: {},
  body: 'jsonLines',
  compression: 'none',
  batch: { count: 100, bytes: MiB, maxWaitMs: 1_000 },
  order: 'stream',
  key: originKey,
  maxInFlight: 4,
  requestTimeoutMs: 60_000,
  sendTimeoutMs: 300_000,
  retry: { ...BACKOFF_DEFAULTS, maxAttempts: 6, maxRetryAfterMs: 60_000 },
  breaker: CIRCUIT_BREAKER_DEFAULTS,
  reject: 'value',
  whyRejected: () => undefined,
  idempotencyHeader: 'Idempotency-Key',
  idempotencyKey,
  monitor: defaultMonitor,
} as const satisfies Omit<HttpSinkOptions, 'url'>;

export type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no secret. */
export function checkOptions<T>(given: HttpSinkOptions<T>) {
  const options = {
    ...withDefaults('httpSink options', HTTP_SINK_DEFAULTS, given, ['url']),
    batch: groupWithDefaults('batch', HTTP_SINK_DEFAULTS.batch, given.batch),
    retry: groupWithDefaults('retry', HTTP_SINK_DEFAULTS.retry, given.retry),
    breaker: groupWithDefaults('breaker', HTTP_SINK_DEFAULTS.breaker, given.breaker),
  };
  expectUrl(options.url);
  expectOneOf('method', options.method, ['POST', 'PUT', 'PATCH']);
  expectOneOf('compression', options.compression, ['none', 'gzip', 'zstd']);
  expectOneOf('order', options.order, ['stream', 'key', 'none']);
  expectFunction('key', options.key);
  if (given.key !== undefined) expectOption('key', given.key, options.order === 'key', "absent without `order: 'key'`");
  expectWhole('maxInFlight', options.maxInFlight, 1, 1_000);
  expectMs('requestTimeoutMs', options.requestTimeoutMs, 1);
  expectMs('sendTimeoutMs', options.sendTimeoutMs, 1);
  expectCircuitBreaker('breaker', options.breaker);
  expectOneOf('reject', options.reject, ['batch', 'value']);
  expectFunction('whyRejected', options.whyRejected);
  const { idempotencyHeader: name } = options;
  if (name !== null) expectHeaders('idempotencyHeader', { [String(name)]: 'x' });
  expectFunction('idempotencyKey', options.idempotencyKey);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  checkRetry(options.retry);
  return {
    ...options,
    headers: checkHeaders(options.headers, name),
    body: checkBody(options.body),
    compression: compressionOf(options.compression),
    batch: checkBatch(options.batch, given),
  };
}

function expectUrl(url: unknown): void {
  if (typeof url === 'function') return;
  const problem = urlProblem(url);
  // Without the value: a secret may be in it.
  expectOption('url', typeof url, problem === undefined, `a URL or a function; ${problem}`);
}

function checkRetry(retry: Required<HttpRetryOptions>): void {
  expectWhole('retry.maxAttempts', retry.maxAttempts, 1);
  expectMs('retry.maxRetryAfterMs', retry.maxRetryAfterMs);
  expectBackoff(retry, 'retry');
}

function checkHeaders(
  headers: HttpHeaders | ((batch: HttpBatch) => HttpHeaders),
  reserved: string | null,
): (batch: HttpBatch) => HttpHeaders {
  if (typeof headers === 'function') return headers;
  expectHeaders('headers', shownHeaders(headers), reserved);
  return () => headers;
}

function checkBody<T>(body: keyof typeof HTTP_BODIES | HttpBody<T>): HttpBody<T> {
  if (typeof body === 'string') {
    expectOneOf('body', body, Object.keys(HTTP_BODIES));
    return HTTP_BODIES[body];
  }
  expectKnown('body', body, ['contentType', 'encode', 'before', 'between', 'after']);
  expectText('body.contentType', body.contentType);
  expectHeaders('body.contentType', { 'x-type': body.contentType });
  expectFunction('body.encode', body.encode);
  return body;
}

function checkBatch<T>(batch: Required<HttpBatchOptions>, given: HttpSinkOptions<T>): Required<HttpBatchOptions> {
  expectWhole('batch.count', batch.count, 1);
  expectWhole('batch.bytes', batch.bytes, 1);
  expectMs('batch.maxWaitMs', batch.maxWaitMs, 1);
  if (given.body !== 'single') return batch;
  const count = given.batch?.count ?? 1;
  expectOption('batch.count', count, count === 1, "1, or left out, with `body: 'single'`");
  return { ...batch, count };
}

function originKey(_: unknown, { origin: { key } }: Delivery<unknown>): string | undefined {
  return key === null || key === undefined ? undefined : Buffer.from(key).toString('latin1');
}
