import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../local-disk/system.js';
import { damaged, makeFolderDurably, namesIn, writeDurably } from './durable-file.js';
import { MAGIC } from './record-format.js';
import { Segment } from './segment.js';

/** The start of a folder's name while its topic is being made; a topic's own name never starts so. */
const UNFINISHED = '~';

/**
 * The topics under one folder: a folder a topic, a segment file `<partition>.log` a partition. A topic appears whole:
 * it is made under another name and renamed.
 */
export class Topics {
  readonly #folder: string;
  readonly #appended: () => void;
  readonly #byName = new Map<string, readonly Segment[]>();
  readonly #making = new Map<string, Promise<readonly Segment[]>>();

  private constructor(folder: string, appended: () => void) {
    this.#folder = folder;
    this.#appended = appended;
  }

  /** Opens and recovers all of them; `appended` is called when records have become durable in any. */
  static async open(folder: string, appended: () => void): Promise<Topics> {
    await makeFolderDurably(folder);
    // A topic of a process that died may be there without its name being durable.
    await syncFolder(folder);
    const topics = new Topics(folder, appended);
    try {
      for (const name of (await namesIn(folder)).sort()) {
        if (name.startsWith(UNFINISHED)) await rm(join(folder, name), { recursive: true, force: true });
        else if (!name.startsWith('.')) await topics.#open(name);
      }
    } catch (error) {
      await topics.close();
      throw error;
    }
    return topics;
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** The partitions of a topic, by number; none where there is no such topic. */
  get(topic: string): readonly Segment[] {
    return this.#byName.get(topic) ?? [];
  }

  /** The partitions of a topic, which is made with so many when it is not there. */
  async getOrMake(topic: string, partitions: number): Promise<readonly Segment[]> {
    const there = this.#byName.get(topic);
    if (there !== undefined) return there;
    let making = this.#making.get(topic);
    if (making === undefined) {
      making = this.#make(topic, partitions).finally(() => this.#making.delete(topic));
      this.#making.set(topic, making);
    }
    return making;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#making.values());
    await Promise.all([...this.#byName.values()].flat().map((segment) => segment.close()));
  }

  async #make(topic: string, partitions: number): Promise<readonly Segment[]> {
    const unfinished = join(this.#folder, `${UNFINISHED}${topic}`);
    await mkdir(unfinished);
    for (let partition = 0; partition < partitions; partition += 1) {
      await writeDurably(join(unfinished, `${partition}.log`), MAGIC);
    }
    await syncFolder(unfinished);
    await rename(unfinished, join(this.#folder, topic));
    await syncFolder(this.#folder);
    return this.#open(topic);
  }

  async #open(topic: string): Promise<readonly Segment[]> {
    const folder = join(this.#folder, topic);
    const files = (await namesIn(folder)).filter((name) => name.endsWith('.log'));
    if (files.length === 0) throw damaged(folder, 'it is a topic without partitions');
    const segments: Segment[] = [];
    try {
      for (let partition = 0; partition < files.length; partition += 1) {
        const file = `${partition}.log`;
        if (!files.includes(file)) throw damaged(folder, `it has ${files.length} partitions but no ${file}`);
        segments.push(await Segment.open(join(folder, file), this.#appended));
      }
    } catch (error) {
      await Promise.all(segments.map((segment) => segment.close()));
      throw error;
    }
    this.#byName.set(topic, segments);
    return segments;
  }
}
