// What most flows do, Kafka → HDFS: decode and check each message, drop some by a field, gzip JSON lines by day and language.
//   npm run bench -- realistic [--records <n> --rounds <n> --compression gzip|none --only <a,b>]
// Time and CPU of rxflume count from before it connects until all is stored and committed; of benthos from when its input is active.
import { parseArgs } from 'node:util';
import { BATCH, BENTHOS_VERSION, Benthos, type BenthosPath, ended } from '../contestants/benthos.js';
import { observe } from '../contestants/observed.js';
import { taskOf } from '../contestants/own.js';
import { atLeast, atMost, barLines } from '../lab/bars.js';
import { type Contestant, contest, cpuMicroseconds, recordsPerSecond } from '../lab/contest.js';
import { Lake } from '../lab/lake.js';
import { runProgram } from '../lab/program.js';
import { ratioOf, rowsOf, tableLines } from '../lab/rows.js';
import { startServices } from '../lab/services.js';
import { deleteTopic, fillTopic } from '../lab/topics.js';
import type { LakeTask } from '../programs/rxflume-lake.js';
import { type Chats, chats, DROPPED, FIELDS } from './chats.js';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    compression: { type: 'string', default: 'gzip' },
    only: { type: 'string' },
  },
});
const [records, rounds] = [Number(values.records), Number(values.rounds)];
const compression = values.compression as LakeTask['compression'];
const PARTITIONS = 4;

const services = startServices();

interface Choice {
  readonly isRaw: boolean;
  readonly compressionLevel?: number;
  /** Without what `rxflume run` sets for V8's heap. */
  readonly isLibrary?: boolean;
}

function rxflume(name: string, { isRaw, compressionLevel, isLibrary = false }: Choice): Contestant {
  return {
    name,
    run: (job) => {
      const task: LakeTask = {
        ...taskOf(services, job),
        isRaw,
        isHeapGrown: !isLibrary,
        compression,
        ...(compressionLevel === undefined ? {} : { compressionLevel }),
        dropped: DROPPED,
        kept: sample.keptOf(records),
      };
      return runProgram('rxflume-lake', task);
    },
  };
}

/** The same checks, and the message's bytes as they came: a document of its own is serialised again, which takes longer. */
const benthosPath: BenthosPath = {
  batching: [],
  pipeline: [
    {
      mapping: [
        `root = if ${FIELDS.map((field) => `this.${field}.type() != "string"`).join(' || ')} { throw("not a chat message") }`,
        `else if this.channel == "${DROPPED}" { deleted() } else { content() }`,
        '\nmeta day = this.at.slice(0, 10)\nmeta lang = this.lang',
      ].join(' '),
    },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: benthos's own interpolation
    { group_by_value: { value: '${!meta("day")}/${!meta("lang")}' } },
    { archive: { format: 'lines' } },
    ...(compression === 'gzip' ? [{ compress: { algorithm: 'gzip' } }] : []),
  ],
  // Its output makes no folders.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: benthos's own interpolation
  path: 'dt=${!meta("day")}-lang=${!meta("lang")}-${!uuid_v4()}.jsonl.gz',
};

function benthos({ groups }: Chats): Contestant {
  const program = new Benthos(services);
  const lake = new Lake(services.hdfsUrl);
  return {
    name: `benthos ${BENTHOS_VERSION}`,
    missing: program.missing,
    run: async (job) => {
      const batches = Math.floor(records / PARTITIONS / BATCH) * PARTITIONS;
      if (batches === 0) throw new Error(`benthos needs at least ${BATCH} records a partition to be measured`);
      const child = await program.start(job, 10_000, benthosPath);
      try {
        return await observe({
          pid: child.pid as number,
          progress: () => lake.filesUnder(job.folder),
          target: batches * groups,
          recordsPerUnit: BATCH / groups,
          everyMs: 20,
        });
      } finally {
        await ended(child);
      }
    },
  };
}

const sample = chats();
const { groups, meanBytes } = sample;
const topic = await fillTopic(
  services.broker,
  { partitions: PARTITIONS, records, valueBytes: Math.round(meanBytes) },
  sample,
);
const lake = new Lake(services.hdfsUrl);
const raw = 'rxflume, rawJson';
const library = `${raw}, as a library`;
const fast = `${raw}, level 5`;
const changed = 'rxflume, json';
const go = `benthos ${BENTHOS_VERSION}`;
const only = values.only?.split(',');
const contestants = [
  rxflume(raw, { isRaw: true }),
  rxflume(library, { isRaw: true, isLibrary: true }),
  ...(compression === 'gzip' ? [rxflume(fast, { isRaw: true, compressionLevel: 5 })] : []),
  rxflume(changed, { isRaw: false }),
  benthos(sample),
];
const bytes = new Map<string, number>();
try {
  const results = await contest({
    contestants: contestants.filter(({ name }) => only === undefined || only.some((word) => name.includes(word))),
    rounds,
    topic,
    lake,
    say: console.log,
    check: async ({ name }, { folder }, measured) => {
      bytes.set(name, (await lake.bytesUnder(folder)) / measured.records);
    },
  });
  console.log(
    `\n${records} chat messages of ${meanBytes.toFixed(0)} bytes on average, ${PARTITIONS} partitions; ${groups} days and languages; ` +
      `compression ${compression}; ${rounds} rounds`,
  );
  for (const line of tableLines(rowsOf(results))) console.log(line);
  for (const [name, each] of bytes) console.log(`${name}: ${each.toFixed(1)} bytes stored for each record read`);
  const bars = [raw, library, fast].flatMap((name) => [
    atLeast(`${name}: throughput by benthos`, ratioOf(results, name, go, recordsPerSecond), 2.5),
    atMost(`${name}: CPU a record by benthos`, ratioOf(results, name, go, cpuMicroseconds), 0.4),
  ]);
  for (const line of barLines(bars)) console.log(line);
} finally {
  await deleteTopic(services.broker, topic.name);
}
