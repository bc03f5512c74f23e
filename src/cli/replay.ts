import { lastValueFrom, tap } from 'rxjs';
import { describeError, OptionError } from '../core/errors.js';
import { linesBelow } from '../dead-letters/folder.js';
import { topicRecords } from '../dead-letters/topic-records.js';
import type { FileSystem } from '../ports/file-system.js';
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
const NONE = { defaultValue: undefined };

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
    const records$ = topicRecords(kafkajs({ brokers: (kafka[1] as string).split(',') }), kafka[2] as string);
    await lastValueFrom(
      records$.pipe(tap(({ value, timestamp }) => value && reading.add(value.toString(), timestamp ?? 0))),
      NONE,
    );
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
  await lastValueFrom(linesBelow(fs, root).pipe(tap(({ text, modifiedMs }) => reading.add(text, modifiedMs))), NONE);
}

function wrong(message: string): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message);
}
