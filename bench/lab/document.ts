import { barVerdict } from './bars.js';
import { thousands } from './contest.js';
import type { Row } from './part.js';
import type { SuiteResult } from './results.js';

/** Column titles by figure, in their order. */
const COLUMNS: readonly (readonly [string, string, (value: number) => string])[] = [
  ['recordsPerSecond', 'records/s', thousands],
  ['megabytesPerSecond', 'MB/s', thousands],
  ['cpuMicroseconds', 'CPU µs/record', (value) => value.toFixed(2)],
  ['peakRssMiB', 'peak RSS MiB', thousands],
  ['p50Ms', 'p50 ms', thousands],
  ['p99Ms', 'p99 ms', thousands],
];

/** Puts the tables of a run between the marks of each part, such as `<!-- latency -->` and `<!-- /latency -->`. */
export function withTables(document: string, { date, machine, parts }: SuiteResult): string {
  const { cores, processor, memoryGiB, system, node, java, go, kcat } = machine;
  const texts: Record<string, string> = {
    machine:
      `${date}: ${cores} cores (${processor}), ${memoryGiB} GiB, ${system}; Node ${node}, Java ${java}, Go ${go}, kcat ${kcat}. ` +
      'Kafka, HDFS and the contestants share the cores.',
  };
  for (const [name, { setup, rows, bars, loadBefore }] of Object.entries(parts)) {
    const barRows = bars.map((bar) => `| ${bar.what} | ${bar.wanted} | ${barVerdict(bar)} |`);
    texts[name] = [
      `${setup} Load before it: ${loadBefore}.`,
      table(rows),
      ...(bars.length === 0 ? [] : [['| bar | wanted | got |', '|---|---|---|', ...barRows].join('\n')]),
    ].join('\n\n');
  }
  return Object.entries(texts).reduce((text, [name, content]) => {
    const marks = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(\n?<!-- /${name} -->)`);
    return text.replace(marks, (_, start: string) => `${start}\n${content}\n\n<!-- /${name} -->`);
  }, document);
}

function table(rows: readonly Row[]): string {
  const columns = COLUMNS.filter(([key]) => rows.some((row) => row[key] !== undefined));
  const cells = rows.map((row) => {
    const values = columns.map(([key, , show]) => (typeof row[key] === 'number' ? show(row[key]) : '–'));
    return `| ${row.name} | ${values.join(' | ')} |`;
  });
  return [
    `| | ${columns.map(([, title]) => title).join(' | ')} |`,
    `|---|${'---:|'.repeat(columns.length)}`,
    ...cells,
  ].join('\n');
}
