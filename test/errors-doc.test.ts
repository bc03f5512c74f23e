import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../src/core/errors.js';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8');

/** The rows of docs/reference/errors.md: the code, the family whose heading it is under, and its cells. */
const rows = page.split(/^## /m).flatMap((section) => {
  const family = section.split('\n', 1)[0] as string;
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [code, retryable, meaning, advice, ...more] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return { code: code?.replaceAll('`', '') as string, family, retryable, meaning, advice, more };
    });
});

describe('docs/reference/errors.md', () => {
  it('has a row for each code of the table, in its family and in its order, and no others', () => {
    const documented = rows.map(({ code, family, retryable }) => [code, family, retryable]);
    const raised = Object.entries(ERRORS).map(([code, row]) => [code, row.family, row.retryable ? 'yes' : 'no']);
    expect(documented).toEqual(raised);
  });

  it('says of each what it means and what to do', () => {
    const thin = rows.filter(({ meaning = '', advice = '', more }) => {
      return !/^[A-Z].{15,}\.$/.test(meaning) || !/^[A-Z].{15,}\.$/.test(advice) || more.length > 0;
    });
    expect(thin).toEqual([]);
  });

  it('lists only codes that something raises', () => {
    const code = ['src', 'operators']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
          .filter(
            (entry) =>
              entry.isFile() &&
              entry.name.endsWith('.ts') &&
              !join(entry.parentPath, entry.name).endsWith('core/errors.ts'),
          )
          .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
      )
      .join('\n')
      .replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
    expect(Object.keys(ERRORS).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });
});
