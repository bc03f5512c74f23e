import type { Observable } from 'rxjs';
import { shownPath } from '../../core/text.js';
import type { Fact, ProbeSetting } from '../../delivery/probe.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import type { FileStatus, FileSystem, FileWriter } from '../../ports/file-system.js';
import { answer } from './answer.js';
import { withDataNode } from './data-nodes.js';
import { DirectUpload } from './direct-upload.js';
import { Folders } from './folders.js';
import { booleanOf, listFolder, lookAt, lookForFile, scanFolder } from './look.js';
import { NameNodes, rejection } from './name-nodes.js';
import { checkOptions, type Settings, type WebHdfsOptions } from './options.js';
import { expectHoldable, pathProblem } from './path-problem.js';
import { hdfsProbe } from './probe.js';
import { errorOf, tooLarge } from './remote-exception.js';
import { Rename } from './rename.js';
import { AnswerTooLarge, exchange } from './request.js';
import { serverName } from './url.js';

/**
 * HDFS, through WebHDFS or HttpFS.
 *
 * ```ts
 * import { webhdfs } from 'rxflume/drivers/webhdfs';
 *
 * export const hdfs = webhdfs({ nameNodes: ['http://nn1:9870', 'http://nn2:9870'], user: 'flume' });
 * ```
 *
 * Bounds: per open file one chunk and one connection; per other call one answer of at most `maxResponseBytes`.
 * Fails: `SinkError`, `RXF_FILES_*`; a wrong option throws `OptionError` here.
 * Source: Hadoop 3, WebHDFS REST API and HttpFS.
 */
export function webhdfs(options: WebHdfsOptions): FileSystem & FileInput {
  return new WebHdfs(checkOptions(options));
}

class WebHdfs implements FileSystem, FileInput {
  readonly name: string;
  readonly #settings: Settings;
  readonly #nameNodes: NameNodes;
  readonly #folders: Folders;
  readonly #rename: Rename;

  constructor(settings: Settings) {
    this.name = `${settings.mode} ${settings.nameNodes.map(serverName).join(' ')}`;
    this.#settings = settings;
    this.#nameNodes = new NameNodes(settings);
    this.#folders = new Folders(this.#nameNodes);
    this.#rename = new Rename(this.#nameNodes, this.#folders, settings.mode);
  }

  pathProblem(path: string): string | null {
    return pathProblem(path);
  }

  makeFolder(path: string): Observable<void> {
    return answer(async (signal) => {
      expectHoldable(path);
      await this.#folders.make(path, `make the folder ${shownPath(path)}`, signal);
    });
  }

  create(path: string): FileWriter {
    return new DirectUpload(this.#nameNodes, this.#folders, this.#settings, path);
  }

  rename(from: string, to: string): Observable<'renamed' | 'exists' | 'missing'> {
    return answer(async (signal) => {
      expectHoldable(to);
      return this.#rename.move(from, to, signal);
    });
  }

  publish(from: string, to: string): Observable<'renamed' | 'exists' | 'missing'> {
    return this.rename(from, to);
  }

  status(path: string): Observable<FileStatus | null> {
    return answer((signal) => lookAt(this.#nameNodes, path, `look at ${path}`, signal));
  }

  list(folder: string): Observable<readonly FileStatus[]> {
    return answer((signal) => listFolder(this.#nameNodes, folder, signal));
  }

  read(path: string, maxBytes: number): Observable<Uint8Array> {
    return this.#open(path, maxBytes, {});
  }

  scan(folder: string): Observable<readonly FoundFile[]> {
    return answer((signal) => scanFolder(this.#nameNodes, folder, signal));
  }

  look(path: string): Observable<FoundFile | null> {
    return answer((signal) => lookForFile(this.#nameNodes, path, signal));
  }

  readAt(path: string, from: number, maxBytes: number): Observable<Uint8Array> {
    return this.#open(path, maxBytes, { offset: `${from}`, length: `${maxBytes}` });
  }

  remove(path: string): Observable<boolean> {
    return answer(async (signal) => {
      const query = { recursive: 'true' };
      const reply = await this.#nameNodes.ask(
        { method: 'DELETE', op: 'DELETE', path, query, doing: `remove ${path}` },
        signal,
      );
      this.#folders.forget(path);
      if (reply.remote) throw rejection(reply);
      // An answer was lost before: the file that is gone now was there then.
      return booleanOf(reply) || reply.doubted;
    });
  }

  probe(folder: string, setting: ProbeSetting): Observable<Fact> {
    return hdfsProbe(this.#settings, folder, setting);
  }

  #open(path: string, maxBytes: number, query: Readonly<Record<string, string>>): Observable<Uint8Array> {
    const call = { method: 'GET', op: 'OPEN', path, query, doing: `read ${path}`, repeatable: true } as const;
    return answer((signal) =>
      withDataNode(this.#nameNodes, this.#settings, call, signal, async ({ url, attempt, lookup, headers }) => {
        const reply = await exchange(url, {
          ...this.#settings,
          lookup,
          headers,
          method: 'GET',
          agent: false,
          maxBytes,
          signal,
        }).catch((error: unknown) => {
          throw error instanceof AnswerTooLarge ? tooLarge(error, attempt, `the limit of ${maxBytes}`) : error;
        });
        if (reply.status === 200) return reply.body;
        throw errorOf(reply, attempt);
      }),
    );
  }
}
