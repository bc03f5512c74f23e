import { once } from 'node:events';
import http from 'node:http';

/** A file that is written by one WebHDFS PUT, as simply as it can be. */
export class Upload {
  readonly path: string;
  readonly #request: http.ClientRequest;
  readonly #answered: Promise<number>;
  bytes = 0;

  private constructor(path: string, location: string) {
    this.path = path;
    this.#request = http.request(location, { method: 'PUT', agent: false });
    this.#answered = new Promise((resolve, reject) => {
      this.#request.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      this.#request.on('error', reject);
    });
  }

  static async create(hdfsUrl: string, path: string): Promise<Upload> {
    const answer = await fetch(`${hdfsUrl}/webhdfs/v1${path}?op=CREATE&noredirect=true&user.name=flume`, {
      method: 'PUT',
    });
    const { Location: location } = (await answer.json()) as { Location: string };
    return new Upload(path, location);
  }

  async write(chunk: Buffer): Promise<void> {
    this.bytes += chunk.length;
    if (!this.#request.write(chunk)) await once(this.#request, 'drain');
  }

  async close(): Promise<void> {
    this.#request.end();
    const status = await this.#answered;
    if (status !== 201) throw new Error(`PUT ${this.path} answered ${status}`);
  }
}
