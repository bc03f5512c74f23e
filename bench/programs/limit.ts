// The limit: fetches by hand over one socket, the next under way while one is written, and a WebHDFS PUT a partition and
// roll. No group, no retries, no acks, one broker: what is left to gain if nothing else were done.
import { Wire } from '../lab/wire.js';
import { Message } from './message.js';
import { type LoopTask, perform } from './perform.js';

import { Rolling } from './rolling.js';

const MAX_PARTITION_BYTES = 1024 * 1024;
const MAX_WAIT_MS = 200;
const HEADER_BYTES = 61;
const NEW_LINE = 10;

perform<LoopTask>(async (task, stage) => {
  const wire = await Wire.connect(task.broker);
  const files = new Rolling(task, stage);
  const offsets = Array.from({ length: task.partitions }, () => 0);
  let records = 0;
  let isStopped = false;
  void stage.stopped.then(() => {
    isStopped = true;
  });
  const ask = () =>
    wire.fetch(
      task.topic,
      offsets.map((offset, partition) => ({ partition, offset })),
      MAX_PARTITION_BYTES,
      MAX_WAIT_MS,
    );
  let underWay = ask();
  while (!isStopped && records < (task.records ?? Number.POSITIVE_INFINITY)) {
    const fetched = await underWay;
    for (const { partition, batches } of fetched)
      offsets[partition] = nextOffset(batches, offsets[partition] as number);
    underWay = ask();
    const writes: Promise<void>[] = [];
    for (const { partition, batches } of fetched) {
      if (batches.length === 0) continue;
      if (task.isDecoding) {
        records += decodeAll(batches);
        continue;
      }
      const { count, chunk } = lines(batches);
      records += count;
      if (task.isWriting) writes.push(files.write(partition, chunk));
    }
    await Promise.all(writes);
    if (task.isTelling) stage.seen(records);
  }
  await files.end();
  wire.close();
  return records;
});

function nextOffset(batches: Buffer, before: number): number {
  let next = before;
  for (let at = 0; at + HEADER_BYTES <= batches.length; ) {
    const end = at + 12 + batches.readInt32BE(at + 8);
    if (end > batches.length) break;
    next = Number(batches.readBigInt64BE(at)) + batches.readInt32BE(at + 23) + 1;
    at = end;
  }
  return next;
}

/** The values of all whole batches, a newline behind each. */
function lines(batches: Buffer): { count: number; chunk: Buffer } {
  const chunk = Buffer.allocUnsafe(batches.length);
  let length = 0;
  const count = eachValue(batches, (start, end) => {
    length += batches.copy(chunk, length, start, end);
    chunk[length] = NEW_LINE;
    length += 1;
  });
  return { count, chunk: chunk.subarray(0, length) };
}

function decodeAll(batches: Buffer): number {
  return eachValue(batches, (start, end) => {
    const decoded = Message.decode(JSON.parse(batches.toString('utf8', start, end)));
    if (decoded._tag === 'Left') throw new Error('a record does not fit');
  });
}

function eachValue(batches: Buffer, visit: (start: number, end: number) => void): number {
  let count = 0;
  for (let start = 0; start + HEADER_BYTES <= batches.length; ) {
    const end = start + 12 + batches.readInt32BE(start + 8);
    if (end > batches.length) break;
    const records = batches.readInt32BE(start + 57);
    at = start + HEADER_BYTES;
    for (let index = 0; index < records; index += 1) {
      const length = varint(batches);
      const recordEnd = at + length;
      at += 1;
      varint(batches);
      varint(batches);
      const key = varint(batches);
      if (key > 0) at += key;
      const size = varint(batches);
      visit(at, at + size);
      at = recordEnd;
    }
    count += records;
    start = end;
  }
  return count;
}

/** Where `varint` reads. */
let at = 0;

function varint(bytes: Buffer): number {
  let byte = bytes[at] as number;
  at += 1;
  let value = byte & 0x7f;
  for (let shift = 7; byte > 0x7f; shift += 7) {
    byte = bytes[at] as number;
    at += 1;
    value |= (byte & 0x7f) << shift;
  }
  return (value >>> 1) ^ -(value & 1);
}
