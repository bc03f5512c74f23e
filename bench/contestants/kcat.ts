import { spawn } from 'node:child_process';
import type { Contestant, Measured } from '../lab/contest.js';
import { isInstalled } from '../lab/found.js';
import type { Services } from '../lab/services.js';
import { usageOf } from '../lab/watch.js';

const SAMPLE_MS = 10;

/** librdkafka, by its command: consumes to the end of the topic and prints nothing. */
export function kcat(services: Services): Contestant {
  return {
    name: 'kcat (librdkafka)',
    missing: isInstalled('kcat', '-V') ? undefined : 'kcat is missing (the package kcat)',
    run: ({ topic }) =>
      new Promise<Measured>((resolve, reject) => {
        const startedAt = performance.now();
        const args = ['-C', '-b', services.broker, '-t', topic.name, '-o', 'beginning', '-e', '-q', '-f', ''];
        const child = spawn('kcat', args, { stdio: ['ignore', 'ignore', 'inherit'] });
        const rssMiB: number[] = [];
        let last = { cpuSeconds: 0, peakRssMiB: 0 };
        const sampling = setInterval(() => {
          const usage = usageOf(child.pid as number);
          if (usage === undefined) return;
          last = usage;
          rssMiB.push(Math.round(usage.rssMiB));
        }, SAMPLE_MS);
        child.on('error', reject);
        child.on('exit', (code) => {
          clearInterval(sampling);
          const seconds = (performance.now() - startedAt) / 1_000;
          if (code !== 0) reject(new Error(`kcat ended with ${code}`));
          else resolve({ records: topic.records, seconds, ...last, rssMiB });
        });
      }),
  };
}
