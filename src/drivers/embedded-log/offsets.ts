import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CommitError, describeError } from '../../core/errors.js';
import { MiB } from '../../core/units.js';
import type { PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';
import { damaged, readFully, replaceDurably } from './durable-file.js';

const MAX_FILE_BYTES = 16 * MiB;

type Table = Map<string, Map<string, number>>;

/**
 * The committed offsets of all groups, in one small JSON file that is replaced whole:
 * `{"version": 1, "groups": {"<group>": {"<topic>/<partition>": <next offset>}}}`.
 *
 * Commits made while one is being written share the next write.
 * Fails: `RXF_KAFKA_COMMIT` when the file cannot be written; `RXF_KAFKA_PROTOCOL` when it is not what was written.
 */
export class Offsets {
  readonly #file: string;
  readonly #table: Table;
  #lastWrite: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;

  private constructor(file: string, table: Table) {
    this.#file = file;
    this.#table = table;
  }

  static async open(folder: string): Promise<Offsets> {
    const file = join(folder, 'offsets.json');
    return new Offsets(file, await readTable(file));
  }

  /** The next offset the group is to read, where it has committed one. */
  get(groupId: string, { topic, partition }: TopicPartition): number | undefined {
    return this.#table.get(groupId)?.get(`${topic}/${partition}`);
  }

  /** Answers when the offsets are durable. */
  commit(groupId: string, offsets: readonly PartitionOffset[]): Promise<void> {
    const group = this.#table.get(groupId) ?? new Map<string, number>();
    this.#table.set(groupId, group);
    for (const { topic, partition, offset } of offsets) group.set(`${topic}/${partition}`, offset);
    this.#nextWrite ??= this.#writeAfter(this.#lastWrite);
    return this.#nextWrite;
  }

  /** Answers when no write is under way; never fails. */
  async idle(): Promise<void> {
    await (this.#nextWrite ?? this.#lastWrite).catch(() => undefined);
  }

  async #writeAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => undefined);
    this.#lastWrite = this.#nextWrite ?? Promise.resolve();
    this.#nextWrite = undefined;
    const groups = Object.fromEntries([...this.#table].map(([group, offsets]) => [group, Object.fromEntries(offsets)]));
    try {
      await replaceDurably(this.#file, Buffer.from(`${JSON.stringify({ version: 1, groups }, null, 2)}\n`));
    } catch (error) {
      throw new CommitError(
        'RXF_KAFKA_COMMIT',
        `Cannot write the committed offsets to ${this.#file}: ${describeError(error)}. ` +
          'What was acked since the last commit is redelivered at the next start, unless a later commit succeeds.',
        { cause: error, details: { file: this.#file } },
      );
    }
  }
}

async function readTable(file: string): Promise<Table> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) throw damaged(file, `it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    return parseTable(file, (await readFully(handle, 0, size)).toString('utf8'));
  } finally {
    await handle.close();
  }
}

function parseTable(file: string, text: string): Table {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw damaged(file, `it is not JSON (${describeError(error)})`);
  }
  const groups = isRecord(parsed) && parsed.version === 1 ? parsed.groups : undefined;
  if (!isRecord(groups)) throw damaged(file, 'it is not a table of committed offsets, version 1');
  return new Map(
    Object.entries(groups).map(([group, offsets]) => {
      if (!isRecord(offsets)) throw damaged(file, `group ${JSON.stringify(group)} has no offsets`);
      return [
        group,
        new Map(Object.entries(offsets).map(([of, offset]) => [of, checkOffset(file, group, of, offset)])),
      ];
    }),
  );
}

function checkOffset(file: string, group: string, of: string, offset: unknown): number {
  if (Number.isSafeInteger(offset) && Number(offset) >= 0) return Number(offset);
  throw damaged(file, `group ${JSON.stringify(group)} has no whole number as its offset in ${of}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
