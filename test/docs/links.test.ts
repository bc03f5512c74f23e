import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { codeBlocks, documents, prose, root, tablesUnder, textOf } from './markdown.js';

/** The site's home page, and what a guide links to. */
const UNLINKED = [
  'docs/index.md',
  ...['docs/reference/options/testing.md', 'docs/reference/options/inputs.md', 'docs/reference/alerts.md'],
  ...['docs/reference/console.md'],
  'docs/guides/from-flume.md',
  'docs/explanation/threat-model.md',
  'docs/reference/dead-letters.md',
];

test.each(documents)('the links of %s lead somewhere', (document) => {
  const broken = linksOf(document).filter(({ target }) => !leadsSomewhere(document, target));
  expect(broken.map(({ target, line }) => `${document}:${line}: ${target}`)).toEqual([]);
});

test('every file named in the code map is there', () => {
  const [table] = tablesUnder('docs/internals/code-map.md', 'Code map');
  const named =
    table?.rows.flatMap((row) => [...(row[1] ?? '').matchAll(/`([^` ]+\/[^` ]*)`/g)].map((found) => found[1])) ?? [];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(root, path as string)))).toEqual([]);
});

test('README fits in 8 kB', () => {
  expect(statSync(`${root}README.md`).size).toBeLessThanOrEqual(8_000);
});

test('README links to every page of the documentation', () => {
  const linked = new Set(linksOf('README.md').map(({ target }) => target.split('#', 1)[0]));
  const pages = documents.filter((document) => document.startsWith('docs/') && !UNLINKED.includes(document));
  expect(pages.filter((page) => !linked.has(page))).toEqual([]);
});

test('every code block says its language', () => {
  const mute = documents
    .flatMap(codeBlocks)
    .filter(({ language }) => !/^(ts|sh|text|json|xml|yaml|diff|mermaid)$/.test(language));
  expect(mute.map(({ document, line }) => `${document}:${line}`)).toEqual([]);
});

function linksOf(document: string): { target: string; line: number }[] {
  return prose(document)
    .split('\n')
    .flatMap((text, at) =>
      [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map((found) => ({
        target: found[1] as string,
        line: at + 1,
      })),
    );
}

function leadsSomewhere(document: string, target: string): boolean {
  if (/^https?:/.test(target)) return true;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
}

/** Anchors as GitHub makes them of headings. */
function anchorsOf(document: string): string[] {
  return textOf(document)
    .split('\n')
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );
}
