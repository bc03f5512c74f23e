// What the console costs: CPU for a record from Kafka's bytes to a file, all in memory, with a page open and a tap running, beside the same with a
// console that no page is open at. Both sides are turns of one process: two processes that do the same differ by more than the bound, since they are
// compiled and laid out in memory by chance. npm run bench -- console [--records <n> --rounds <n> --processes <n>]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MOST_PERCENT = 3;
/** Let go of from memory before the next; enough that to open the page is a small part of a turn. */
const RECORDS_A_TURN = 750_000;
/** By then the optimizing compiler is done. */
const WARM_TURNS = 4;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1500000' },
    rounds: { type: 'string', default: '10' },
    processes: { type: 'string', default: '2' },
  },
});
const [records, rounds, processes] = [values.records, values.rounds, values.processes].map(Number) as [
  number,
  number,
  number,
];

interface Turn {
  readonly seconds: number;
  readonly snapshots: number;
  readonly values: number;
}

const ratios: number[] = [];
/** The least CPU of any turn, open and closed. */
const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
const sent = { snapshots: 0, values: 0 };
for (let nthProcess = 1; nthProcess <= processes; nthProcess += 1) {
  const child = await start();
  for (let turn = 0; turn < WARM_TURNS; turn += 1) await turnOf(child, RECORDS_A_TURN, turn % 2 === 0);
  for (let round = 1; round <= rounds; round += 1) {
    // In short turns, one after the other, and each side first in every other: what else the machine does meets both.
    const seconds = [0, 0];
    let nth = round;
    for (let left = records; left > 0; left -= RECORDS_A_TURN) {
      nth += 1;
      for (const at of nth % 2 === 0 ? [0, 1] : [1, 0]) {
        const turn = await turnOf(child, Math.min(left, RECORDS_A_TURN), at === 0);
        seconds[at] = (seconds[at] as number) + turn.seconds;
        least[at] = Math.min(least[at] as number, turn.seconds);
        sent.snapshots += turn.snapshots;
        sent.values += turn.values;
      }
    }
    const [open, closed] = seconds as [number, number];
    ratios.push(open / closed);
    const each = (of: number) => `${((of / records) * 1e9).toFixed(0)} ns`;
    console.log(
      `process ${nthProcess}, round ${round}: ${each(open)} a record with the page open, ${each(closed)} closed: ${percent(open / closed)}`,
    );
  }
  child.kill();
}

const sorted = [...ratios].sort((a, b) => a - b);
const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
const [leastOpen, leastClosed] = least as [number, number];
const isGood = at(0.5) <= 1 + MOST_PERCENT / 100 && sent.snapshots > 0 && sent.values > 0;
console.log(
  `\na page and a tap cost ${percent(at(0.5))} of CPU in the median of ${ratios.length} rounds (quartiles ${percent(at(0.25))} and ` +
    `${percent(at(0.75))}), ${percent(leastOpen / leastClosed)} between the quickest turns, with ${sent.snapshots} snapshots and ${sent.values} ` +
    `tapped values; at most ${MOST_PERCENT} % are allowed: ${isGood ? 'good' : 'TOO MUCH'}`,
);
process.exit(isGood ? 0 : 1);

async function start(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('side.ts', import.meta.url)), [], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  return child;
}

async function turnOf(child: ChildProcess, of: number, isOpen: boolean): Promise<Turn> {
  child.send({ records: of, isOpen });
  const [turn] = (await once(child, 'message')) as [Turn];
  return turn;
}

function percent(ratio: number): string {
  return `${((ratio - 1) * 100).toFixed(1)} %`;
}
