import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Properties, pidOf, startAgent, stopAgent } from '../flume/agents.js';
import type { Contestant, Job } from '../lab/contest.js';
import { isInstalled } from '../lab/found.js';
import { type Services, servicesScript } from '../lab/services.js';
import { sleep } from '../lab/watch.js';
import { observe } from './observed.js';

const AGENT = 'bench';
const SINKS = ['k1', 'k2', 'k3', 'k4'];
const BATCH = 5_000;

/** An agent from Kafka to HDFS: a memory channel and four HDFS sinks. */
export function flumeProperties(services: Services, { topic, run, folder }: Job, rollIntervalS: number): Properties {
  const sink = (name: string): Properties => ({
    [`sinks.${name}.type`]: 'hdfs',
    [`sinks.${name}.channel`]: 'c1',
    [`sinks.${name}.hdfs.path`]: `${services.hdfsRpc}${folder}`,
    [`sinks.${name}.hdfs.filePrefix`]: name,
    [`sinks.${name}.hdfs.fileType`]: 'DataStream',
    [`sinks.${name}.hdfs.writeFormat`]: 'Text',
    [`sinks.${name}.hdfs.batchSize`]: BATCH,
    [`sinks.${name}.hdfs.rollInterval`]: rollIntervalS,
    [`sinks.${name}.hdfs.rollSize`]: 64 * 1024 * 1024,
    [`sinks.${name}.hdfs.rollCount`]: 0,
  });
  return {
    sources: 'r1',
    channels: 'c1',
    sinks: SINKS.join(' '),
    'sources.r1.type': 'org.apache.flume.source.kafka.KafkaSource',
    'sources.r1.kafka.bootstrap.servers': services.broker,
    'sources.r1.kafka.topics': topic.name,
    'sources.r1.kafka.consumer.group.id': run,
    'sources.r1.kafka.consumer.auto.offset.reset': 'earliest',
    'sources.r1.batchSize': BATCH,
    'sources.r1.channels': 'c1',
    'channels.c1.type': 'memory',
    'channels.c1.capacity': 100_000,
    'channels.c1.transactionCapacity': 10_000,
    ...Object.assign({}, ...SINKS.map(sink)),
  };
}

export class Flume {
  readonly missing: string | undefined;
  readonly #services: Services;
  readonly #metricsPort = Number(process.env.RXFLUME_FLUME_PORT ?? 19841);

  constructor(services: Services) {
    this.#services = services;
    const canRun = isInstalled('java', '-version') && isInstalled('mvn', '-version');
    this.missing = canRun ? undefined : 'it needs Java 17 and Maven';
    if (!canRun) return;
    execFileSync(servicesScript, ['install', 'flume', 'hdfs'], { stdio: ['ignore', 'ignore', 'inherit'] });
    // Of a run that was killed.
    stopAgent(AGENT);
  }

  async start(job: Job, rollIntervalS: number): Promise<void> {
    const folder = join(this.#services.folder, 'tmp', job.run);
    mkdirSync(folder, { recursive: true });
    try {
      await startAgent(folder, AGENT, flumeProperties(this.#services, job, rollIntervalS), this.#metricsPort);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  stop(): void {
    stopAgent(AGENT);
  }

  pid(): number {
    return pidOf(AGENT);
  }

  /** The events its sinks have written, and flushed to the DataNode. */
  async written(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`);
    const metrics = (await answer.json()) as Record<string, Record<string, string>>;
    return SINKS.reduce((sum, name) => sum + Number(metrics[`SINK.${name}`]?.EventDrainSuccessCount ?? 0), 0);
  }

  async accepted(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`).catch(() => undefined);
    const metrics = (await answer?.json()) as Record<string, Record<string, string>> | undefined;
    return Number(metrics?.['SOURCE.r1']?.EventAcceptedCount ?? 0);
  }

  /** It reads at most so many of the topic's records: the others take fifteen times as many in the time. */
  contestant(mostRecords: number): Contestant {
    return {
      name: 'Flume 1.11',
      missing: this.missing,
      run: async (job) => {
        const starting = this.start(job, 0);
        try {
          while ((await this.accepted()) === 0) await sleep(20);
          return await observe({
            pid: this.pid(),
            progress: () => this.written(),
            target: Math.min(mostRecords, job.topic.records),
            recordsPerUnit: 1,
            everyMs: 50,
          });
        } finally {
          await starting;
          this.stop();
        }
      },
    };
  }
}
