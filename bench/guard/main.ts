// The guard against sliding back: what one record allocates on its way from a fetch to a file, and how often the ports are
// called for it. Counts, which do not depend on the machine, with wide bounds.
import { Session } from 'node:inspector/promises';
import { pass } from './path.js';

const RECORDS = 100_000;
/** By then the optimizing compiler is done. */
const WARM_RECORDS = 400_000;
const SAMPLE_BYTES = 4_096;
const MAX_SHOWN = 8;

/** What it takes now is 390 and 1.4; a promise for each record makes it 600, kafkajs's own decoder 1,550. */
const MAX_BYTES_A_RECORD = 520;
const MAX_CALLS_A_THOUSAND = 3;

interface Site {
  readonly selfSize: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children: readonly Site[];
}

const session = new Session();
session.connect();
await pass(WARM_RECORDS);
// Samples what is allocated, also what is garbage by the end.
const whole = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_BYTES, ...whole });
const { records, calls } = await pass(RECORDS);
const { profile } = await session.post('HeapProfiler.stopSampling');

const sites = new Map<string, number>();
const visit = ({ callFrame, selfSize, children }: Site): void => {
  const name = `${callFrame.functionName || '(anonymous)'} ${callFrame.url.split('/').at(-1)}`;
  sites.set(name, (sites.get(name) ?? 0) + selfSize);
  children.forEach(visit);
};
visit(profile.head as Site);
const bytes = [...sites.values()].reduce((sum, size) => sum + size, 0) / records;
const perThousand = (calls / records) * 1_000;

console.log(`allocated for each record: ${bytes.toFixed(0)} bytes (at most ${MAX_BYTES_A_RECORD})`);
console.log(`port calls for 1,000 records: ${perThousand.toFixed(1)} (at most ${MAX_CALLS_A_THOUSAND})`);
const isGood = bytes <= MAX_BYTES_A_RECORD && perThousand <= MAX_CALLS_A_THOUSAND && records === RECORDS;
if (!isGood) {
  console.log(
    `\nTOO MUCH for a record (${records} of ${RECORDS} came through). What allocates most, in bytes for each:`,
  );
  const most = [...sites].sort((a, b) => b[1] - a[1]).slice(0, MAX_SHOWN);
  for (const [name, size] of most) console.log(`  ${(size / records).toFixed(0).padStart(5)}  ${name}`);
}
process.exit(isGood ? 0 : 1);
