// npm run bench [-- <name>... options]: the suite of bench/main.ts, or some of its parts, or a bench that stands by itself
// in bench/<name>/main.ts. Each starts what it needs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name = '', ...options] = process.argv.slice(2);
const own = /^[a-z-]+$/.test(name) && existsSync(`${root}bench/${name}/main.ts`);
// What is measured is what is published.
const build = [['scripts/clean.mjs'], ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json']];
for (const command of build) {
  const built = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
const args = own ? [`${root}bench/${name}/main.ts`, ...options] : [`${root}bench/main.ts`, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, ['--import', 'tsx', ...args], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
