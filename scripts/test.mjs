// npm test: types, lint, the documentation as a site, the reports of the public surface, the quick tests, those of processes,
// the compiler and sockets, the package as it would be published, the guard against slowing down, then the proofs, and the live
// tests and a short chaos run against real services.
//   npm test              all of it
//   npm test -- --quick   without the proofs, the live tests and chaos
// The services are started where they are not up, and stopped again where this started them. Where they cannot be
// started the live tests are skipped loudly; with CI=true that is a failure.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const services = join(root, 'scripts/services');
const isCi = process.env.CI === 'true';
const options = process.argv.slice(2);
if (options.some((option) => option !== '--quick')) {
  console.error('Usage: npm test [-- --quick]\nOne test file: npm run unit -- <path>, npm run live -- <path>');
  process.exit(2);
}

const results = mkdtempSync(join(tmpdir(), 'rxflume-test-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
let hasFailed = false;

function heading(text) {
  console.log(`\n== ${text}`);
}

/** Runs a command to its end; its output is shown when it has ended, whole, so that two may run side by side. */
function step(name, command, args, env = {}) {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('close', (code) => {
      heading(
        `${name}: ${code === 0 ? 'ok' : `FAILED (exit ${code})`} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
      );
      if (code !== 0 || process.env.VERBOSE) process.stdout.write(output);
      if (code !== 0) hasFailed = true;
      resolve(code === 0);
    });
  });
}

function jest(project, args = [], env = {}) {
  const file = join(results, `${project}.json`);
  const startedAt = Date.now();
  heading(`${project} tests`);
  const { status } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--selectProjects',
      project,
      '--json',
      `--outputFile=${file}`,
      ...args,
    ],
    { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    counts.passed += report.numPassedTests;
    counts.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
    counts.skipped += report.numPendingTests + report.numTodoTests;
  } catch {
    counts.failed += 1;
  }
  if (status !== 0) hasFailed = true;
  console.log(`${project} tests took ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

function servicesEnv() {
  const { stdout } = spawnSync(services, ['status', '--env'], { encoding: 'utf8' });
  const env = {};
  for (const line of (stdout ?? '').split('\n')) {
    const match = /^(?:export )?([A-Z_]+)=(.*)$/.exec(line.trim());
    if (match !== null) env[match[1]] = match[2].replace(/^(['"])(.*)\1$/, '$2');
  }
  return env;
}

async function live() {
  const wereUp = spawnSync(services, ['status'], { stdio: 'ignore' }).status === 0;
  heading(`services: ${wereUp ? 'up already' : 'starting'}`);
  const up = spawnSync(services, ['up'], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (up.status !== 0) {
    console.log(
      '\n!! THE LIVE TESTS WERE SKIPPED: the services cannot be started (see above). They need a Docker engine, or Java 17 and\n' +
        '!! Maven: on Debian `apt-get install openjdk-17-jre-headless maven`. Then: scripts/services up && npm run live',
    );
    if (isCi) hasFailed = true;
    return;
  }
  const hasRabbitmq =
    spawnSync(services, ['install', 'rabbitmq'], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  if (!hasRabbitmq) {
    console.log('\n!! THE LIVE TESTS WITH RABBITMQ WERE SKIPPED: it is not installed (see above).');
    if (isCi) hasFailed = true;
  }
  // Flume agents are Java processes also where the rest runs in Docker.
  const hasFlume = spawnSync(services, ['install', 'flume'], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  if (!hasFlume) {
    console.log('\n!! THE LIVE TESTS WITH FLUME AGENTS WERE SKIPPED: they need Java 17 and Maven (see above).');
    if (isCi) hasFailed = true;
  }
  try {
    jest('live', ['--runInBand'], {
      ...servicesEnv(),
      ...(hasFlume ? {} : { RXFLUME_FLUME: 'missing' }),
      ...(hasRabbitmq ? {} : { RXFLUME_RABBITMQ: 'missing' }),
    });
    const isProven = await step('chaos', process.execPath, ['--import', 'tsx', 'chaos/main.ts', '--short']);
    counts[isProven ? 'passed' : 'failed'] += 1;
    const minutes = process.env.RXFLUME_CHAOS_CLUSTER_MINUTES;
    if (minutes) {
      const args = ['--import', 'tsx', 'chaos/main.ts', '--cluster', '--seed', '1', '--minutes', minutes];
      counts[(await step('chaos in clusters', process.execPath, args)) ? 'passed' : 'failed'] += 1;
    }
  } finally {
    if (!wereUp) spawnSync(services, ['down'], { stdio: 'inherit' });
  }
}

try {
  await Promise.all([
    step('types', 'npm', ['run', '-s', 'types']),
    step('format and lint', 'npm', ['run', '-s', 'lint']),
    step('documentation', 'npm', ['run', '-s', 'docs']),
    step('public surface', 'npm', ['run', '-s', 'api']),
  ]);
  jest('quick');
  jest('system');
  jest('package');
  const isLean = await step('what a record allocates', process.execPath, ['--import', 'tsx', 'bench/guard/main.ts']);
  counts[isLean ? 'passed' : 'failed'] += 1;
  if (options.includes('--quick')) {
    heading('proofs and live tests: not asked for');
  } else {
    jest('proof');
    await live();
  }
} finally {
  rmSync(results, { recursive: true, force: true });
}
console.log(`\ntests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = hasFailed ? 1 : 0;
