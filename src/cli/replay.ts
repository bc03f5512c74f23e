import { gunzipSync, inflateSync } from 'node:zlib';
import { firstValueFrom, from, Observable } from 'rxjs';
import { describeError, OptionError } from '../core/errors.js';
import { randomName } from '../core/random-name.js';
import { MiB } from '../core/units.js';
import type { FileStatus, FileSystem } from '../ports/file-system.js';
import type { KafkaConsumer, KafkaDriver, KafkaListener } from '../ports/kafka-consumer.js';
import { readRoot } from './root-url.js';

/** A stored value, and when it was: the time of its record, or of its file. */
export interface ReplayedValue {
  readonly value: unknown;
  readonly at: number;
}

interface Replayed {
  readonly values: readonly ReplayedValue[];
  /** How many lines or records are no JSON. */
  readonly unreadable: number;
}

const MAX_VALUES = 2_000_000;
const MAX_FILE_BYTES = 256 * MiB;
const IDLE_MS = 30_000;

/**
 * The JSON values below a folder of a lake (`/lake/chat`, `webhdfs://nn1:9870/lake/chat`), or of a topic
 * (`kafka://k1:9092,k2:9092/chat`) up to where it ends now.
 *
 * Bounds: 2,000,000 values in memory; files of 256 MiB; ends after 30 s in which a topic gives nothing.
 * Fails: `OptionError` for what cannot be read so; as the file system or the driver does.
 */
export async function replayedValues(
  fromWhere: string,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Replayed> {
  const reading = new Reading();
  const kafka = /^kafka:\/\/([^/@?#]+)\/([^/?#]+)$/.exec(fromWhere);
  if (kafka !== null) {
    const { kafkajs } = await import('../drivers/kafkajs/index.js');
    await readTopic(kafkajs({ brokers: (kafka[1] as string).split(',') }), kafka[2] as string, reading);
  } else {
    if (fromWhere.startsWith('kafka:')) throw wrong('Expected a topic as kafka://host:port,host:port/topic.');
    const location = rootOf(fromWhere, cwd);
    if (location.kind === 'disk') {
      const { localDisk } = await import('../drivers/local-disk/index.js');
      await readFolder(localDisk({ fsync: 'never' }), location.path, reading);
    } else {
      const { webhdfs } = await import('../drivers/webhdfs/index.js');
      const user = env.HADOOP_USER_NAME;
      const delegationToken = env.RXFLUME_DELEGATION_TOKEN;
      const own = { nameNodes: location.nameNodes, ...(user && { user }), ...(delegationToken && { delegationToken }) };
      await readFolder(webhdfs(own), location.path, reading);
    }
  }
  if (reading.values.length === 0) throw wrong(`There are no JSON values in ${fromWhere}.`);
  return reading;
}

class Reading {
  readonly values: ReplayedValue[] = [];
  unreadable = 0;

  add(text: string, at: number): void {
    if (this.values.length >= MAX_VALUES) {
      throw wrong(`There are more than ${MAX_VALUES} values. Give a part of them, such as the folder of one day.`);
    }
    try {
      this.values.push({ value: JSON.parse(text), at });
    } catch {
      this.unreadable += 1;
    }
  }
}

function rootOf(text: string, cwd: string): ReturnType<typeof readRoot> {
  try {
    return readRoot(text, 'webhdfs', cwd);
  } catch (error) {
    throw wrong(`${describeError(error)}.`);
  }
}

async function readFolder(fs: FileSystem, root: string, reading: Reading): Promise<void> {
  const found = await firstValueFrom(from(fs.status(root === '' ? '/' : root)));
  if (found === null) throw wrong(`Nothing exists at ${root} on ${fs.name}.`);
  const waiting: FileStatus[] = [found];
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    if (one.kind === 'folder') {
      const inside = await firstValueFrom(from(fs.list(one.path)));
      // The ledger's own files, and what is not published.
      waiting.push(...inside.filter(({ path }) => !/\/[_.][^/]*$/.test(path)));
      continue;
    }
    const bytes = await firstValueFrom(from(fs.read(one.path, MAX_FILE_BYTES)));
    for (const line of plain(one.path, bytes).toString().split('\n')) {
      if (line !== '') reading.add(line, one.modifiedMs);
    }
  }
}

function plain(path: string, bytes: Uint8Array): Buffer {
  if (path.endsWith('.gz')) return gunzipSync(bytes);
  if (path.endsWith('.deflate')) return inflateSync(bytes);
  if (/\.(jsonl?|ndjson|txt)$/.test(path)) return Buffer.from(bytes);
  throw wrong(`Cannot read ${path}: expected JSON lines, plain or compressed with gzip or deflate.`);
}

/** Reads all partitions up to where they end at the beginning, as a group of its own that commits nothing. */
function readTopic(driver: KafkaDriver, topic: string, reading: Reading): Promise<void> {
  return firstValueFrom(
    new Observable<void>((subscriber) => {
      const ends = new Map<number, number>();
      let consumer: KafkaConsumer | undefined;
      let partitions: readonly { topic: string; partition: number }[] = [];
      const done = () => {
        if (![...ends.values()].every((end) => end <= 0)) return;
        subscriber.next();
        subscriber.complete();
      };
      const idle = setTimeout(() => subscriber.error(new Error(`${topic} gave nothing for ${IDLE_MS} ms`)), IDLE_MS);
      const begin = async () => {
        if (consumer?.describeLogs === undefined || partitions.length === 0 || ends.size > 0) return;
        for (const { partition, end } of await firstValueFrom(from(consumer.describeLogs(partitions)))) {
          const at = read.get(partition) ?? 0;
          ends.set(partition, at >= end ? 0 : end);
        }
        done();
      };
      const read = new Map<number, number>();
      const listener: KafkaListener = {
        assigned: (_, given) => {
          partitions = given;
          return [given.map((one) => ({ ...one, offset: 0 }))];
        },
        began: () => [null],
        revoking: () => [null],
        lost: () => undefined,
        records: ({ partition, records, nextOffset }) => {
          idle.refresh();
          const end = ends.get(partition);
          try {
            for (const record of records) {
              if (end !== undefined && record.offset >= end) break;
              if (record.value !== null) reading.add(record.value.toString(), record.timestamp ?? 0);
            }
          } catch (error) {
            subscriber.error(error);
          }
          read.set(partition, nextOffset);
          if (end !== undefined && nextOffset >= end) ends.set(partition, 0);
          if (ends.size > 0) done();
        },
        reading: (isReading) => {
          if (isReading) begin().catch((error: unknown) => subscriber.error(error));
        },
        logEvent: () => undefined,
      };
      const subscription = {
        topics: [topic],
        groupId: `rxflume-backtest-${randomName()}`,
        startAt: 'earliest' as const,
        maxPartitionBytes: MiB,
        maxWaitMs: 200,
        revokeTimeoutMs: 5_000,
        sessionTimeoutMs: 30_000,
      };
      const life = driver.connect(subscription, listener).subscribe({
        next: (member) => {
          consumer = member;
          begin().catch((error: unknown) => subscriber.error(error));
        },
        error: (error: unknown) => subscriber.error(error),
      });
      const looking = setInterval(() => {
        begin().catch((error: unknown) => subscriber.error(error));
      }, 200);
      return () => {
        clearTimeout(idle);
        clearInterval(looking);
        life.unsubscribe();
      };
    }),
  );
}

function wrong(message: string): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message);
}
