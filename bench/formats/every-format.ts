// The messages of examples/data/chat.jsonl through every format and compression, in memory: CPU and bytes as ratios to plain
// JSON lines, in turn in the same run. What a file sink does with a format, without the sink.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lastValueFrom, from as observed } from 'rxjs';
import { avroFile, csv, type Format, rawJson, sequenceFile } from '../../src/formats/index.js';
import { column, parquet } from '../../src/formats/parquet/index.js';
import { json, jsonLines, jsonText } from '../../src/index.js';

const CHUNK_BYTES = 256 * 1024;
const NAMES = ['id', 'conversation', 'at', 'lang', 'channel', 'from', 'customer', 'text'] as const;
type Message = Readonly<Record<(typeof NAMES)[number], string>>;

const file = readFileSync(fileURLToPath(new URL('../../examples/data/chat.jsonl', import.meta.url)));
// Some of the sample are cut off or lack a field, for the tutorial of dead letters.
const lines = file
  .toString()
  .trimEnd()
  .split('\n')
  .filter(isWhole)
  .map((line) => Buffer.from(line));
const messages = lines.map((line) => JSON.parse(line.toString()) as Message);

function isWhole(line: string): boolean {
  try {
    const message = JSON.parse(line) as Message;
    return NAMES.every((name) => typeof message[name] === 'string');
  } catch {
    return false;
  }
}

const avroFields = NAMES.map((name) => ({ name, type: 'string' as const }));
const avro = (codec: 'null' | 'deflate' | 'snappy') =>
  avroFile({ schema: { type: 'record', name: 'Message', fields: avroFields }, codec }) as Format<Message>;
const text = { writable: 'Text' as const, of: jsonText };
const string = column.string();
const FORMATS: Readonly<Record<string, Format<Message>>> = {
  jsonLines: jsonLines(),
  'jsonLines snappy': jsonLines({ compression: 'snappy' }),
  'jsonLines gzip': jsonLines({ compression: 'gzip' }),
  'jsonLines gzip, level 1': jsonLines({ compression: 'gzip', compressionLevel: 1 }),
  csv: csv({ columns: NAMES }),
  'csv gzip': csv({ columns: NAMES, compression: 'gzip' }),
  avroFile: avro('null'),
  'avroFile snappy': avro('snappy'),
  'avroFile deflate': avro('deflate'),
  sequenceFile: sequenceFile({ value: text }),
  'sequenceFile block, snappy': sequenceFile({ value: text, compression: 'block', codec: 'snappy' }),
  'sequenceFile block, deflate': sequenceFile({ value: text, compression: 'block' }),
  'parquet snappy': parquet({
    schema: {
      ...{ id: string, conversation: string, at: string, lang: string, channel: string },
      ...{ from: string, customer: string, text: string },
    },
  }) as unknown as Format<Message>,
};

/** The bytes of a file of all messages. */
async function write(format: Format<Message>): Promise<number> {
  const encoder = format.encoder();
  let bytes = 0;
  const hand = async () => {
    const taken = encoder.takeLater?.() ?? format.compression.compress(encoder.take());
    bytes += (await lastValueFrom(observed(taken))).length;
  };
  for (const message of messages) if (encoder.add(message) >= (format.chunk?.bytes ?? CHUNK_BYTES)) await hand();
  await hand();
  const facts = { stream: 'bench:0', values: messages.length, firstOffset: 0, lastOffset: messages.length - 1 };
  if (encoder.finish !== undefined) bytes += (await lastValueFrom(observed(encoder.finish(facts)))).length;
  return bytes;
}

/** Decodes, filters and writes lines. */
function filtered<T>(decode: (line: Buffer) => T, langOf: (value: T) => string): number {
  const encoder = jsonLines<T>().encoder();
  let bytes = 0;
  for (const line of lines) {
    const value = decode(line);
    if (langOf(value) === 'en') continue;
    if (encoder.add(value) >= CHUNK_BYTES) bytes += encoder.take().length;
  }
  return bytes + encoder.take().length;
}

const [asJson, asRaw] = [json() as (line: Buffer) => unknown, rawJson()];
const PATHS: Readonly<Record<string, () => number>> = {
  'json, filter, jsonLines': () => filtered(asJson, (value) => (value as Message).lang),
  'rawJson, filter, jsonLines': () => filtered(asRaw, ({ value }) => (value as Message).lang),
};

async function measured(work: () => number | Promise<number>): Promise<{ cpuMicros: number; bytes: number }> {
  const before = process.cpuUsage();
  const bytes = await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMicros: user + system, bytes };
}

async function compare(works: Readonly<Record<string, () => number | Promise<number>>>, rounds: number): Promise<void> {
  const seen = new Map<string, { cpuMicros: number; bytes: number }[]>();
  for (let round = -3; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const one = await measured(work);
      if (round >= 0) seen.set(name, [...(seen.get(name) ?? []), one]);
    }
  }
  let first: { cpu: number; bytes: number } | undefined;
  console.log(`\n${'medians'.padEnd(30)}  µs a value     CPU   bytes`);
  for (const [name, all] of seen) {
    const sorted = all.map(({ cpuMicros }) => cpuMicros).sort((a, b) => a - b);
    const now = { cpu: sorted[Math.floor(rounds / 2)] as number, bytes: all[0]?.bytes as number };
    first ??= now;
    const cells = [now.cpu / messages.length, now.cpu / first.cpu, now.bytes / first.bytes];
    console.log(`${name.padEnd(30)} ${cells.map((cell, at) => cell.toFixed(2).padStart(at === 0 ? 11 : 8)).join('')}`);
  }
}

/** Prints what each format takes, and what decoding does before it. */
export async function compareFormats(rounds: number): Promise<void> {
  console.log(`\n${messages.length} messages, ${rounds} rounds, Node ${process.versions.node}`);
  await compare(
    Object.fromEntries(Object.entries(FORMATS).map(([name, format]) => [name, () => write(format)])),
    rounds,
  );
  await compare(PATHS, rounds);
  console.log(`\n${Math.round(process.resourceUsage().maxRSS / 1_024)} MiB at most, for all of them in one process`);
}
