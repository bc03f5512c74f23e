import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly resolved?: string }>>;
};
const installed = Object.entries(lock.packages).filter(([path]) => path !== '');

test('every package of the lock file has its integrity, and none the address of a registry', () => {
  expect(installed.length).toBeGreaterThan(100);
  expect(
    installed.filter(([, { integrity }]) => !/^sha512-.{86}==$/.test(integrity ?? '')).map(([path]) => path),
  ).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
});
