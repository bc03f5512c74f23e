// Kafka to HDFS: fills a topic once, then runs each contestant in a process of its own, in turn, over the same records.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fill } from './fill.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const services = fileURLToPath(new URL('../../scripts/services', import.meta.url));

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    partitions: { type: 'string', default: '4' },
    only: { type: 'string', default: 'rxflume,plain-loop' },
  },
});
const records = Number(values.records);
const rounds = Number(values.rounds);
const contestants = values.only.split(',');

interface Result {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly maxRssMiB: number;
}

execFileSync(services, ['up'], { stdio: ['ignore', 'ignore', 'inherit'] });
for (const line of execFileSync(services, ['status', '--env'], { encoding: 'utf8' }).trim().split('\n')) {
  const [name = '', value = ''] = line.replace(/^export /, '').split('=', 2);
  process.env[name] = value.replace(/^['"]|['"]$/g, '');
}

const topic = `bench-${records}x${values.partitions}-${Date.now()}`;
console.log(
  `${records} JSON records of about 199 bytes, ${values.partitions} partitions, uncompressed; ${cpus().length} cores, Node ${process.versions.node}`,
);
await fill({ topic, records, partitions: Number(values.partitions) });

const results = new Map<string, Result[]>(contestants.map((name) => [name, []]));
for (let round = 1; round <= rounds; round += 1) {
  for (const name of contestants) {
    const run = spawnSync(
      process.execPath,
      [
        '--import',
        'tsx',
        `${here}${name.replace(/-at-least-once$/, '')}.ts`,
        topic,
        String(records),
        `${topic}-${name}-${round}`,
        name,
      ],
      {
        encoding: 'utf8',
        timeout: 600_000,
      },
    );
    const line = run.stdout.trim().split('\n').at(-1) ?? '';
    if (run.status !== 0 || !line.startsWith('{'))
      throw new Error(`${name} failed (${run.status}): ${run.stdout}\n${run.stderr}`);
    const result = JSON.parse(line) as Result;
    if (result.records !== records) throw new Error(`${name} read ${result.records} of ${records} records`);
    results.get(name)?.push(result);
    console.log(`  round ${round}  ${row(name, result)}`);
  }
}

console.log(
  `\n${'medians'.padEnd(12)} ${'records/s'.padStart(10)}  ${'CPU µs/record'.padStart(13)}  ${'peak RSS MiB'.padStart(12)}  ratio of records/s`,
);
const base = contestants.at(-1) ?? '';
for (const name of contestants) {
  const rate = median(name, (result) => result.records / result.seconds);
  const cpu = median(name, (result) => (result.cpuSeconds * 1e6) / result.records);
  const rss = median(name, (result) => result.maxRssMiB);
  const ratios = (results.get(name) ?? []).map(
    (result, at) => (results.get(base)?.[at]?.seconds ?? 0) / result.seconds,
  );
  console.log(
    `${name.padEnd(12)} ${Math.round(rate).toLocaleString('en-US').padStart(10)}  ${cpu.toFixed(2).padStart(13)}  ${rss.toFixed(0).padStart(12)}  ` +
      `${middle(ratios).toFixed(2)} × ${base} (by round: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')})`,
  );
}

function row(name: string, result: Result): string {
  return `${name.padEnd(12)} ${Math.round(result.records / result.seconds).toLocaleString('en-US')} records/s, ${((result.cpuSeconds * 1e6) / result.records).toFixed(2)} µs, ${result.maxRssMiB.toFixed(0)} MiB`;
}

function median(name: string, of: (result: Result) => number): number {
  return middle((results.get(name) ?? []).map(of));
}

function middle(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
