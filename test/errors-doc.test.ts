import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../src/core/error-codes.js';

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

function filesIn(top: string): string[] {
  if (top.endsWith('.md')) return [top];
  return readdirSync(join(root, top), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

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
              !join(entry.parentPath, entry.name).endsWith('core/error-codes.ts'),
          )
          .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
      )
      .join('\n')
      .replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
    expect(Object.keys(ERRORS).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });

  it('and no code is named elsewhere, in a test on real services for example, that the table lacks', () => {
    // A log event of the embedded log, which no error carries.
    const known = new Set([...Object.keys(ERRORS), 'RXF_KAFKA_TORN_APPEND']);
    const unknown = ['README.md', 'src', 'operators', 'test', 'bench', 'chaos', 'scripts', 'docs'].flatMap((top) =>
      filesIn(top)
        // The decisions and this test keep the names of their day.
        .filter((path) => /\.(ts|md|mjs)$/.test(path) && !/decisions\.md$|errors-doc\.test\.ts$/.test(path))
        .flatMap((path) =>
          [...readFileSync(join(root, path), 'utf8').matchAll(/\bRXF_[A-Z_]*[A-Z]\b(?!_)/g)]
            .filter(([code]) => !known.has(code))
            .map(([code]) => `${path}: ${code}`),
        ),
    );
    expect(unknown).toEqual([]);
  });
});
