import { type HttpServer, type ListenAddress, serveHttp } from './http-server.js';

export const DEFAULT_METRICS_ADDRESS: ListenAddress = { host: '127.0.0.1', port: 9464 };

/** A client that sends or reads nothing for so long is disconnected. */
const SILENT_FOR_MS = 10_000;

/**
 * Serves metrics and health. Bounds: as `serveHttp`.
 *
 * Fails: `ConnectError` (`RXF_METRICS_LISTEN`) where it cannot listen.
 */
export function serveMetrics(
  handle: (request: Request) => Response,
  address: ListenAddress,
  silentForMs = SILENT_FOR_MS,
): Promise<HttpServer> {
  const hint = '--metrics 127.0.0.1:9465';
  return serveHttp(handle, address, { what: 'metrics', code: 'RXF_METRICS_LISTEN', hint, silentForMs });
}
