import { type WebHdfsPackageOptions, webhdfsPackage } from '../../../src/drivers/webhdfs-package/index.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import type { FakeCluster } from '../webhdfs/fake-cluster.js';

/** The driver with limits short enough for tests. */
export function driver(
  { nameNodes }: Pick<FakeCluster, 'nameNodes'>,
  options: Partial<WebHdfsPackageOptions> = {},
): FileSystem {
  const { hostname, port } = new URL(nameNodes[0] as string);
  const retry = { maxAttempts: 3, firstDelayMs: 1, maxDelayMs: 4 };
  return webhdfsPackage({
    client: { host: hostname, port, user: 'flume' },
    retry,
    requestTimeoutMs: 2_000,
    ...options,
  });
}
