// What `rxflume plan` says of a flow from Kafka to HDFS, beside what the flow then takes: npm run bench -- plan [--records <n> --rounds <n>]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compiled } from '../lab/compiled.js';
import { Lake } from '../lab/lake.js';
import { startServices } from '../lab/services.js';
import { median } from '../lab/statistics.js';
import { deleteTopic, fillTopic } from '../lab/topics.js';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1500000' }, rounds: { type: 'string', default: '3' } },
});
const [records, rounds] = [Number(values.records), Number(values.rounds)];
const PARTITIONS = 4;
const RATE = 20_000;

interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

interface Printed {
  readonly estimates: Readonly<Record<string, Interval & { readonly notMeasured?: string }>>;
}

const services = startServices();
const folder = mkdtempSync(join(tmpdir(), 'rxflume-bench-plan-'));
const topic = await fillTopic(services.broker, { partitions: PARTITIONS, records, valueBytes: 199 });
const lake = new Lake(services.hdfsUrl);
const command = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const file = compiled('plan/flow');
const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  execFileSync(process.execPath, [command, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: 600_000,
    env: {
      ...process.env,
      RXFLUME_KAFKA_BROKERS: services.broker,
      RXFLUME_HDFS_URL: services.hdfsUrl,
      ...env,
    },
  });

try {
  console.log(
    `${records} JSON records of 199 bytes, ${PARTITIONS} partitions; decode, mapValue, filterValue, gzip lines in HDFS; ` +
      `${cpus().length} cores, Node ${process.versions.node}`,
  );
  const errors: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const name = `${topic.name}-${round}`;
    const asked = [
      '--sample',
      'topic',
      '--rate',
      `${RATE}/s`,
      '--partitions',
      `${PARTITIONS}`,
      '--measure-writes',
      '--json',
    ];
    const { estimates } = JSON.parse(
      run(['plan', file, ...asked], { PLAN_TOPIC: topic.name, PLAN_RUN: name }),
    ) as Printed;
    const { cpuSecondsPerRecord: cpu, recordsPerSecondOfAProcess: rate } = estimates;
    if (cpu?.notMeasured !== undefined || cpu === undefined || rate === undefined)
      throw new Error(cpu?.notMeasured ?? 'no CPU');
    const cpuFile = join(folder, `cpu-${round}`);
    const env = { PLAN_TOPIC: topic.name, PLAN_RUN: name, PLAN_CPU_FILE: cpuFile };
    const printed = run(['run', file, '--until-idle', '3000'], env);
    const summary = printed.split('\n').find((line) => line.includes('"what":"summary"')) ?? '';
    const measuredRate = Number(/\((\d+)\/s\)/.exec(summary)?.[1]);
    const measured = Number(readFileSync(cpuFile, 'utf8')) / records;
    const micros = (seconds: number) => (seconds * 1e6).toFixed(2);
    const error = cpu.value / measured - 1;
    errors.push(Math.abs(error));
    console.log(
      `  round ${round}  CPU a record: planned ${micros(cpu.value)} µs [${micros(cpu.low)} … ${micros(cpu.high)}], ` +
        `measured ${micros(measured)} µs: ${(error * 100).toFixed(0)} %; records a second of a process: planned ` +
        `${Math.round(rate.value)}, measured ${measuredRate} at ${(measuredRate * measured).toFixed(2)} cores`,
    );
    await lake.remove(`/lake/bench/${name}`);
  }
  console.log(`\nprediction error of CPU: ${(median(errors) * 100).toFixed(0)} % (median of ${rounds} rounds)`);
} finally {
  await deleteTopic(services.broker, topic.name);
  rmSync(folder, { recursive: true, force: true });
  services.stop();
}
