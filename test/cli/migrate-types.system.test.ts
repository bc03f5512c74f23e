import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { migrate } from '../../src/cli/migrate/migrate.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = fileURLToPath(new URL('agents', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'rxflume-migrate-'));

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Migrates an agent into a folder of the work, and returns the exit code. */
function write(file: string): number {
  const name = basename(file, '.conf');
  const asked = {
    file: join(FOLDER, file),
    agent: 'a1',
    out: join(work, name),
    print: 'summary',
    isForced: true,
  } as const;
  const quiet = { write: () => undefined };
  return migrate(asked, { out: quiet, err: { write: (text: string) => expect(text).toBe('') }, cwd: work });
}

/** What the compiler says, by the file that it says it of. */
async function complaints(): Promise<Map<string, string[]>> {
  const compilerOptions = {
    noEmit: true,
    rootDir: '/',
    typeRoots: [join(ROOT, 'node_modules/@types')],
    skipLibCheck: true,
  };
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions,
    include: ['**/*.ts', join(ROOT, 'src/**/*.d.ts')],
    exclude: [],
  };
  symlinkSync(join(ROOT, 'node_modules'), join(work, 'node_modules'));
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '--pretty', 'false', '-p', work];
  const run = promisify(execFile)(process.execPath, args, { cwd: work, maxBuffer: 16 * 1_024 * 1_024 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const found = new Map<string, string[]>();
  for (const [, file = '', message = ''] of stdout.matchAll(/^([^\s(]+)\(\d+,\d+\): error (.*)$/gm)) {
    found.set(file, [...(found.get(file) ?? []), message]);
  }
  return found;
}

it('writes flows that load, each with what it guarantees', async () => {
  const whole = readdirSync(FOLDER)
    .filter((file) => write(file) === 0)
    .map((file) => basename(file, '.conf'));
  const files = whole.flatMap((name) =>
    readdirSync(join(work, name))
      .filter((file) => /^a1-\w+\.ts$/.test(file))
      .map((file) => join(work, name, file)),
  );
  const args = [
    '--import',
    join(ROOT, 'node_modules/tsx/dist/loader.mjs'),
    join(ROOT, 'src/cli/main.ts'),
    'check',
    ...files,
  ];
  const env: NodeJS.ProcessEnv = { ...process.env, KAFKA_BROKERS: 'b1:9092', KAFKA_PASSWORD: 'p', TEAM: 't' };
  for (const file of readdirSync(FOLDER)) {
    const names = readFileSync(join(FOLDER, file), 'utf8').matchAll(/\$\{env:(CMP_\w+)\}/g);
    for (const [, name = ''] of names) env[name] = /DIR|ROOT/.test(name) ? '/compared' : '4141';
  }
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: ROOT,
    env,
    maxBuffer: 16 * 1_024 * 1_024,
  });
  const levels = stdout.match(/^a1-\w+: (?:exactly|at least|at most) once/gm) ?? [];
  expect(levels).toHaveLength(files.length);
}, 120_000);

it('writes flows that type-check, but for what is to be written by hand', async () => {
  const codes = new Map(readdirSync(FOLDER).map((file) => [basename(file, '.conf'), write(file)]));
  const found = await complaints();
  const withGaps = [...codes].filter(([, code]) => code === 1).map(([name]) => name);
  // Each agent with a gap is complained of; its test may be, too, since a gap has no type.
  const complained = new Set([...found.keys()].map((file) => basename(dirname(file))));
  expect([...complained].sort()).toEqual(withGaps.sort());
  for (const [file, messages] of found) {
    if (file.endsWith('.test.ts')) continue;
    for (const message of messages)
      expect(`${file}: ${message}`).toMatch(/not assignable to parameter of type 'never'/);
  }
}, 120_000);
