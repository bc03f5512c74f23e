import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const services = fileURLToPath(new URL('../../scripts/services', import.meta.url));

export type Properties = Readonly<Record<string, string | number>>;

/** Starts an agent on properties without its name; its metrics are at the port. */
export async function startAgent(
  folder: string,
  name: string,
  properties: Properties,
  metricsPort: number,
): Promise<void> {
  const file = join(folder, `${name}.properties`);
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${name}.${key} = ${value}\n`)
      .join(''),
  );
  await promisify(execFile)(services, ['flume', 'start', name, file, String(metricsPort)]);
}

export function stopAgent(name: string): void {
  execFileSync(services, ['flume', 'stop', name], { stdio: ['ignore', 'ignore', 'inherit'] });
}

export function pidOf(name: string): number {
  return Number(execFileSync(services, ['flume', 'pid', name], { encoding: 'utf8' }));
}

/** The events an agent's Avro source has taken. */
export async function accepted(metricsPort: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const metrics = (await answer.json()) as Record<string, Record<string, string>>;
  return Number(metrics['SOURCE.r1']?.EventAcceptedCount ?? 0);
}

/** Seconds of CPU a program has used so far, all its threads; undefined where it has ended. */
export function cpuSeconds(pid: number): number | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** An agent that takes events at a port and forgets them. */
export function receiver(port: number): Properties {
  return {
    sources: 'r1',
    channels: 'c1',
    sinks: 'k1',
    'sources.r1.type': 'avro',
    'sources.r1.bind': '127.0.0.1',
    'sources.r1.port': port,
    'sources.r1.channels': 'c1',
    ...memory,
    'sinks.k1.type': 'null',
    'sinks.k1.batchSize': 1_000,
    'sinks.k1.channel': 'c1',
  };
}

/** An agent that makes events of 199 bytes and sends them to a port by so many Avro sinks. */
export function sender(port: number, events: number, sinks: number): Properties {
  const names = Array.from({ length: sinks }, (_, n) => `k${n + 1}`);
  const sink = (name: string) => ({
    [`sinks.${name}.type`]: 'avro',
    [`sinks.${name}.hostname`]: '127.0.0.1',
    [`sinks.${name}.port`]: port,
    [`sinks.${name}.batch-size`]: 1_000,
    [`sinks.${name}.channel`]: 'c1',
  });
  return {
    sources: 'r1',
    channels: 'c1',
    sinks: names.join(' '),
    'sources.r1.type': 'org.apache.flume.source.StressSource',
    'sources.r1.size': 199,
    'sources.r1.batchSize': 1_000,
    'sources.r1.maxTotalEvents': events,
    'sources.r1.channels': 'c1',
    ...memory,
    ...Object.assign({}, ...names.map(sink)),
  };
}

const memory = {
  'channels.c1.type': 'memory',
  'channels.c1.capacity': 100_000,
  'channels.c1.transactionCapacity': 10_000,
};
