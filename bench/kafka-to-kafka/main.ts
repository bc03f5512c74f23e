// Kafka to Kafka: fills a topic once, then each contestant copies it, in a process of its own and in turn.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compiled } from '../lab/compiled.js';
import type { Result } from '../lab/measure.js';

const services = fileURLToPath(new URL('../../scripts/services', import.meta.url));
const BASE = 'bare-loop';
const BAR = 0.8;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '5' },
    partitions: { type: 'string', default: '4' },
    only: { type: 'string', default: `exactly-once,at-least-once,${BASE}` },
  },
});
const records = Number(values.records);
const partitions = Number(values.partitions);
const rounds = Number(values.rounds);
const contestants = values.only.split(',');

execFileSync(services, ['up', 'kafka'], { stdio: ['ignore', 'ignore', 'inherit'] });
// It says with its status that not all services are up; Kafka alone is needed.
for (const line of spawnSync(services, ['status', '--env'], { encoding: 'utf8' }).stdout.trim().split('\n')) {
  const [name = '', value = ''] = line.replace(/^export /, '').split('=', 2);
  process.env[name] = value.replace(/^['"]|['"]$/g, '');
}
const { createTopic, deleteTopic, fill, length } = await import('./topics.js');

const topic = `bench-${records}x${partitions}-${Date.now()}`;
console.log(
  `${records} JSON records of about 199 bytes with keys, ${partitions} partitions, uncompressed, acks of all in sync; ` +
    `${cpus().length} cores, Node ${process.versions.node}`,
);
await createTopic(topic, partitions);
await fill(topic, records, partitions);

const results = new Map<string, Result[]>(contestants.map((name) => [name, []]));
for (let round = 1; round <= rounds; round += 1) {
  for (const name of contestants) {
    const copy = `${topic}-${name}-${round}`;
    await createTopic(copy, partitions);
    const program = compiled(`kafka-to-kafka/${name === BASE ? BASE : 'rxflume'}`);
    const given = [topic, copy, String(records), copy, name];
    const run = spawnSync(process.execPath, [program, ...given], {
      encoding: 'utf8',
      timeout: 300_000,
    });
    const line = run.stdout.trim().split('\n').at(-1) ?? '';
    if (run.status !== 0 || !line.startsWith('{')) {
      throw new Error(`${name} failed (${run.status}): ${run.stdout}\n${run.stderr}`);
    }
    const result = JSON.parse(line) as Result;
    const held = await length(copy);
    if (result.records !== records || held < records) {
      throw new Error(`${name} copied ${result.records} of ${records} records, and ${copy} holds ${held}`);
    }
    await deleteTopic(copy);
    results.get(name)?.push(result);
    console.log(`  round ${round}  ${row(name, result)}`);
  }
}
await deleteTopic(topic);

console.log(
  `\n${'medians'.padEnd(14)} ${'records/s'.padStart(10)}  ${'CPU µs/record'.padStart(13)}  ${'peak RSS MiB'.padStart(12)}`,
);
for (const name of contestants) {
  const rate = median(name, (result) => result.records / result.seconds);
  const cpu = median(name, (result) => (result.cpuSeconds * 1e6) / result.records);
  const rss = median(name, (result) => result.maxRssMiB);
  console.log(
    `${name.padEnd(14)} ${Math.round(rate).toLocaleString('en-US').padStart(10)}  ${cpu.toFixed(2).padStart(13)}  ` +
      `${rss.toFixed(0).padStart(12)}  ${comparison(name)}`,
  );
}

/** Side by side in each round, since the machine is not the same all the time. */
function comparison(name: string): string {
  const base = results.get(BASE) ?? [];
  if (name === BASE || base.length === 0) return '';
  const ratios = (results.get(name) ?? []).map((result, at) => (base[at] as Result).seconds / result.seconds);
  const verdict = middle(ratios) >= BAR ? 'holds' : 'FAILS';
  return `${middle(ratios).toFixed(2)} × ${BASE}, bar ${BAR} ${verdict} (by round: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')})`;
}

function row(name: string, result: Result): string {
  const rate = Math.round(result.records / result.seconds).toLocaleString('en-US');
  const cpu = ((result.cpuSeconds * 1e6) / result.records).toFixed(2);
  return `${name.padEnd(14)} ${rate} records/s, ${cpu} µs, ${result.maxRssMiB.toFixed(0)} MiB`;
}

function median(name: string, of: (result: Result) => number): number {
  return middle((results.get(name) ?? []).map(of));
}

function middle(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
