// What metrics cost: CPU for a record from Kafka's bytes to a file, all in memory, with all metrics measured, and read every million records, beside
// the same without any. npm run bench -- metrics [--records <n> --rounds <n> --processes <n>]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Of the real path from Kafka to HDFS it is less: there a record also costs sockets, and compression. */
const MOST_PERCENT = 2;
/** Let go of from memory before the next. */
const RECORDS_A_TURN = 250_000;
/** By then the optimizing compiler is done. */
const WARM_TURNS = 4;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '3000000' },
    rounds: { type: 'string', default: '5' },
    processes: { type: 'string', default: '3' },
  },
});
const [records, rounds, processes] = [values.records, values.rounds, values.processes].map(Number) as [
  number,
  number,
  number,
];

const ratios: number[] = [];
/** The least CPU of any turn, with and without. */
const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
for (let pair = 1; pair <= processes; pair += 1) {
  const sides = [await start('on'), await start('off')] as const;
  for (let turn = 0; turn < WARM_TURNS; turn += 1) for (const side of sides) await cpuOf(side, RECORDS_A_TURN);
  for (let round = 1; round <= rounds; round += 1) {
    // In short turns, always one after the other: a process that goes on at once finds its caches warm.
    const seconds = [0, 0];
    for (let left = records; left > 0; left -= RECORDS_A_TURN) {
      for (const [at, side] of sides.entries()) {
        const turn = await cpuOf(side, Math.min(left, RECORDS_A_TURN));
        seconds[at] = (seconds[at] as number) + turn;
        least[at] = Math.min(least[at] as number, turn);
      }
    }
    const [on, off] = seconds as [number, number];
    ratios.push(on / off);
    const each = (of: number) => `${((of / records) * 1e9).toFixed(0)} ns`;
    console.log(
      `processes ${pair}, round ${round}: ${each(on)} a record with, ${each(off)} without: ${percent(on / off)}`,
    );
  }
  for (const side of sides) side.kill();
}

const sorted = [...ratios].sort((a, b) => a - b);
const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
const [leastOn, leastOff] = least as [number, number];
const isGood = at(0.5) <= 1 + MOST_PERCENT / 100;
console.log(
  `\nmetrics cost ${percent(at(0.5))} of CPU in the median of ${ratios.length} rounds (quartiles ${percent(at(0.25))} and ` +
    `${percent(at(0.75))}), ${percent(leastOn / leastOff)} between the quickest turns; at most ${MOST_PERCENT} % are allowed: ${isGood ? 'good' : 'TOO MUCH'}`,
);
process.exit(isGood ? 0 : 1);

async function start(side: 'on' | 'off'): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('side.ts', import.meta.url)), [side], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  return child;
}

async function cpuOf(child: ChildProcess, of: number): Promise<number> {
  child.send(of);
  const [seconds] = (await once(child, 'message')) as [number];
  return seconds;
}

function percent(ratio: number): string {
  return `${((ratio - 1) * 100).toFixed(1)} %`;
}
