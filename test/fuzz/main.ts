import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fuzz, type Report } from './run.js';
import { TARGETS } from './targets.js';

const USAGE = 'npm run fuzz -- <decoder|all> [--seconds 60] [--seed 1]';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
});
const [name = 'all'] = positionals;
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
const target = TARGETS.find((one) => one.name === name);

if (target !== undefined) {
  const report = await fuzz(target, { seed, inputs: Number.POSITIVE_INFINITY, forMs: seconds * 1_000 });
  process.stdout.write(`${line(report)}\n`);
} else if (name === 'all') {
  // Each in a process of its own: its memory is measured, and one that hangs is ended.
  for (const { name: one } of TARGETS) {
    const given = [
      ...process.execArgv,
      import.meta.filename,
      one,
      '--seconds',
      String(seconds),
      '--seed',
      String(seed),
    ];
    const { status } = spawnSync(process.execPath, given, { stdio: 'inherit', timeout: (seconds + 60) * 1_000 });
    if (status === 0) continue;
    process.stderr.write(
      `${one}: ${status === null ? 'hung, and was ended' : 'failed'}. Run it alone with the seed ${seed}.\n`,
    );
    process.exitCode = 1;
  }
} else {
  process.stderr.write(`${USAGE}\nDecoders: ${TARGETS.map((one) => one.name).join(', ')}\n`);
  process.exitCode = 2;
}

function line({ name: of, inputs, errors, values: read, slowestMs, grownMiB }: Report): string {
  return `${of.padEnd(20)} ${inputs} inputs, ${errors} errors, ${read} values, slowest ${slowestMs.toFixed(1)} ms, +${grownMiB.toFixed(0)} MiB`;
}
