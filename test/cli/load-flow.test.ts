import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { errorPlace } from '../../src/cli/error-place.js';
import { aliasesOf } from '../../src/cli/path-aliases.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rxflume-load-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let projects = 0;

/** The paths of a name in a project with these files, from its root. */
function aliases(files: Readonly<Record<string, string>>, specifier: string, importer = 'src/flow.ts'): string[] {
  projects += 1;
  const project = join(folder, String(projects));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
  return aliasesOf(specifier, join(project, importer)).map((path) => path.slice(project.length + 1));
}

const config = (compilerOptions: object, more: object = {}) => JSON.stringify({ ...more, compilerOptions });

describe('aliasesOf', () => {
  const paths = { '@/*': ['./src/*', './gen/*'], '@/lib/*': ['lib/*'], exact: ['a/b.ts'], '*.css': ['styles/*.ts'] };
  const files = { 'tsconfig.json': config({ paths }) };

  it.each([
    ['@/a/b', ['src/a/b', 'gen/a/b']],
    ['@/lib/x', ['lib/x']],
    ['exact', ['a/b.ts']],
    ['exactly', []],
    ['x.css', ['styles/x.ts']],
    ['rxjs', []],
    ['node:fs', []],
    ['/etc/x', []],
    ['@/$&', ['src/$&', 'gen/$&']],
  ])('of %s are %j: an exact name first, then the longest begin', (specifier, found) => {
    expect(aliases(files, specifier)).toEqual(found);
  });

  it('are relative to the configuration that has them, or to its baseUrl', () => {
    const base = { 'shared/base.json': config({ baseUrl: './root', paths: { 'x/*': ['./*'] } }) };
    expect(aliases({ ...base, 'tsconfig.json': '{ "extends": "./shared/base" }' }, 'x/y')).toEqual(['shared/root/y']);
    const two = { ...base, 'other.json': config({ paths: { 'x/*': ['o/*'] } }) };
    const several = JSON.stringify({ extends: ['./shared/base.json', './other.json'] });
    expect(aliases({ ...two, 'tsconfig.json': several }, 'x/y')).toEqual(['o/y']);
  });

  it('are of the nearest configuration, and of packages that it extends', () => {
    const near = { ...files, 'packages/a/tsconfig.json': config({ paths: { near: ['n.ts'] } }) };
    expect(aliases(near, 'near', 'packages/a/src/x.ts')).toEqual(['packages/a/n.ts']);
    expect(aliases(near, 'exact', 'packages/a/src/x.ts')).toEqual([]);
    const packed = {
      'node_modules/@acme/tsconfig/package.json': '{}',
      'node_modules/@acme/tsconfig/tsconfig.json': config({ paths: { p: ['./p.ts'] } }),
      'tsconfig.json': '{ "extends": "@acme/tsconfig/tsconfig.json" }',
    };
    expect(aliases(packed, 'p')).toEqual(['node_modules/@acme/tsconfig/p.ts']);
  });

  it('are found behind comments and commas, and not in text that looks like them', () => {
    const text = '\uFEFF{ // a\n "compilerOptions": { /* "b" */ "paths": { "a//b/*": ["x,]/*",], }, }, }';
    expect(aliases({ 'tsconfig.json': text }, 'a//b/c')).toEqual(['x,]/c']);
    const plain = '{ // a "quoted"\n "compilerOptions": { "paths": { "http/*": ["x//y/*", ], }, }, }';
    expect(aliases({ 'tsconfig.json': plain }, 'http/z')).toEqual(['x/y/z']);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', '{}'],
    ['a circle', '{ "extends": "./tsconfig.json" }'],
    ['a base that is missing', '{ "extends": "./none.json" }'],
    ['a package that is missing', '{ "extends": "@none/none" }'],
  ])('are none where the configuration is %s', (_, text) => {
    expect(aliases({ 'tsconfig.json': text }, 'x')).toEqual([]);
  });
});

describe('errorPlace', () => {
  const placeOf = (stack: string, cwd = '/home/me/app') => errorPlace(Object.assign(new Error('x'), { stack }), cwd);

  it.each([
    ['Error: x\n    at f (file:///home/me/app/flow.ts:6:9)', 'flow.ts:6:9'],
    ['Error: x\n    at file:///home/me/app/src/a%20b.ts:8:1', 'src/a b.ts:8:1'],
    ['Error: x\n    at async /home/me/app/flow.ts:8:1', 'flow.ts:8:1'],
    ['/home/me/app/flow.ts:3\n\nexport (;\n\nSyntaxError: x\n    at f (node:internal/x:1:2)', 'flow.ts:3'],
    ['Error: Failed:\n/home/me/app/flow.ts:3:16: ERROR: Unexpected ";"', 'flow.ts:3:16'],
    ['Error: x\n    at f (/home/me/app/node_modules/a/b.js:1:2)\n    at g (/home/me/app/c.ts:5:6)', 'c.ts:5:6'],
    ['Error: x\n    at g (file:///srv/other/c.ts?v=1:5:6)', '/srv/other/c.ts:5:6'],
    ['Error: x\n    at g (node:internal/a:5:6)\n    at <anonymous>', undefined],
    ['Error: x', undefined],
  ])('of %j is %s', (stack, place) => {
    expect(placeOf(stack)).toBe(place);
  });

  it('is that of the cause, and never a frame of this package', () => {
    const cause = Object.assign(new Error('x'), { stack: 'Error: x\n    at f (/home/me/app/c.ts:5:6)' });
    // Made here, in the source of this package's tests, by a function of this package.
    const own = Object.assign(new Error('y', { cause }), {
      stack: `Error: y\n    at f (${process.cwd()}/src/cli/run.ts:1:2)`,
    });
    expect(errorPlace(own, '/home/me/app')).toBe('c.ts:5:6');
    expect(errorPlace('text', '/')).toBeUndefined();
  });

  it('ends where errors are the causes of each other', () => {
    const one = Object.assign(new Error('a'), { stack: '' });
    one.cause = one;
    expect(errorPlace(one, '/')).toBeUndefined();
  });
});
