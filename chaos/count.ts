import { listLake, readLake, verifyLedger } from './lake.js';
import type { Stage } from './stage.js';
import { filesOf, judge, type Landed } from './verdict.js';

export interface Counts {
  readonly records: number;
  readonly files: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly foreign: number;
  readonly orphans: number;
}

const SHOWN = 5;

/** Counts what landed, by readers that are none of ours, and says which records, files and offsets are concerned. */
export async function count({ options, addresses, topic, lake, stop, say, complaints }: Stage): Promise<Counts> {
  const records = await topic.read(stop);
  const missing = options.records - new Set(records.map(({ n }) => n)).size;
  if (missing !== 0) complaints.push(`${missing} records never reached the topic: the harness itself failed`);

  const { lost, duplicated, foreign } = judge(records, await readLake(lake, options.format, stop));
  const { finals, orphans } = await listLake(lake, stop);
  const url = `webhdfs://${new URL(addresses.nameNodeUrl).host}${lake}`;
  const complaint = options.atLeastOnce ? null : await verifyLedger(url);
  if (complaint !== null) complaints.push(`rxflume ledger: ${complaint}`);

  const lines = [
    ...lost.slice(0, SHOWN).map((record) => `lost: ${concerned(record, finals)}`),
    ...duplicated.slice(0, SHOWN).map((record) => `duplicated: ${concerned(record, finals)}`),
    ...foreign.slice(0, SHOWN).map((line) => `foreign: ${line.slice(0, 200)}`),
    ...orphans.slice(0, SHOWN).map((file) => `orphan: ${file}`),
    ...complaints,
  ];
  for (const line of lines) say(`  ${line}`);
  return {
    records: records.length,
    files: finals.length,
    lost: lost.length,
    duplicated: duplicated.length,
    foreign: foreign.length,
    orphans: orphans.length,
  };
}

function concerned(record: Landed, files: readonly string[]): string {
  const { n, stream, offset } = record;
  return `${n}, which is ${stream} offset ${offset}, in ${filesOf(record, files).join(' and ') || 'no file'}`;
}
