import { firstValueFrom, from, type ObservableInput } from 'rxjs';
import type { RxflumeError } from '../../../src/core/errors.js';
import { type WebHdfsOptions, webhdfs } from '../../../src/drivers/webhdfs/index.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import type { FakeCluster } from './fake-cluster.js';

/** The driver with limits short enough for tests. */
export function driver(
  { nameNodes }: Pick<FakeCluster, 'nameNodes'>,
  options: Partial<WebHdfsOptions> = {},
): FileSystem {
  const retry = { maxAttempts: 3, firstDelayMs: 1, maxDelayMs: 4 };
  return webhdfs({ nameNodes, user: 'flume', retry, requestTimeoutMs: 2_000, ...options });
}

export function once<T>(answer: ObservableInput<T>): Promise<T> {
  return firstValueFrom(from(answer));
}

export async function put(fs: FileSystem, path: string, ...chunks: string[]): Promise<number> {
  const writer = fs.create(path);
  for (const chunk of chunks) await once(writer.write(Buffer.from(chunk)));
  return (await once(writer.close())).bytes;
}

/** The error the work fails with. */
export async function failure(work: Promise<unknown>): Promise<RxflumeError> {
  const got = await work.then(
    (value) => ({ value }),
    (error: RxflumeError) => ({ error }),
  );
  if ('error' in got) return got.error;
  throw new Error(`Expected a failure, got ${JSON.stringify(got.value)}`);
}

/** Polls, some tens of milliseconds at most, for what a server does in its own time. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 2));
  if (!holds()) throw new Error(`Waited in vain for ${holds}`);
}
