import { defer, from, mergeMap } from 'rxjs';
import type { Probe } from '../../delivery/probe.js';
import type { CheckedOptions } from './options.js';

const FIX = 'Check that this broker runs, and its host and port in `urls`.';

/** Tries the address of each broker, with TLS where its URL says so. */
export function brokersProbe({ brokers, tls }: CheckedOptions): Probe {
  return ({ reach }) =>
    defer(() => from(brokers)).pipe(
      mergeMap(({ host, port, isTls }) =>
        reach({
          role: 'RabbitMQ broker',
          host,
          port,
          ...(isTls && { tls: tls.connection(host) }),
          fix: FIX,
        }),
      ),
    );
}
