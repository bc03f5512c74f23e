// npm run chaos -- --help: the proof that records land exactly once, whatever fails.
import { proveClusters } from './cluster/main.js';
import { type Options, readOptions, USAGE } from './options.js';
import { table } from './report.js';
import { type Outcome, runOnce } from './run.js';
import { findServices } from './services.js';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (!stop.signal.aborted) console.log(`\n${name}: ending what was started`);
    stop.abort();
  });
}

let options: Options | null;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
const code =
  options === null ? help() : options.cluster ? await proveClusters(options, stop.signal) : await prove(options);
// Clients that a broker's end has broken would keep the program; what was printed must be out before it ends.
process.stdout.write('', () => process.exit(code));

function help(): number {
  console.log(USAGE);
  return 0;
}

async function prove(options: Options): Promise<number> {
  const { runs, seed, kills, seconds, records } = options;
  console.log(`seed ${seed}, runs ${runs}, each with ${records} records and ${kills} kills in ${seconds} s`);
  const outcomes: Outcome[] = [];
  let isWhole = true;
  try {
    const addresses = await findServices();
    for (let run = 0; run < runs && !stop.signal.aborted; run += 1) {
      console.log(`run ${run + 1} of ${runs}, seed ${seed + run}`);
      outcomes.push(await runOnce(seed + run, options, addresses, stop.signal, console.log));
    }
  } catch (error) {
    isWhole = false;
    if (!stop.signal.aborted) console.log(`  seed ${seed + outcomes.length} failed:`, error);
    // What a fault took down stays up for others.
    await findServices().catch((reason: unknown) => console.log('  the services are not up again:', reason));
  }
  const { lines, isProven } = table(outcomes);
  console.log(lines.join('\n'));
  if (stop.signal.aborted) return 130;
  return isProven && isWhole ? 0 : 1;
}
