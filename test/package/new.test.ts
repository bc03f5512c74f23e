import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'rxflume-new-'));
const run = promisify(execFile);
const made = ['operators/foo-bar.ts', 'test/operators/foo-bar.test.ts'];

function node(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, args, { cwd: copy, env: { ...process.env, NODE_OPTIONS: '' } });
}

beforeAll(async () => {
  const ignored = /^(node_modules|dist|coverage|warehouse|\..*)$/;
  for (const name of readdirSync(root)) {
    if (!ignored.test(name)) cpSync(root + name, join(copy, name), { recursive: true });
  }
  cpSync(`${root}.gitignore`, join(copy, '.gitignore'));
  symlinkSync(`${root}node_modules`, join(copy, 'node_modules'));
  await run('git', ['init', '-q'], { cwd: copy });
  await node('scripts/new.mjs', 'operator', 'fooBar');
}, 60_000);

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('npm run new -- operator fooBar', () => {
  test('makes an operator that passes lint', async () => {
    const files = [...made, 'operators/index.ts'];
    await node('node_modules/@biomejs/biome/bin/biome', 'check', ...files);
    await node('node_modules/eslint/bin/eslint.js', ...files);
  }, 120_000);

  test('makes an operator that passes the compiler', async () => {
    const config = { extends: './tsconfig.json', include: [], files: ['operators/index.ts', ...made] };
    writeFileSync(join(copy, 'tsconfig.new.json'), JSON.stringify(config));
    await node('node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.new.json');
  }, 180_000);

  test('makes an operator whose tests pass, and that the rules of the house accept', async () => {
    const jest = ['node_modules/jest/bin/jest.js', '--selectProjects', 'quick', 'system', '--ci', '-w', '1'];
    const only = ['-t', 'fooBar|the operators|has every operator'];
    const files = ['operators/foo-bar', 'test/architecture', 'docs/examples'];
    const { stderr } = await node('--experimental-vm-modules', ...jest, ...files, ...only);
    expect(stderr).toMatch(/Test Suites: 3 passed/);
    expect(stderr).toMatch(/Tests: +(\d+ skipped, )?[1-9]\d+ passed/);
  }, 180_000);

  test('rejects a name that is taken, and one that is no verb in camelCase', async () => {
    await expect(node('scripts/new.mjs', 'operator', 'fooBar')).rejects.toMatchObject({ code: 1 });
    await expect(node('scripts/new.mjs', 'operator', 'Foo-Bar')).rejects.toMatchObject({ code: 2 });
  });
});
