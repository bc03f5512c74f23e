import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';

import { LIBRARIES, LICENCES, OWN_FILES, pageFile } from '../../src/console/page/page-files.js';

const assets = join(import.meta.dirname, '../../src/console/page/assets');
const textOf = (name: string) => readFileSync(join(assets, name), 'utf8');
const scripts = OWN_FILES.filter((name) => name.endsWith('.js'));
const zippedBytes = async (names: readonly string[]) => {
  const files = await Promise.all(names.map(pageFile));
  return files.reduce((sum, file) => sum + gzipSync(file?.body ?? '').length, 0);
};

describe('the files of the page', () => {
  it('are those of its folder, each once', () => {
    expect([...OWN_FILES].sort()).toEqual(readdirSync(assets).sort());
  });

  it('have their types', async () => {
    expect((await pageFile(''))?.type).toBe('text/html; charset=utf-8');
    expect((await pageFile('app.js'))?.type).toBe('text/javascript; charset=utf-8');
    expect((await pageFile('vendor/uplot.css'))?.type).toBe('text/css; charset=utf-8');
    expect(Buffer.from((await pageFile('vendor/LICENSE.uplot.txt'))?.body ?? '').toString()).toMatch(/MIT License/);
  });

  it.each([
    '../page-files.ts',
    '../../../../package.json',
    'vendor/../app.js',
    'vendor/',
    'toString',
    'vendor/toString',
    '/etc/passwd',
  ])('are no others: %s', async (name) => {
    expect(await pageFile(name)).toBeUndefined();
  });

  it('are small: libraries 50 kB, all 100 kB, compressed', async () => {
    const vendor = Object.keys(LIBRARIES).map((name) => `vendor/${name}`);
    expect(await zippedBytes(vendor)).toBeLessThan(50_000);
    expect(await zippedBytes(['', ...OWN_FILES, ...vendor])).toBeLessThan(100_000);
    expect(Object.keys(LICENCES)).toHaveLength(4);
  });

  it('ask nothing of other hosts, and have no script or style in a document', async () => {
    const page = Buffer.from((await pageFile(''))?.body ?? '').toString();
    for (const text of [page, ...OWN_FILES.map(textOf)]) expect(text).not.toMatch(/https?:|\bstyle="|srcdoc|innerHTML/);
    expect(page).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\son\w+=/);
  });

  it('have no file of more than 320 lines, and none that imports itself by way of others', () => {
    const imports = new Map(
      scripts.map((name) => [
        name,
        [...textOf(name).matchAll(/^import .*from '\.\/([^']+)';$/gm)].map(([, to]) => to as string),
      ]),
    );
    for (const name of scripts) expect([name, textOf(name).split('\n').length <= 321]).toEqual([name, true]);
    const reached = (name: string, seen = new Set<string>()): Set<string> => {
      for (const to of imports.get(name) ?? []) if (!seen.has(to)) reached(to, seen.add(to));
      return seen;
    };
    expect(scripts.filter((name) => reached(name).has(name))).toEqual([]);
    expect(reached('app.js')).toContain('lane-scale.js');
  });
});
