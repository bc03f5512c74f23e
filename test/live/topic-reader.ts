import { services } from './support.js';

const QUIET_MS = 5_000;

/**
 * The numbers in a topic, in order of arrival within each partition; committed records only. By Kafka's console consumer,
 * which is none of ours, and which ends when nothing has come for a while: what comes twice may come last.
 */
async function read(topic: string): Promise<number[]> {
  const committedOnly = ['--from-beginning', '--isolation-level', 'read_committed'];
  const text = await services('kafka-read', '--topic', topic, ...committedOnly, '--timeout-ms', `${QUIET_MS}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { n: number }).n);
}

/** How often each number is in a topic, for a reader of committed records. */
export async function readCommitted(topic: string): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  for (const n of await read(topic)) seen.set(n, (seen.get(n) ?? 0) + 1);
  return seen;
}

/** The numbers in a topic, in order of arrival; at least so many. */
export async function readAll(topic: string, least: number): Promise<number[]> {
  const all = await read(topic);
  if (all.length < least) throw new Error(`${topic} holds ${all.length} records, and not ${least}`);
  return all;
}
