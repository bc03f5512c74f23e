import { cpuMicroseconds, type Results, recordsPerSecond, thousands } from './contest.js';
import type { Row } from './part.js';
import { median, ratios } from './statistics.js';

/** A row for each contestant: medians, and each round's figures. Ratios are to the first, round by round. */
export function rowsOf(results: Results): Row[] {
  const first = [...results.values()][0]?.map(recordsPerSecond) ?? [];
  return [...results].map(([name, all]) => {
    const rates = all.map(recordsPerSecond);
    return {
      name,
      records: all[0]?.records,
      recordsPerSecond: Math.round(median(rates)),
      cpuMicroseconds: rounded(median(all.map(cpuMicroseconds)), 3),
      peakRssMiB: Math.round(median(all.map(({ peakRssMiB }) => peakRssMiB))),
      timesFirst: rounded(median(ratios(rates, first)), 3),
      recordsPerSecondByRound: rates.map(Math.round),
      cpuMicrosecondsByRound: all.map((one) => rounded(cpuMicroseconds(one), 3)),
      peakRssMiBByRound: all.map(({ peakRssMiB }) => Math.round(peakRssMiB)),
    };
  });
}

export function rounded(number: number, digits: number): number {
  return Number(number.toPrecision(digits));
}

/** The median, over rounds, of a figure of one contestant by that of another; not a number where one is missing. */
export function ratioOf(results: Results, a: string, b: string, of: typeof recordsPerSecond): number {
  return median(ratios((results.get(a) ?? []).map(of), (results.get(b) ?? []).map(of)));
}

const COLUMNS: readonly (readonly [string, string, (value: number) => string])[] = [
  ['recordsPerSecond', 'records/s', thousands],
  ['cpuMicroseconds', 'CPU µs/record', (value) => value.toFixed(2)],
  ['peakRssMiB', 'peak RSS MiB', thousands],
  ['p50Ms', 'p50 ms', thousands],
  ['p99Ms', 'p99 ms', thousands],
  ['timesFirst', '× first', (value) => value.toFixed(2)],
];

/** The rows as a table of text, with the columns that they have. */
export function tableLines(rows: readonly Row[]): string[] {
  const columns = COLUMNS.filter(([key]) => rows.some((row) => row[key] !== undefined));
  const widest = Math.max(0, ...rows.map(({ name }) => name.length));
  const head = `${''.padEnd(widest)}${columns.map(([, title]) => title.padStart(15)).join('')}`;
  return [
    head,
    ...rows.map((row) => {
      const cells = columns.map(([key, , show]) => {
        const value = row[key];
        return (typeof value === 'number' && !Number.isNaN(value) ? show(value) : '–').padStart(15);
      });
      return `${row.name.padEnd(widest)}${cells.join('')}`;
    }),
  ];
}
