import { rememberSecret } from './known-secrets.js';
import { isSecret, type Secret } from './secret.js';

/** Headers of HTTP as options take them: a value that is a secret is read for each request. */
export type SecretHeaders = Readonly<Record<string, string | Secret>>;

/** Headers that log in. */
const LOGS_IN = /^((proxy-)?authorization|cookie|x-api-key|.*[-_](token|secret|key))$/i;

/** The headers with each secret read: at once where all are known at once. */
export function readHeaders(
  headers: SecretHeaders,
): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(headers).map(([name, value]) => {
    if (isSecret(value)) return [name, value.value()] as const;
    if (LOGS_IN.test(name)) rememberSecret(value.replace(/^\w+ +/, ''));
    return [name, value] as const;
  });
  if (entries.every(([, value]) => typeof value === 'string'))
    return Object.fromEntries(entries) as Record<string, string>;
  return Promise.all(entries.map(async ([name, value]) => [name, await value] as const)).then(Object.fromEntries);
}

/** The headers for a check of their names and values: a secret is not read. */
export function shownHeaders(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return headers;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isSecret(value) ? 'x' : value]));
}
