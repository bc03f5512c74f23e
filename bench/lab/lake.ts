/** What is in HDFS, asked of the NameNode over WebHDFS: the same question for whatever wrote it. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  /** When it was closed, in milliseconds since 1970. */
  readonly closedAtMs: number;
}

export class Lake {
  readonly #url: string;

  constructor(hdfsUrl: string) {
    this.#url = hdfsUrl;
  }

  /** The bytes of all closed files under a folder, and of the whole blocks of open ones; 0 where there is no such folder. */
  async bytesUnder(folder: string): Promise<number> {
    return (await this.#summaryOf(folder))?.length ?? 0;
  }

  /** All files under a folder, open ones too; 0 where there is no such folder. */
  async filesUnder(folder: string): Promise<number> {
    return (await this.#summaryOf(folder))?.fileCount ?? 0;
  }

  async #summaryOf(folder: string): Promise<{ readonly length: number; readonly fileCount: number } | undefined> {
    const answer = (await this.#ask('GET', folder, 'GETCONTENTSUMMARY')) as {
      ContentSummary?: { length: number; fileCount: number };
    };
    return answer.ContentSummary;
  }

  /** The files of a folder and those below it, temporary and hidden ones left out. */
  async files(folder: string): Promise<StoredFile[]> {
    const answer = (await this.#ask('GET', folder, 'LISTSTATUS')) as {
      FileStatuses?: {
        FileStatus: { type: string; pathSuffix: string; length: number; modificationTime: number }[];
      };
    };
    const files: StoredFile[] = [];
    for (const one of answer.FileStatuses?.FileStatus ?? []) {
      if (/^[._]|\.tmp$/.test(one.pathSuffix)) continue;
      const path = `${folder}/${one.pathSuffix}`;
      if (one.type === 'DIRECTORY') files.push(...(await this.files(path)));
      else files.push({ path, bytes: one.length, closedAtMs: one.modificationTime });
    }
    return files;
  }

  async read(path: string): Promise<string> {
    const answer = await fetch(
      `${this.#url}/webhdfs/v1${encodeURI(path).replaceAll('+', '%2B')}?op=OPEN&user.name=flume`,
    );
    if (!answer.ok) throw new Error(`${path} cannot be read: HTTP ${answer.status}`);
    return answer.text();
  }

  /** Makes a folder that all may write in: what benthos makes itself it may not enter. */
  async make(folder: string): Promise<void> {
    await this.#ask('PUT', folder, 'MKDIRS&permission=777');
  }

  async remove(folder: string): Promise<void> {
    await this.#ask('DELETE', folder, 'DELETE&recursive=true', 'hdfs');
  }

  async #ask(method: string, path: string, op: string, user = 'flume'): Promise<unknown> {
    const answer = await fetch(`${this.#url}/webhdfs/v1${path}?op=${op}&user.name=${user}`, { method });
    return answer.json();
  }
}
