import { join } from 'node:path';
import { ConnectError, describeError, RxflumeError } from '../../core/errors.js';
import { makeFolderDurably } from './durable-file.js';
import { lockFolder, type Unlock } from './lock.js';
import { Offsets } from './offsets.js';
import type { EmbeddedLogOptions } from './options.js';
import { Topics } from './topics.js';

/** A reader of the folder, which must hear when there is more, or when it is closed. */
export interface Reader {
  readonly groupId: string;
  wake(): void;
  folderClosed(): void;
}

/**
 * The log's folder while this process has it open: its lock, its topics (`topics/`), the committed offsets
 * (`offsets.json`), and who reads from it.
 *
 * Fails: `RXF_KAFKA_UNREACHABLE` when it cannot be opened, `RXF_KAFKA_PROTOCOL` when a file in it is damaged.
 */
export class LogFolder {
  readonly topics: Topics;
  readonly offsets: Offsets;
  readonly readers: Set<Reader>;
  readonly #unlock: Unlock;

  private constructor(topics: Topics, offsets: Offsets, readers: Set<Reader>, unlock: Unlock) {
    this.topics = topics;
    this.offsets = offsets;
    this.readers = readers;
    this.#unlock = unlock;
  }

  static async open(options: Required<EmbeddedLogOptions>): Promise<LogFolder> {
    const { folder } = options;
    let unlock: Unlock | undefined;
    let topics: Topics | undefined;
    try {
      await makeFolderDurably(folder);
      unlock = await lockFolder(folder);
      const readers = new Set<Reader>();
      topics = await Topics.open(join(folder, 'topics'), () => {
        for (const reader of readers) reader.wake();
      });
      for (const topic of options.topics) await topics.getOrMake(topic, options.partitions);
      return new LogFolder(topics, await Offsets.open(folder), readers, unlock);
    } catch (error) {
      await topics?.close();
      await unlock?.();
      if (error instanceof RxflumeError) throw error;
      throw new ConnectError(
        'RXF_KAFKA_UNREACHABLE',
        `Cannot open the embedded log in ${folder}: ${describeError(error)}. See that the folder can be written.`,
        { cause: error, details: { folder } },
      );
    }
  }

  /** Ends the readers, awaits what is being written, and gives the folder free. */
  async close(): Promise<void> {
    for (const reader of [...this.readers]) reader.folderClosed();
    await this.offsets.idle();
    try {
      await this.topics.close();
    } finally {
      await this.#unlock();
    }
  }
}
