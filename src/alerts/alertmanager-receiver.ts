import { defer } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { expectMs, expectOption, withDefaults } from '../core/options.js';
import { type SecretHeaders, shownHeaders } from '../core/secret-headers.js';
import { shownUrl } from '../core/text.js';
import type { HttpClient } from '../ports/http-client.js';
import { fetchClient } from './fetch-client.js';
import { expectHeaders, expectUrl, postJson } from './post-json.js';
import type { NotifiedAlert, Receiver } from './receiver.js';

export interface AlertmanagerReceiverOptions {
  /** The addresses of all Alertmanagers of a cluster, such as `http://am1:9093`: each gets all alerts. */
  readonly urls: readonly string[];
  /** Headers of each request, such as `authorization`. Default none. */
  readonly headers?: SecretHeaders;
  /** The interval at which alerts are sent again. Default 60,000. */
  readonly resendIntervalMs?: number;
  /** The interval at which rules are evaluated, if that is longer. Default 15,000. */
  readonly evaluationIntervalMs?: number;
  /** How long an answer may take, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Default: the `fetch` of Node. */
  readonly client?: HttpClient;
}

/** The defaults of `alertmanagerReceiver`. */
export const ALERTMANAGER_RECEIVER_DEFAULTS = {
  headers: {},
  resendIntervalMs: 60_000,
  evaluationIntervalMs: 15_000,
  requestTimeoutMs: 10_000,
  client: fetchClient,
} as const;

/** As Prometheus has it: an alert outlives some lost requests, and no more. */
const INTERVALS_UNTIL_END = 4;

/**
 * Sends alerts to each Alertmanager by its API v2, on its own: one that is down delays no other. Alerts that fire are sent at once and
 * again every `resendIntervalMs`; resolved ones for 15 minutes. Alertmanager groups, silences and repeats by itself.
 *
 * ```ts
 * import { alertmanagerReceiver } from 'rxflume/alerts';
 *
 * export const receivers = alertmanagerReceiver({ urls: ['http://am1:9093', 'http://am2:9093'] });
 * ```
 *
 * Shape: a receiver for each address.
 * Fails: `OptionError` at the call; `RXF_ALERT_SEND` for a request.
 * Source: Alertmanager, API v2; Prometheus, rules/alerting.go.
 */
export function alertmanagerReceiver(options: AlertmanagerReceiverOptions): readonly Receiver[] {
  const checked = withDefaults('alertmanagerReceiver options', ALERTMANAGER_RECEIVER_DEFAULTS, options, ['urls']);
  const { urls, headers, resendIntervalMs, evaluationIntervalMs, requestTimeoutMs, client } = checked;
  expectOption('urls', urls, Array.isArray(urls) && urls.length > 0, 'a non-empty list of URLs');
  for (const url of urls) expectUrl('urls', url);
  expectHeaders('headers', shownHeaders(headers));
  expectMs('resendIntervalMs', resendIntervalMs, 1);
  expectMs('evaluationIntervalMs', evaluationIntervalMs, 1);
  expectMs('requestTimeoutMs', requestTimeoutMs, 1);
  expectOption('client', client, typeof client?.request === 'function', 'an HttpClient');
  const lastsMs = INTERVALS_UNTIL_END * Math.max(resendIntervalMs, evaluationIntervalMs);
  return urls.map((base) => {
    const url = new URL(base);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v2/alerts`;
    return {
      name: shownUrl(base),
      resendIntervalMs,
      send: ({ alerts }) =>
        defer(() => {
          const body = JSON.stringify(alerts.map((alert) => posted(alert, timeOfDayMs() + lastsMs)));
          return postJson({ client, url: url.href, headers, body, requestTimeoutMs });
        }),
    };
  });
}

function posted({ labels, annotations, startsAt, endsAt }: NotifiedAlert, until: number): unknown {
  return {
    labels,
    annotations,
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt ?? until).toISOString(),
    generatorURL: '',
  };
}
