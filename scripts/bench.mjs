// npm run bench -- <name> [options]: runs bench/<name>/main.ts, which starts what it needs.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...options] = process.argv.slice(2);
const names = readdirSync(`${root}bench`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
if (name === undefined || !existsSync(`${root}bench/${name}/main.ts`)) {
  console.error(`Usage: npm run bench -- <name> [options]; there are: ${names.join(', ')}`);
  process.exit(2);
}
const { status } = spawnSync(process.execPath, ['--import', 'tsx', `${root}bench/${name}/main.ts`, ...options], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
