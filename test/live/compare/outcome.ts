import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import avsc from 'avsc';
import { Kafka, logLevel } from 'kafkajs';
import { brokers, nameNode, services, withAdmin } from '../support.js';

/** What one side wrote: a line a record, with its folder, in an order that does not depend on files. */
export type Outcome = readonly string[];

/** The records of files on this machine, `header_and_text` or `text`. */
export function localLines(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('_') && !name.startsWith('.') && statSync(join(folder, name)).isFile())
    .flatMap((name) => linesOf(readFileSync(join(folder, name))));
}

function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => shown(Buffer.from(line, 'latin1')));
}

/** Text with what is no UTF-8, and no letter, as an escape; the headers of `header_and_text` in the order of their names. */
function shown(bytes: Buffer): string {
  const text = bytes.toString();
  const isText = Buffer.from(text).equals(bytes);
  const line = (isText ? text : `latin1:${bytes.toString('latin1')}`)
    .replaceAll('\r', '\\r')
    .replaceAll('\ufffd', '\\ufffd');
  const [all, headers = ''] = /^\{(.*?)\} /.exec(line) ?? [];
  if (all === undefined) return line;
  return `{${headers.split(', ').sort().join(', ')}} ${line.slice(all.length)}`;
}

interface HdfsFile {
  readonly folder: string;
  readonly path: string;
}

async function hdfsFiles(root: string, below = ''): Promise<HdfsFile[]> {
  const answer = await fetch(`${nameNode}/webhdfs/v1${encodeURI(root + below)}?op=LISTSTATUS&user.name=hdfs`);
  if (answer.status === 404) return [];
  const listing = (await answer.json()) as {
    FileStatuses: { FileStatus: { pathSuffix: string; type: string }[] };
  };
  const found = listing.FileStatuses.FileStatus.filter(({ pathSuffix }) => !pathSuffix.startsWith('_'));
  const each = await Promise.all(
    found.map(async ({ pathSuffix, type }) =>
      type === 'DIRECTORY'
        ? await hdfsFiles(root, `${below}/${pathSuffix}`)
        : [{ folder: below, path: `${root}${below}/${pathSuffix}` }],
    ),
  );
  return each.flat();
}

async function bytesOf(path: string): Promise<Buffer> {
  const url = `${nameNode}/webhdfs/v1${encodeURIComponent(path).replaceAll('%2F', '/')}?op=OPEN&user.name=hdfs`;
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/** The records of files in HDFS, as lines of text, with the folder of each. */
export async function hdfsLines(root: string): Promise<string[]> {
  const files = await hdfsFiles(root);
  const each = await Promise.all(
    files.map(async ({ folder, path }) => linesOf(await bytesOf(path)).map((line) => `${folder} | ${line}`)),
  );
  return each.flat();
}

/** The records of SequenceFiles, by Hadoop's own reader; a key that is the time of writing is `now`. */
export async function sequenceLines(root: string): Promise<string[]> {
  const folders = [...new Set((await hdfsFiles(root)).map(({ folder }) => folder))];
  const each = await Promise.all(
    folders.map(async (folder) =>
      (await services('hdfs', '-text', `${root}${folder}/*`))
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [key = '', hex = ''] = line.split('\t');
          const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
          return `${folder} | ${Number(key) > 1_750_000_000_000 ? 'now' : key} ${shown(body)}`;
        }),
    ),
  );
  return each.flat();
}

/** The records of Avro files of Flume's serializer, decoded by avsc. */
export async function avroLines(root: string): Promise<string[]> {
  const each = await Promise.all(
    (await hdfsFiles(root)).map(async ({ folder, path }) => {
      const decoder = new avsc.streams.BlockDecoder();
      const records: string[] = [];
      const done = new Promise((resolve, reject) => {
        decoder.on('data', (event: { headers: Record<string, string>; body: Buffer }) => {
          records.push(`${folder} | ${eventText(event)}`);
        });
        decoder.on('end', resolve);
        decoder.on('error', reject);
      });
      decoder.end(await bytesOf(path));
      await done;
      return records;
    }),
  );
  return each.flat();
}

export function eventText({ headers, body }: { headers: Record<string, string>; body: Uint8Array }): string {
  const sorted = Object.entries(headers).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([name, value]) => `${name}=${value}`).join(', ')}} ${shown(Buffer.from(body))}`;
}

export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
  readonly value: Buffer;
}

/** All records of topics that nobody writes to any more. */
export async function topicRecords(topics: readonly string[]): Promise<TopicRecord[]> {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const offsets = await withAdmin((admin) => Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic))));
  const count = offsets.flat().reduce((sum, { high }) => sum + Number(high), 0);
  const consumer = kafka.consumer({ groupId: `reader-${topics[0]}` });
  const records: TopicRecord[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    if (count > 0)
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`read ${records.length} of ${count} records of ${topics.join(', ')}`)),
          120_000,
        );
        void consumer.run({
          eachMessage: async ({ topic, partition, message: { key, headers, timestamp, value } }) => {
            const texts = Object.entries(headers ?? {}).map(([name, one]) => [name, String(one)]);
            records.push({
              topic,
              partition,
              key: key === null ? null : String(key),
              headers: Object.fromEntries(texts),
              timestamp: Number(timestamp),
              value: value ?? Buffer.alloc(0),
            });
            if (records.length < count) return;
            clearTimeout(late);
            resolve();
          },
        });
      });
  } finally {
    await consumer.disconnect();
  }
  return records;
}
