// Every format beside plain JSON lines; and rows of the chat record to Parquet with snappy, beside pyarrow's write_table from Python's dicts: each in a program of its own, in turn, on
// one core. CPU a row holds where seconds do not.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compiled } from '../lab/compiled.js';
import type { Result } from '../lab/measure.js';
import { compareFormats } from './every-format.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '200' },
  },
});
const rounds = Number(values.rounds);
await compareFormats(3 * rounds);

/** Each program writes the file so often, and the first time is not counted. */
const FILES = '3';
const LEAST_ROWS_A_SECOND = 250_000;

interface Written {
  readonly bytes: number;
  readonly longestMs: number;
}

const python = execFileSync(fileURLToPath(new URL('../../scripts/readers', import.meta.url)), {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
}).trim();
const args = [values.rows, FILES, values.bytes];
const CONTESTANTS: Readonly<Record<string, readonly string[]>> = {
  rxflume: [process.execPath, compiled('formats/parquet-rxflume'), ...args],
  pyarrow: [python, fileURLToPath(new URL('./parquet_pyarrow.py', import.meta.url)), ...args],
};

const results = new Map<string, (Result & Written)[]>();
for (let round = 0; round < rounds; round += 1) {
  for (const [name, [command = '', ...rest]] of Object.entries(CONTESTANTS)) {
    const lines = execFileSync(command, rest, { encoding: 'utf8', timeout: 300_000 }).trim().split('\n');
    const [written, result] = lines.slice(-2).map((line) => JSON.parse(line) as Result & Written);
    results.set(name, [...(results.get(name) ?? []), { ...written, ...result } as Result & Written]);
  }
}

const median = (name: string, of: (result: Result & Written) => number): number => {
  const sorted = (results.get(name) ?? []).map(of).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
console.log(
  `\n${values.rows} rows of ${values.bytes} bytes as JSON, medians of ${rounds} rounds, Node ${process.versions.node}\n`,
);
console.log('                rows/s  rows per CPU second  file bytes  peak MiB  longest row group, ms');
for (const name of results.keys()) {
  const cells = [
    median(name, ({ records, seconds }) => records / seconds),
    median(name, ({ records, cpuSeconds }) => records / cpuSeconds),
    median(name, ({ bytes }) => bytes),
    median(name, ({ maxRssMiB }) => maxRssMiB),
    median(name, ({ longestMs }) => longestMs),
  ];
  console.log(`${name.padEnd(10)} ${cells.map((cell) => Math.round(cell).toLocaleString('en').padStart(13)).join('')}`);
}
const perCpu = (name: string) => median(name, ({ records, cpuSeconds }) => records / cpuSeconds);
const ratio = perCpu('rxflume') / perCpu('pyarrow');
console.log(`\n${perCpu('rxflume') >= LEAST_ROWS_A_SECOND ? 'reached' : 'MISSED '}  250,000 rows per CPU second`);
console.log(`${ratio >= 1 ? 'reached' : 'MISSED '}  pyarrow's rate: ${ratio.toFixed(2)} times`);
