import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'rxflume-npm-'));
const file = join(root, 'test/package', `.npm-${process.pid}.ts`);
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
  rmSync(file, { force: true });
});

writeFileSync(join(work, 'package.json'), '{}');
writeFileSync(
  file,
  `import { fileSink, flow, kafkaSource, text } from 'rxflume';
import { filterValue } from 'rxflume/operators';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { localDisk } from 'rxflume/drivers/local-disk';
import { writeFileSync } from 'node:fs';
const folder = process.env.NPM_TEST_FOLDER;
const log = embeddedLog({ folder: folder + '/log', topics: ['chat'] });
if ((await log.recordCount('chat')) === 0) await log.append('chat', Array.from({ length: 50 }, (_, n) => 'line ' + n));
writeFileSync(folder + '/loading', '');
await new Promise((resolve) => setTimeout(resolve, Number(process.env.NPM_TEST_LOAD_MS)));
const lake = fileSink(localDisk(), { root: folder + '/lake', format: text() });
let read = 0;
const count = filterValue(() => {
  if (++read === 50) writeFileSync(folder + '/read', '');
  return true;
});
export default flow('npm', kafkaSource(log, { topics: ['chat'], groupId: 'g' }), count, lake.write());
`,
);

const command = `${process.execPath} --import ${root}node_modules/tsx/dist/loader.mjs ${root}src/cli/main.ts run ${file}`;
/** Some shells replace themselves by the last command of `-c`; the others end by the signal without passing it on. */
const SHELLS = { replaced: `exec ${command}`, 'that stays': `${command}; exit $?` };

const DRAINED = expect.stringMatching(/"draining".*npm drained after/s);

interface Ended {
  readonly said: string;
  /** Whether something was left running, and had to be killed. */
  readonly isStuck: boolean;
  readonly lines: number;
}

/** Runs npm, sends it alone SIGTERM once the flow file has written `moment`, and waits until all that it started has ended. */
async function terminated(
  npm: readonly string[],
  folder: string,
  loadMs: number,
  moment: 'loading' | 'read',
): Promise<Ended> {
  const tsconfig = { TSX_TSCONFIG_PATH: `${root}tsconfig.json` };
  const asked = { NPM_TEST_FOLDER: folder, NPM_TEST_LOAD_MS: String(loadMs) };
  const env = { ...process.env, NODE_OPTIONS: '', ...tsconfig, ...asked };
  const child = spawn('npm', npm, { cwd: work, env, detached: true });
  let said = '';
  let isStuck = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  const limit = setTimeout(() => {
    isStuck = true;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  }, 40_000);
  const watching = setInterval(() => {
    if (!existsSync(join(folder, moment))) return;
    clearInterval(watching);
    child.kill('SIGTERM');
  }, 20);
  // The flow shares npm's output, so this is after its end too.
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  clearInterval(watching);
  const lake = join(folder, 'lake');
  const files = existsSync(lake)
    ? readdirSync(lake, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.txt'))
    : [];
  return {
    said,
    isStuck,
    lines: files.reduce((sum, path) => sum + readFileSync(join(lake, path), 'utf8').split('\n').length - 1, 0),
  };
}

describe.each(Object.entries(SHELLS))('SIGTERM to npm alone, with a shell %s', (shell, script) => {
  const folderOf = (name: string) => mkdtempSync(join(work, `${name}-`));

  test('drains the flow of npm start', async () => {
    writeFileSync(join(work, 'package.json'), JSON.stringify({ scripts: { start: script } }));
    const ended = await terminated(['start'], folderOf('start'), 0, 'read');
    expect(ended).toEqual({ said: DRAINED, isStuck: false, lines: 50 });
  }, 60_000);

  test('drains the flow of npx', async () => {
    const npx = ['exec', '--offline', '-c', script];
    const ended = await terminated(npx, folderOf('exec'), 0, 'read');
    expect(ended).toEqual({ said: DRAINED, isStuck: false, lines: 50 });
  }, 60_000);

  test('ends a flow that is still loading', async () => {
    const folder = folderOf('load');
    const npx = ['exec', '--offline', '-c', script];
    // The signal has to come while the flow loads, where it ends it at once.
    const { said, isStuck } = await terminated(npx, folder, shell === 'replaced' ? 15_000 : 1_500, 'loading');
    expect([isStuck, said]).toEqual([false, shell === 'replaced' ? '' : DRAINED]);
  }, 60_000);
});
