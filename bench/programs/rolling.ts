import type { Stage, Task } from './perform.js';
import { Upload } from './upload.js';

/** The files of a loop: one open for each partition, closed when it is large or old enough. No acks, no commits. */
export class Rolling {
  readonly #task: Task;
  readonly #stage: Stage;
  readonly #open = new Map<number, Upload>();
  readonly #rolling: NodeJS.Timeout;
  #files = 0;
  #closing: Promise<unknown> = Promise.resolve();

  constructor(task: Task, stage: Stage) {
    this.#task = task;
    this.#stage = stage;
    this.#rolling = setInterval(() => {
      for (const partition of [...this.#open.keys()]) void this.#roll(partition);
    }, task.rollIntervalMs);
  }

  async write(partition: number, chunk: Buffer): Promise<void> {
    let upload = this.#open.get(partition);
    if (upload === undefined) {
      this.#files += 1;
      upload = await Upload.create(this.#task.hdfsUrl, `${this.#task.folder}/${partition}-${this.#files}`);
      this.#open.set(partition, upload);
    }
    await upload.write(chunk);
    if (upload.bytes >= this.#task.rollBytes) await this.#roll(partition);
  }

  async end(): Promise<void> {
    clearInterval(this.#rolling);
    await this.#closing;
    await Promise.all([...this.#open.keys()].map((partition) => this.#roll(partition)));
  }

  #roll(partition: number): Promise<void> {
    const upload = this.#open.get(partition);
    if (upload === undefined) return Promise.resolve();
    this.#open.delete(partition);
    const closed = upload.close().then(() => {
      if (this.#task.isTelling) this.#stage.durable(upload.path);
    });
    this.#closing = Promise.all([this.#closing, closed]);
    return closed;
  }
}
