// node scripts/check-package.mjs <tarball>: what publint and "are the types wrong?" find in a package as it would be published.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [tarball] = process.argv.slice(2);
if (tarball === undefined) {
  console.error('Usage: node scripts/check-package.mjs <tarball>');
  process.exit(2);
}

/** attw looks into no pattern such as `./drivers/*`, so these are named. */
const drivers = [
  'amqplib',
  'avro-rpc',
  'embedded-log',
  'kafkajs',
  'local-disk',
  'stdio',
  'undici',
  'webhdfs',
  'webhdfs-package',
];
const checks = [
  ['publint/src/cli.js', 'run', '--strict', tarball],
  [
    '@arethetypeswrong/cli/dist/index.js',
    ...[tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color'],
    ...['--include-entrypoints', ...drivers.map((driver) => `drivers/${driver}`)],
  ],
];
for (const [command, ...args] of checks) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', command), ...args], {
    encoding: 'utf8',
  });
  if (status === 0) continue;
  console.error(`${command.split('/src')[0].split('/dist')[0]} finds fault with ${tarball}:\n${stdout}${stderr}`);
  process.exitCode = 1;
}
