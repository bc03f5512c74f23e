// The suite: npm run bench [-- <part>] [--short] [--records n] [--rounds n] [--only a,b]
import { parseArgs } from 'node:util';
import { barLines } from './lab/bars.js';
import type { Bench, Part } from './lab/part.js';
import { tableLines } from './lab/rows.js';
import { startServices } from './lab/services.js';
import { kafkaToHdfs } from './parts/kafka-to-hdfs.js';

const PARTS: readonly Part[] = [kafkaToHdfs];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    records: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
  },
});
const services = startServices();
const bench: Bench = {
  services,
  isShort: values.short,
  records: values.records === undefined ? undefined : Number(values.records),
  rounds: values.rounds === undefined ? undefined : Number(values.rounds),
  only: values.only?.split(','),
  say: console.log,
};
for (const part of PARTS) {
  if (positionals.length > 0 && !positionals.includes(part.name)) continue;
  console.log(part.title);
  const result = await part.run(bench);
  for (const line of [result.setup, ...tableLines(result.rows), ...barLines(result.bars)]) console.log(line);
}
services.stop();
