import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { thousands } from './contest.js';
import { withTables } from './document.js';
import type { Row } from './part.js';
import type { SuiteResult } from './results.js';
import { barChart, type Chart, lineChart, type Point } from './svg.js';

const folder = fileURLToPath(new URL('../../docs/explanation/', import.meta.url));
const isOwn = (name: string) => name.startsWith('rxflume');

/** Draws a run of the suite into docs, and puts its tables into `docs/explanation/performance.md`. Answers with the paths. */
export function publish(result: SuiteResult): string[] {
  const document = `${folder}performance.md`;
  writeFileSync(document, withTables(readFileSync(document, 'utf8'), result));
  return ['docs/explanation/performance.md', ...drawPlots(result)];
}

function drawPlots({ parts }: SuiteResult): string[] {
  const drawn: string[] = [];
  const keep = (name: string, svg: string) => {
    writeFileSync(`${folder}performance-${name}.svg`, svg);
    drawn.push(`docs/explanation/performance-${name}.svg`);
  };
  const bars = (name: string, part: string, metric: string, chart: Chart) => {
    const points = pointsOf(parts[part]?.rows ?? [], metric);
    if (points.length > 0) keep(name, barChart(chart, points, isOwn));
  };
  bars('throughput', 'kafka-to-hdfs', 'recordsPerSecond', {
    title: 'Kafka → HDFS',
    unit: 'records a second, more is better',
    show: thousands,
  });
  bars('cpu', 'kafka-to-hdfs', 'cpuMicroseconds', {
    title: 'Kafka → HDFS',
    unit: 'CPU µs a record, less is better',
    show: (value) => value.toFixed(2),
  });
  bars('consume', 'consume', 'recordsPerSecond', {
    title: 'Consume only',
    unit: 'records a second, more is better',
    show: thousands,
  });
  bars('latency', 'latency', 'p99Ms', {
    title: 'From produce to durable, files of one second',
    unit: 'p99 in milliseconds, less is better',
    show: thousands,
  });
  for (const of of ['records', 'partitions', 'buckets', 'bytes', 'processes']) {
    const rows = parts.growth?.rows.filter((row) => row.of === of) ?? [];
    if (rows.length === 0) continue;
    const [metric, unit] =
      of === 'bytes' ? ['megabytesPerSecond', 'MB a second'] : ['cpuMicroseconds', 'CPU µs a record'];
    const chart = { title: `rxflume by ${of}`, unit, show: (value: number) => String(Number(value.toPrecision(2))) };
    keep(`by-${of}`, lineChart(chart, pointsOf(rows, metric)));
  }
  return drawn;
}

function pointsOf(rows: readonly Row[], metric: string): Point[] {
  return rows.flatMap((row) => {
    const value = row[metric];
    return typeof value === 'number' && !Number.isNaN(value) ? [{ label: row.name, value }] : [];
  });
}
