import { monotonicMs } from '../core/clock.js';
import { defaultMonitor, type Monitor, type Sample } from '../core/monitor.js';
import { expectMs, expectOption, withDefaults } from '../core/options.js';
import { CONTENT_TYPES, type Exposition, expositionOf } from './exposition.js';
import { type Health, type HealthLimits, livenessOf, readinessOf } from './health.js';
import { collectProcess } from './runtime.js';
import { statusOf } from './status.js';

export interface MetricsHandlerOptions extends Partial<HealthLimits> {
  readonly monitor?: Monitor;
}

/** The defaults of `metricsHandler`. */
export const METRICS_HANDLER_DEFAULTS = {
  maxNoProgressMs: 600_000,
  maxAgeMs: Number.MAX_SAFE_INTEGER,
  monitor: defaultMonitor,
} as const satisfies MetricsHandlerOptions;

/** Requests within so long of each other share one rendering. */
const SHARED_FOR_MS = 100;

const PATHS = ['/metrics', '/livez', '/readyz'];

/** Answers a request for metrics or health; `end` stops what was measured for it alone. */
export interface MetricsHandler {
  (request: Request): Response;
  end(): void;
}

/**
 * Metrics and health over HTTP, as a function from a Web-standard `Request` to a `Response`: mount it in the server that your
 * application has. `/metrics` is the text of Prometheus, or of OpenMetrics where the client accepts it. `/livez` and `/readyz` answer
 * 200 or 503, and say why as JSON.
 *
 * ```ts
 * import { metricsHandler } from 'rxflume/metrics';
 *
 * const handle = metricsHandler({ maxAgeMs: 900_000 });
 * const response = handle(new Request('http://localhost/readyz'));
 * response.status; // → 503
 * handle.end();
 * ```
 *
 * Bounds: one rendering for each format, shared by all requests within 100 ms.
 * Fails: `OptionError` at the call for a bad option; never for a request.
 */
export function metricsHandler(options: MetricsHandlerOptions = {}): MetricsHandler {
  const checked = withDefaults('metricsHandler options', METRICS_HANDLER_DEFAULTS, options);
  const { monitor, maxAgeMs, maxNoProgressMs } = checked;
  expectMs('maxNoProgressMs', maxNoProgressMs, 1);
  if (maxAgeMs !== Number.MAX_SAFE_INTEGER) expectMs('maxAgeMs', maxAgeMs, 1);
  expectOption('monitor', monitor, typeof monitor?.samples === 'function', 'a Monitor');
  const uncollect = collectProcess(monitor);
  const handle = answering({
    samples: () => monitor.samples(),
    livez: () => livenessOf(statusOf(monitor), checked),
    readyz: () => readinessOf(statusOf(monitor), checked),
  });
  return Object.assign(handle, { end: uncollect });
}

/** What is answered with. */
export interface Answers {
  readonly samples: () => Iterable<Sample>;
  readonly livez: () => Health;
  readonly readyz: () => Health;
}

/** Answers as `metricsHandler` does, with what it is given. */
export function answering({ samples, livez, readyz }: Answers): (request: Request) => Response {
  const shared = new SharedText();
  const healths: Readonly<Record<string, () => Health>> = { '/livez': livez, '/readyz': readyz };
  const answer = (path: string, accept: string): Reply => {
    if (path === '/metrics') {
      const format: Exposition = accept.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
      const body = shared.text(format, () => expositionOf(samples(), format));
      return { status: 200, type: CONTENT_TYPES[format], body };
    }
    const health = Object.hasOwn(healths, path) ? healths[path] : undefined;
    if (health === undefined) return { status: 404, type: PLAIN, body: `Not found. Try ${PATHS.join(', ')}.\n` };
    const ok = shared.text(path, () => JSON.stringify(health()));
    return { status: ok.startsWith('{"ok":true') ? 200 : 503, type: JSON_TYPE, body: `${ok}\n` };
  };
  return (request: Request): Response => {
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      return new Response('Only GET and HEAD are allowed.\n', {
        status: 405,
        headers: { allow: 'GET, HEAD', ...NO_STORE },
      });
    }
    const { status, type, body } = answer(new URL(request.url).pathname, request.headers.get('accept') ?? '');
    const headers = { 'content-type': type, 'x-content-type-options': 'nosniff', ...NO_STORE };
    return new Response(method === 'HEAD' ? null : body, { status, headers });
  };
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const NO_STORE = { 'cache-control': 'no-store' };

/** Texts that are made once for all who ask at the same time. */
class SharedText {
  readonly #made = new Map<string, { readonly text: string; readonly at: number }>();

  text(key: string, make: () => string): string {
    const now = monotonicMs();
    const known = this.#made.get(key);
    if (known !== undefined && now - known.at < SHARED_FOR_MS) return known.text;
    const text = make();
    this.#made.set(key, { text, at: now });
    return text;
  }
}
