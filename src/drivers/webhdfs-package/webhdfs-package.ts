import type { Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { shownPath } from '../../core/text.js';
import type { FileStatus, FileSystem, FileWriter } from '../../ports/file-system.js';
import { answer } from '../webhdfs/answer.js';
import { listFolder, lookAt } from '../webhdfs/look.js';
import { rejection } from '../webhdfs/name-nodes.js';
import { expectHoldable, pathProblem } from '../webhdfs/path-problem.js';
import { Asking } from './asking.js';
import { move } from './move.js';
import { checkOptions, type Settings, type WebHdfsPackageOptions } from './options.js';
import { createClient, type PackageClient } from './package.js';
import { read } from './read.js';
import { redirectParams, serverOf } from './redirects.js';
import { PackageUpload } from './upload.js';

/**
 * HDFS through the npm package `webhdfs`, for who has its configuration already; otherwise use the driver `webhdfs`, which
 * needs no package, asks fewer questions and knows several NameNodes. The package reports failed uploads, renames and removals
 * as done, waits without limit, and tells no reasons: here nothing is believed but what the NameNode says when asked
 * afterwards, and each request has its time.
 *
 * ```ts
 * import { webhdfsPackage } from 'rxflume/drivers/webhdfs-package';
 *
 * export const hdfs = webhdfsPackage({ client: { host: 'nn1', port: 9870, user: 'flume' } });
 * ```
 *
 * Bounds: per open file two chunks, copied, and one connection; per other call one answer of at most `maxResponseBytes`.
 * Fails: `SinkError`, `RXF_FILES_*`; a wrong option, or `RXF_DRIVER_MISSING`, throws here.
 * Source: webhdfs 1.2.0. Its callbacks see HTTP 400 to 404 and 500 as errors, and no `{"boolean":false}`.
 */
export function webhdfsPackage(options: WebHdfsPackageOptions): FileSystem {
  const settings = checkOptions(options);
  return new WebHdfsPackage(settings, createClient(settings.client, redirectParams(settings)));
}

class WebHdfsPackage implements FileSystem {
  readonly name: string;
  readonly #settings: Settings;
  readonly #client: PackageClient;
  readonly #asking: Asking;

  constructor(settings: Settings, client: PackageClient) {
    const at = serverOf(settings);
    this.name = `webhdfs-package ${at}`;
    this.#settings = settings;
    this.#client = client;
    this.#asking = new Asking(client, settings, at);
  }

  pathProblem(path: string): string | null {
    return pathProblem(path);
  }

  makeFolder(path: string): Observable<void> {
    return answer(async (signal) => {
      expectHoldable(path);
      await this.#asking.makeFolder(path, `make the folder ${shownPath(path)}`, signal);
    });
  }

  create(path: string): FileWriter {
    return new PackageUpload(this.#client, this.#asking, this.#settings, path);
  }

  rename(from: string, to: string): Observable<'renamed' | 'exists' | 'missing'> {
    return answer(async (signal) => {
      expectHoldable(to);
      return move(this.#asking, from, to, signal);
    });
  }

  publish(from: string, to: string): Observable<'renamed' | 'exists' | 'missing'> {
    return this.rename(from, to);
  }

  status(path: string): Observable<FileStatus | null> {
    return answer((signal) => lookAt(this.#asking, path, `look at ${path}`, signal));
  }

  list(folder: string): Observable<readonly FileStatus[]> {
    return answer((signal) => listFolder(this.#asking, folder, signal));
  }

  read(path: string, maxBytes: number): Observable<Uint8Array> {
    return answer((signal) => read(this.#client, this.#asking, this.#settings, path, maxBytes, signal));
  }

  remove(path: string): Observable<boolean> {
    return answer(async (signal) => {
      const doing = `remove ${path}`;
      if ((await lookAt(this.#asking, path, doing, signal)) === null) return false;
      const reply = await this.#asking.ask({ method: 'DELETE', op: 'DELETE', path, doing }, signal);
      if (reply.remote) throw rejection(reply);
      if ((await lookAt(this.#asking, path, doing, signal)) === null) return true;
      const message = `Could not ${doing} on ${reply.attempt.at}: it still exists. Check the server's log.`;
      throw new SinkError('RXF_FILES_REMOTE', message, { details: { path, at: reply.attempt.at } });
    });
  }
}
