// The suite, or some of its parts: npm run bench [-- <part>... --short --records <n> --rounds <n> --only <a,b> --keep]
import { parseArgs } from 'node:util';
import { barLines } from './lab/bars.js';
import type { Bench, Part } from './lab/part.js';
import { publish } from './lab/publish.js';
import { keepResult, type SuiteResult, timed } from './lab/results.js';
import { tableLines } from './lab/rows.js';
import { startServices } from './lab/services.js';
import { consume } from './parts/consume.js';
import { growth } from './parts/growth.js';
import { kafkaToHdfs } from './parts/kafka-to-hdfs.js';
import { latency } from './parts/latency.js';

const PARTS: readonly Part[] = [kafkaToHdfs, consume, latency, growth];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    records: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const parts = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !PARTS.some((part) => part.name === name));
const [records, rounds] = [values.records, values.rounds].map((text) =>
  text === undefined ? undefined : Number(text),
);
const areNumbers = [records, rounds].every(
  (number) => number === undefined || (Number.isInteger(number) && number > 0),
);
if (unknown.length > 0 || !areNumbers) {
  console.error(
    `Usage: npm run bench [-- <part>... --short --records <n> --rounds <n> --only <contestant,...> --keep]; the parts: ${PARTS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const services = startServices();
const bench: Bench = {
  services,
  isShort: values.short,
  records,
  rounds,
  only: values.only?.split(','),
  say: console.log,
};
// Only what is measured at full length has a date, and is drawn.
const isDated =
  (positionals.length === 0 || values.keep) && !values.short && values.only === undefined && records === undefined;
const results: Record<string, SuiteResult['parts'][string]> = {};
try {
  for (const part of parts) {
    console.log(`\n${part.title}`);
    const result = await timed(() => part.run(bench));
    results[part.name] = result;
    for (const line of [result.setup, '', ...tableLines(result.rows), '', ...barLines(result.bars)]) console.log(line);
    const kept = keepResult(results, isDated, values.short);
    console.log(`kept: ${[kept.path, ...(isDated ? publish(kept.result) : [])].join(', ')}`);
  }
} finally {
  services.stop();
}
