// Rows of the chat record to a Parquet file in memory: what a file sink does with a format, without the sink.
import { from, lastValueFrom } from 'rxjs';
import { column, parquet } from '../../src/formats/parquet/index.js';
import { startMeasure } from '../lab/measure.js';
import { writeValue } from '../lab/records.js';

interface Chat {
  readonly n: number;
  readonly at: number;
  readonly lang: string;
  readonly user: string;
  readonly text: string;
}

const [rows = 0, rounds = 0, bytes = 0] = process.argv.slice(2).map(Number);
const value = Buffer.alloc(bytes);
const records = Array.from({ length: rows }, (_, n) => {
  const length = writeValue(value, 0, n, bytes, 1_764_240_000_000 + n);
  return JSON.parse(value.toString('utf8', 0, length)) as Chat;
});
const format = parquet({
  schema: {
    n: column.int64(),
    at: column.timestampMs(),
    lang: column.string(),
    user: column.string(),
    text: column.string(),
  },
});
const count = format.chunk?.count ?? 1;

async function write(): Promise<{ readonly bytes: number; readonly longestMs: number }> {
  const encoder = format.encoder();
  let fileBytes = 0;
  let longestMs = 0;
  const take = async (part$: ReturnType<NonNullable<typeof encoder.takeLater>>) => {
    const startedAt = performance.now();
    fileBytes += (await lastValueFrom(from(part$))).length;
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  };
  for (const [at, record] of records.entries()) {
    encoder.add(record);
    if ((at + 1) % count === 0 || at + 1 === rows) await take(encoder.takeLater?.() ?? []);
  }
  await take(encoder.finish?.({ stream: 'bench:0', values: rows, firstOffset: 0, lastOffset: rows - 1 }) ?? []);
  return { bytes: fileBytes, longestMs };
}

await write();
const measure = startMeasure();
let last = { bytes: 0, longestMs: 0 };
for (let round = 0; round < rounds; round += 1) last = await write();
console.log(JSON.stringify(last));
measure(rows * rounds);
