import { concat, defer, EMPTY, from, map, mergeMap, type Observable } from 'rxjs';
import { type Fact, type Probe, type ProbeSetting, rightBy } from '../delivery/probe.js';
import type { CheckedOptions } from './options.js';
import { messageOf, RegistryClient } from './registry-client.js';

const FIX_ADDRESS = 'Check that the schema registry runs, and its host and port in `url`.';
const FIX_ANSWER = 'Check `auth`, and that `url` is that of the API of the registry, with its path.';

/** Tries each address of a registry, and whether it answers this user. It asks for no schema and registers none. */
export function registryProbe(options: CheckedOptions): Probe {
  const { urls, retry } = options;
  const once = { ...options, retry: { ...retry, maxAttempts: 1 } };
  return (setting) =>
    concat(
      from(urls).pipe(mergeMap((url) => reached(options, url, setting))),
      defer(() => {
        const client = new RegistryClient(once);
        return rightBy({ action: 'ask for schemas', on: client.name, fix: FIX_ANSWER }, () =>
          client.call('GET', '/schemas/types').pipe(
            map((answer) => {
              if (answer.status >= 400) throw new Error(messageOf(answer));
            }),
          ),
        );
      }),
    );
}

function reached({ http }: CheckedOptions, url: string, setting: ProbeSetting): Observable<Fact> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  const role = 'Schema registry';
  // A client of yours may bring its own certificates.
  if (isTls && http !== undefined) return http.probe?.(url, setting).pipe(map((fact) => named(fact, role))) ?? EMPTY;
  const endpoint = { role, host, port: Number(port) || (isTls ? 443 : 80), fix: FIX_ADDRESS };
  return defer(() => setting.reach({ ...endpoint, ...(isTls && { tls: { servername: host } }) }));
}

function named(fact: Fact, role: string): Fact {
  return fact.kind === 'endpoint' ? { ...fact, role, fix: FIX_ADDRESS } : fact;
}
