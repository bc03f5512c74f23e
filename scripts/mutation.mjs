// npm run mutation: changes the code below in small ways, one at a time, and asks whether a test fails. Each file is tried
// against the tests that are there for it, not against those that play whole flows through thousands of schedules.
//   npm run mutation                     all of it, which takes hours
//   npm run mutation -- batch ledger     the files whose paths hold one of these words
//   npm run mutation -- --report         what the last runs found, without running anything
// What was tried before is tried again only where the file or its tests have changed. Prints a row a file and what
// survived; fails where fewer than 85 % of the changes were noticed, or a file was never tried.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const LEAST_SCORE = 85;

/** What is tried, and where its tests are: in those of its own name, and in these. */
const files = {
  ...Object.fromEntries(
    readdirSync(join(root, 'operators'))
      .filter((file) => file !== 'index.ts')
      .map((file) => [`operators/${file.slice(0, -3)}`, ['delivery/delivery-operator']]),
  ),
  'src/backpressure/backoff': ['operators/retry-*'],
  'src/delivery/branches': ['operators/{balance,failover,route-by,tee}'],
  'src/backpressure/circuit-breaker': ['operators/failover'],
  'src/delivery/flush-listeners': ['operators/{aggregate-by-key,batch,dedupe-by,rate-limit}'],
  'src/delivery/ack-group': [],
  'src/backpressure/run-keyed': ['operators/{map-value-async,transmit}'],
  'src/delivery/join': ['operators/batch'],
  'src/delivery/retained-deliveries': ['operators/{balance,failover}'],
  'src/delivery/leak-detector': ['flow/watched'],
  'src/offsets/seq-set': [],
  'src/core/queue': [],
  'src/offsets/commit-horizon': [],
  'src/offsets/nack-policy': [],
  'src/delivery/nack-errors': ['operators/{retry-write,transmit,map-value-async}'],
  'src/offsets/nack-counter': [],
  'src/delivery/fan-out-acker': ['operators/tee'],
  'src/delivery/optional-acker': ['operators/tee'],
  'src/delivery/split': ['operators/split-value'],
  'src/lifecycle/subscribe-ordered': ['operators/{split-value,rate-limit}'],
  'src/delivery/fan-out-state': ['operators/{tee,timeout-unsettled}'],
  'src/backpressure/keyed-queue': [],
  'src/offsets/contiguous-prefix': [],
  'src/backpressure/in-flight-sizes': [],
  'src/offsets/watermark': [],
  'src/backpressure/in-flight-window': [],
  'src/lifecycle/commit-gate': [],
  'src/lifecycle/time-limit': ['operators/transmit'],
  'src/lifecycle/settling': ['sources/kafka/settling'],
  'src/lifecycle/source-lifecycle': [],
  'src/lifecycle/batcher': [],
  'src/lifecycle/reconnect': [],
  'src/sources/kafka/assignment': [],
  'src/sources/kafka/commit-scheduler': [],
  'src/sources/kafka/emitter': [],
  'src/sources/kafka/partition': [],
  'src/sources/kafka/rewinding': ['sources/kafka/nacked-error', 'sources/kafka/kafka-source', 'sources/kafka/guards'],
  'src/sinks/files/buckets/bucket': [],
  'src/sinks/files/ledger/rules': [],
  'src/sinks/files/ledger/entry': [],
  'src/sinks/files/ledger/lengths': [],
  'src/sinks/files/names': [],
  'src/sinks/files/writer/segment': ['sinks/files/file-sink'],
  'src/sinks/files/buckets/time-pattern': [],
};

const folder = join(root, '.stryker');
const reportOf = (file) => join(folder, 'reports', `${file.replaceAll('/', '+')}.json`);

function run(file, tests) {
  const mirrored = file.replace(/^src\//, '');
  const result = spawnSync('npx', ['stryker', 'run', '--mutate', `${file}.ts`], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      RXFLUME_MUTATION_TESTS: JSON.stringify([mirrored, ...tests].map((test) => `<rootDir>/test/${test}.test.ts`)),
      RXFLUME_MUTATION_REPORT: reportOf(file),
      RXFLUME_MUTATION_STATE: join(folder, 'states', `${file.replaceAll('/', '+')}.json`),
    },
  });
  if (result.status !== 0) console.error(`${file} could not be tried:\n${result.stdout}\n${result.stderr}`);
}

/** A file's mutants as the last run left them; those that were ignored are none. */
function mutantsOf(file) {
  if (!existsSync(reportOf(file))) return undefined;
  const { files: tried } = JSON.parse(readFileSync(reportOf(file), 'utf8'));
  return Object.values(tried)
    .flatMap(({ mutants, source }) => mutants.map((mutant) => ({ ...mutant, lines: source.split('\n') })))
    .filter(({ status }) => ['Killed', 'Timeout', 'Survived', 'NoCoverage'].includes(status));
}

const words = process.argv.slice(2);
const isReport = words[0] === '--report';
const chosen = Object.keys(files).filter(
  (file) => isReport || words.length === 0 || words.some((word) => file.includes(word)),
);
mkdirSync(join(folder, 'reports'), { recursive: true });
mkdirSync(join(folder, 'states'), { recursive: true });

let [noticed, all, missing] = [0, 0, 0];
for (const file of chosen) {
  if (!isReport) run(file, files[file]);
  const mutants = mutantsOf(file);
  if (mutants === undefined) {
    missing += 1;
    console.log(`   –             ${file}`);
    continue;
  }
  const survivors = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  noticed += mutants.length - survivors.length;
  all += mutants.length;
  console.log(row(mutants.length - survivors.length, mutants.length, file));
  if (isReport) continue;
  for (const { status, location, mutatorName, replacement, lines } of survivors) {
    const { line, column } = location.start;
    console.log(
      `    ${file}.ts:${line}:${column} ${status} ${mutatorName}: ${lines[line - 1].trim()}  →  ${replacement}`,
    );
  }
}
console.log(row(noticed, all, 'all together'));
process.exitCode = missing > 0 || noticed * 100 < LEAST_SCORE * all ? 1 : 0;

function row(part, whole, name) {
  const score = whole === 0 ? '–' : ((part * 100) / whole).toFixed(1);
  return `${score.padStart(5)} %  ${String(part).padStart(4)}/${String(whole).padEnd(4)}  ${name}`;
}
