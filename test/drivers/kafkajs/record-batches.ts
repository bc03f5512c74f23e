import { gzipSync } from 'node:zlib';
import { compress as compressLz4 } from 'lz4js';
import { compress as compressSnappy } from 'snappyjs';
import { crc32c } from '../../../src/drivers/kafkajs/records/crc32c.js';

export interface MadeRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number | bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
}

/** All that a batch of records can say, also what kafkajs cannot write. */
export interface MadeBatch {
  readonly firstOffset: number;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: number | bigint;
  readonly maxTimestamp: number | bigint;
  readonly codec: 0 | 1 | 2 | 3 | 4;
  readonly isAppendTime: boolean;
  /** Of a transaction. */
  readonly producerId: number | null;
  readonly isControl: boolean;
  readonly records: readonly MadeRecord[];
  /** Instead of the number of records. */
  readonly count?: number;
}

export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  const whole = BigInt(value);
  let left = BigInt.asUintN(64, whole < 0n ? -whole * 2n - 1n : whole * 2n);
  while (left >= 128n) {
    bytes.push(Number(left % 128n) | 128);
    left /= 128n;
  }
  return [...bytes, Number(left)];
}

function sized(bytes: Buffer | null): Buffer {
  return bytes === null ? Buffer.from(varint(-1)) : Buffer.concat([Buffer.from(varint(bytes.length)), bytes]);
}

export function encodeRecord({ offsetDelta, timestampDelta, key, value, headers }: MadeRecord): Buffer {
  const fields = [
    Buffer.from([0, ...varint(timestampDelta), ...varint(offsetDelta)]),
    sized(key),
    sized(value),
    Buffer.from(varint(headers.length)),
    ...headers.flatMap(([name, content]) => [sized(Buffer.from(name)), sized(content)]),
  ];
  return sized(Buffer.concat(fields));
}

/** One frame of raw blocks: Node 20 cannot deflate zstd. */
function frameZstd(plain: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  header.writeUInt32LE(plain.length, 5);
  const size = Buffer.alloc(3);
  size.writeUIntLE((plain.length << 3) | 1, 0, 3);
  return Buffer.concat([header, size, plain]);
}

const DEFLATE: readonly ((plain: Buffer) => Uint8Array)[] = [
  (plain) => plain,
  (plain) => gzipSync(plain, { level: 1 }),
  compressSnappy,
  compressLz4,
  frameZstd,
];

/** Source: Kafka's DefaultRecordBatch. `body` represents the records, deflated if they are to be. */
export function encodeBatch(batch: MadeBatch, body?: Buffer): Buffer {
  const { firstOffset, lastOffsetDelta, firstTimestamp, maxTimestamp, codec, isAppendTime, producerId } = batch;
  const plain = body ?? Buffer.concat(batch.records.map(encodeRecord));
  const packed = plain.length === 0 ? plain : Buffer.from(DEFLATE[codec]?.(plain) ?? plain);
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(firstOffset), 0);
  header.writeInt32BE(49 + packed.length, 8);
  header.writeInt8(2, 16);
  const flags = (isAppendTime ? 8 : 0) | (producerId === null ? 0 : 16) | (batch.isControl ? 32 : 0);
  header.writeInt16BE(codec | flags, 21);
  header.writeInt32BE(lastOffsetDelta, 23);
  header.writeBigInt64BE(BigInt(firstTimestamp), 27);
  header.writeBigInt64BE(BigInt(maxTimestamp), 35);
  header.writeBigInt64BE(BigInt(producerId ?? -1), 43);
  header.writeInt32BE(-1, 53);
  header.writeInt32BE(batch.count ?? batch.records.length, 57);
  const whole = Buffer.concat([header, packed]);
  whole.writeUInt32BE(crc32c(whole.subarray(21)), 17);
  return whole;
}

export function batchOf(records: readonly Partial<MadeRecord>[], given: Partial<MadeBatch> = {}): MadeBatch {
  return {
    firstOffset: 0,
    lastOffsetDelta: Math.max(0, records.length - 1),
    firstTimestamp: 1_700_000_000_000,
    maxTimestamp: 1_700_000_000_000,
    codec: 0,
    isAppendTime: false,
    producerId: null,
    isControl: false,
    records: records.map((record, offsetDelta) => ({
      offsetDelta,
      timestampDelta: 0,
      key: null,
      value: null,
      headers: [],
      ...record,
    })),
    ...given,
  };
}
