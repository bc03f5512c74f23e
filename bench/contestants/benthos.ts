import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contestant, Job } from '../lab/contest.js';
import { isInstalled } from '../lab/found.js';
import { Lake } from '../lab/lake.js';
import type { Services } from '../lab/services.js';
import { observe } from './observed.js';

export const BENTHOS_VERSION = '4.27.0';
export const BATCH = 50_000;

const source = fileURLToPath(new URL('../benthos', import.meta.url));

/** Builds it where that was not done yet; says why it cannot. */
function built(folder: string): { readonly program: string; readonly missing?: string } {
  const program = join(folder, 'lib', `benthos-${BENTHOS_VERSION}`);
  if (existsSync(program)) return { program };
  if (!isInstalled('go', 'version'))
    return { program, missing: 'Go is missing (the package golang-go, 1.21 or later)' };
  console.log(`Building benthos ${BENTHOS_VERSION}, which takes some minutes the first time.`);
  const { status, stderr } = spawnSync('go', ['build', '-buildvcs=false', '-trimpath', '-o', program, '.'], {
    cwd: source,
    encoding: 'utf8',
  });
  if (status === 0) return { program };
  const reason = stderr.trim().split('\n').at(-1) ?? '';
  return { program, missing: `it cannot be built: ${reason}` };
}

/** What it does with a batch, before and after that leaves its input, and the files that it makes of that. */
export interface BenthosPath {
  readonly batching: readonly object[];
  readonly pipeline: readonly object[];
  readonly path: string;
}

const LINES: BenthosPath = {
  batching: [{ archive: { format: 'lines' } }],
  pipeline: [],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: benthos's own interpolation
  path: '${!uuid_v4()}.txt',
};

/** `periodMs`: how long a batch may be filled. */
export function benthosConfig(
  services: Services,
  { topic, run, folder }: Job,
  periodMs: number,
  { batching, pipeline, path }: BenthosPath = LINES,
): string {
  return JSON.stringify({
    http: { enabled: false },
    logger: { level: 'INFO' },
    metrics: { none: {} },
    input: {
      kafka_franz: {
        seed_brokers: [services.broker],
        topics: [topic.name],
        consumer_group: run,
        checkpoint_limit: 1_000_000,
        batching: {
          count: BATCH,
          period: `${periodMs}ms`,
          processors: batching,
        },
      },
    },
    pipeline: { processors: pipeline },
    output: {
      hdfs: {
        hosts: [new URL(services.hdfsRpc).host],
        user: 'flume',
        directory: folder,
        path,
      },
    },
  });
}

export class Benthos {
  readonly missing: string | undefined;
  readonly #services: Services;
  readonly #program: string;

  constructor(services: Services) {
    this.#services = services;
    const { program, missing } = built(services.folder);
    this.#program = program;
    this.missing = missing;
  }

  /** Resolves when it is about to read: its start is over. */
  async start(job: Job, periodMs: number, path?: BenthosPath): Promise<ChildProcess> {
    const folder = join(this.#services.folder, 'tmp');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${job.run}.json`);
    writeFileSync(file, benthosConfig(this.#services, job, periodMs, path));
    const child = spawn(this.#program, ['-c', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => reject(new Error(`benthos ended with ${code}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('Input type kafka_franz is now active')) resolve();
        if (text.includes('level=error')) console.error(text);
      });
    });
    rmSync(file);
    return child;
  }

  contestant(): Contestant {
    const lake = new Lake(this.#services.hdfsUrl);
    return {
      name: `benthos ${BENTHOS_VERSION}`,
      missing: this.missing,
      run: async (job) => {
        const { records, partitions, lineBytes } = job.topic;
        // What does not fill a batch waits for its period: that is left out. A file ends without a newline.
        const whole = Math.floor(records / partitions / BATCH) * BATCH * partitions;
        if (whole === 0) throw new Error(`benthos needs at least ${BATCH} records a partition to be measured`);
        const child = await this.start(job, 10_000);
        try {
          return await observe({
            pid: child.pid as number,
            progress: () => lake.bytesUnder(job.folder),
            target: (lineBytes / records) * whole * 0.9999,
            recordsPerUnit: records / lineBytes,
            everyMs: 20,
          });
        } finally {
          await ended(child);
        }
      },
    };
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
