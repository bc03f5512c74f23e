// npm start: the first run, from an embedded log to ./warehouse, on a machine with only Node.
//   npm start -- --services    the same flow from Kafka to HDFS, started by scripts/services
//   other options go to `rxflume run`, such as --until-idle 2000
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const options = process.argv.slice(2);
const isOnServices = options.includes('--services');
const env = { ...process.env };

if (!existsSync(at('dist/src/cli/main.js'))) {
  console.error('rxflume is not built. Run: npm ci');
  process.exit(1);
}
if (isOnServices) {
  const up = spawnSync(at('scripts/services'), ['up', 'kafka', 'hdfs'], { stdio: 'inherit' });
  if (up.status !== 0) process.exit(up.status ?? 1);
  const { stdout } = spawnSync(at('scripts/services'), ['status', '--env'], { encoding: 'utf8' });
  for (const [, name, value] of stdout.matchAll(/^(?:export )?([A-Z_]+)=['"]?([^'"\n]*)['"]?$/gm)) env[name] = value;
}

const flow = at(`examples/first-run/${isOnServices ? 'services' : 'embedded'}.ts`);
const rest = options.filter((option) => option !== '--services');
const child = spawn(process.execPath, [at('dist/src/cli/main.js'), 'run', flow, ...rest], { stdio: 'inherit', env });
// The terminal sends its signals to both; others send them only here.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGTERM'));
process.on('SIGINT', () => undefined);
// npm passes a signal to the shell between, and some shells end by it without passing it on.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref();
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
