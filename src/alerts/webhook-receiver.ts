import { createHmac } from 'node:crypto';
import { defer, from, mergeMap } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { expectMs, expectOption, expectText, withDefaults } from '../core/options.js';
import { expectSecret, type SecretText } from '../core/secret.js';
import { type SecretHeaders, shownHeaders } from '../core/secret-headers.js';
import { shownUrl } from '../core/text.js';
import type { HttpClient } from '../ports/http-client.js';
import { fetchClient } from './fetch-client.js';
import { expectHeaders, expectUrl, postJson } from './post-json.js';
import { commonOf, type Notification, type Receiver } from './receiver.js';

export interface WebhookReceiverOptions {
  readonly url: string;
  /** Default: the URL without its query. */
  readonly name?: string;
  /** Headers of each request, such as `authorization`. Default none. */
  readonly headers?: SecretHeaders;
  /** Signs each request: HMAC-SHA-256 with this secret. Default: not signed. */
  readonly secret?: SecretText;
  /** How long an answer may take, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Default: the `fetch` of Node. */
  readonly client?: HttpClient;
}

/** The defaults of `webhookReceiver`. */
export const WEBHOOK_RECEIVER_DEFAULTS = { headers: {}, requestTimeoutMs: 10_000, client: fetchClient } as const;

/** Alerts of one request; how many are left out is said in the body. */
const MAX_ALERTS = 100;
const NEVER = '0001-01-01T00:00:00Z';

/**
 * Posts alerts as Alertmanager's webhook does, body version 4: what takes its notifications takes these. With `secret`, the header
 * `x-rxflume-signature` is `sha256=` and the HMAC of `<x-rxflume-timestamp>.<body>`, in hexadecimal.
 *
 * ```ts
 * import { webhookReceiver } from 'rxflume/alerts';
 *
 * export const oncall = webhookReceiver({ url: 'https://oncall.example/hook', secret: process.env.HOOK_SECRET ?? 'none' });
 * ```
 *
 * Bounds: 100 alerts in a request.
 * Fails: `OptionError` at the call; `RXF_ALERT_SEND` for a request, also where it is redirected.
 * Source: Alertmanager, webhook_config.
 */
export function webhookReceiver(options: WebhookReceiverOptions): Receiver {
  const checked = withDefaults('webhookReceiver options', WEBHOOK_RECEIVER_DEFAULTS, options, [
    'url',
    'name',
    'secret',
  ]);
  const { url, headers, secret, requestTimeoutMs, client } = checked;
  expectUrl('url', url);
  const name = checked.name ?? shownUrl(url);
  expectText('name', name);
  expectHeaders('headers', shownHeaders(headers));
  const key = secret === undefined ? undefined : expectSecret('secret', secret);
  expectMs('requestTimeoutMs', requestTimeoutMs, 1);
  expectOption('client', client, typeof client?.request === 'function', 'an HttpClient');
  return {
    name,
    send: (notification) =>
      defer(() => {
        const body = JSON.stringify(webhookBody(name, notification));
        const post = (signature: Record<string, string>) =>
          postJson({ client, url, headers: { ...headers, ...signature }, body, requestTimeoutMs });
        if (key === undefined) return post({});
        const read = key.value();
        return typeof read === 'string'
          ? post(signed(body, read))
          : from(read).pipe(mergeMap((text) => post(signed(body, text))));
      }),
  };
}

function signed(body: string, secret: string): Record<string, string> {
  const timestamp = String(Math.floor(timeOfDayMs() / 1_000));
  const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-rxflume-timestamp': timestamp, 'x-rxflume-signature': `sha256=${mac}` };
}

function webhookBody(receiver: string, { status, groupKey, groupLabels, alerts }: Notification): unknown {
  return {
    version: '4',
    groupKey,
    truncatedAlerts: Math.max(0, alerts.length - MAX_ALERTS),
    status,
    receiver,
    groupLabels,
    commonLabels: commonOf(alerts.map(({ labels }) => labels)),
    commonAnnotations: commonOf(alerts.map(({ annotations }) => annotations)),
    externalURL: '',
    alerts: alerts.slice(0, MAX_ALERTS).map((alert) => ({
      status: alert.status,
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: new Date(alert.startsAt).toISOString(),
      endsAt: alert.endsAt === undefined ? NEVER : new Date(alert.endsAt).toISOString(),
      generatorURL: '',
      fingerprint: alert.fingerprint,
    })),
  };
}
