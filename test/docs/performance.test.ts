import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { withTables } from '../../bench/lab/document.js';
import type { SuiteResult } from '../../bench/lab/results.js';
import { root, textOf } from './markdown.js';

const folder = `${root}bench/results/`;

test('the tables of docs/explanation/performance.md are those of the newest kept run', () => {
  const dated = readdirSync(folder).filter((name) => /^\d{4}-\d{2}-\d{2}\.json$/.test(name));
  const newest = dated.sort().at(-1);
  const result = JSON.parse(readFileSync(folder + newest, 'utf8')) as SuiteResult;
  const document = textOf('docs/explanation/performance.md');
  expect(Object.keys(result.parts).sort()).toEqual(['consume', 'growth', 'kafka-to-hdfs', 'latency']);
  expect(withTables(document, result)).toBe(document);
});
