import { existsSync } from 'node:fs';
import { describeError } from '../../core/errors.js';
import { randomName } from '../../core/random-name.js';
import type { SinkRehearsal, SourceRehearsal } from '../../delivery/rehearsal.js';
import type { SinkTraits } from '../../delivery/traits.js';
import { type Flow, type FlowInside, insideOf } from '../../flow/flow.js';
import type { AnyStep } from '../../flow/probes.js';
import { type CpuPart, exactly, isNotMeasured, type PlanInputs, plan as planOf } from '../../planner/index.js';
import { measureCpu } from './cpu.js';
import type { PlanAsked } from './plan-arguments.js';
import { type PlanReport, planJson, planText } from './plan-text.js';
import { type Sampled, sampleOfFile, sampleOfSource } from './sample.js';
import { measureSource } from './source-cpu.js';
import { measureStored, measureWrites } from './writes.js';

/** Where the command prints. */
export interface PlanSetting {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

const MAX_SAMPLE_BYTES = 64 * 1_048_576;
const ROUNDS = 12;
const RUN_MICROSECONDS = 40_000;

/**
 * Measures a flow on a sample, and prints the capacity that it needs. It never commits, and never writes to where the flow
 * writes: the sample is read in a group of its own, and the sink runs over nothing, or in a folder that is removed.
 *
 * Bounds: the sample, of `records` and 64 MiB; a quarter of `withinMs` for each of reading, writing and the source, half of it for CPU.
 * Fails: never; exit code 0 planned, 1 the sample could not be read, 2 wrong use.
 */
export async function plan(flow: Flow, asked: PlanAsked, { out, err }: PlanSetting): Promise<0 | 1 | 2> {
  const parts = insideOf(flow);
  if (parts === undefined) {
    err.write(
      `rxflume: ${flow.name} is a flow of another version of rxflume, which cannot be measured. Install one version.\n`,
    );
    return 2;
  }
  if (asked.sample?.from === 'file' && !existsSync(asked.sample.file)) {
    err.write(`rxflume: There is no file ${asked.sample.file}. Pass \`--sample\` a file of lines, or \`topic\`.\n`);
    return 2;
  }
  const { source } = rehearsalsOf(parts);
  if (asked.sample?.from === 'topic' && source === undefined) {
    err.write(
      `rxflume: The source of ${flow.name} cannot be read without a trace. Pass \`--sample\` a file of lines.\n`,
    );
    return 2;
  }
  let sample: readonly Sampled[] = [];
  try {
    sample = await read(asked, parts, source);
  } catch (error) {
    err.write(`rxflume: The sample could not be read: ${describeError(error)}.\n`);
    return 1;
  }
  const report = await measured(flow, asked, parts, sample);
  out.write(asked.isJson ? planJson(report) : planText(report));
  return 0;
}

function rehearsalsOf({ source, steps }: FlowInside): {
  readonly source: SourceRehearsal | undefined;
  readonly sink: SinkRehearsal | undefined;
} {
  return { source: source.traits?.rehearsal, sink: (steps.at(-1) as SinkTraits).rehearsal };
}

function read(
  asked: PlanAsked,
  { source }: FlowInside,
  rehearsal: SourceRehearsal | undefined,
): Promise<readonly Sampled[]> {
  const { sample, records, withinMs } = asked;
  const limits = { records, bytes: MAX_SAMPLE_BYTES, ms: withinMs / 4 };
  if (sample === undefined) return Promise.resolve([]);
  if (sample.from === 'file') return sampleOfFile(sample.file, source.traits?.name, limits);
  return sampleOfSource((rehearsal as SourceRehearsal).source(groupName(), sample.offset), limits);
}

/** A group that nobody else is in: joining another would take partitions away from it. */
function groupName(): string {
  return `plan-${randomName()}`;
}

async function measured(
  flow: Flow,
  asked: PlanAsked,
  parts: FlowInside,
  sample: readonly Sampled[],
): Promise<PlanReport> {
  const { source, sink } = rehearsalsOf(parts);
  const operators = parts.steps.slice(0, -1);
  const last = parts.steps.at(-1) as AnyStep;
  const sinkName = `${parts.steps.length} ${last.name}`.trimEnd();
  const baseBytes = process.memoryUsage().rss;
  const warnings: string[] = [];
  const inputs: { -readonly [K in keyof PlanInputs]: PlanInputs[K] } = {
    ...known(asked),
    ...settings(source, sink),
    baseBytes: exactly(baseBytes),
  };
  let cpu: CpuPart[] = [];
  if (asked.sample !== undefined && sample.length === 0) warnings.push('The sample is empty, so nothing was measured.');
  if (sample.length > 0) {
    const inMemory =
      sink === undefined ? undefined : Object.defineProperty(sink.inMemory(), 'name', { value: last.name });
    const steps = inMemory === undefined ? operators : [...operators, inMemory as unknown as AnyStep];
    const limits = { ms: asked.withinMs / 2, rounds: ROUNDS, runMicroseconds: RUN_MICROSECONDS };
    const ofSteps = await measureCpu(parts, sample, steps, limits);
    warnings.push(...ofSteps.warnings);
    const isTopic = asked.sample?.from === 'topic' && source !== undefined;
    const ofSource = isTopic
      ? await measureSource(source.source(groupName(), 0), asked.withinMs / 4)
      : { notMeasured: 'the sample is a file, so the source did not run' };
    cpu = [{ name: 'source', secondsPerRecord: ofSource }, ...ofSteps.parts];
    if (sink === undefined)
      cpu.push({ name: sinkName, secondsPerRecord: { notMeasured: 'only a file sink can run elsewhere' } });
    inputs.cpu = [{ name: 'operators and sink', secondsPerRecord: ofSteps.all }];
    if (!isNotMeasured(ofSource)) inputs.cpu = [{ name: 'source', secondsPerRecord: ofSource }, ...inputs.cpu];
    for (const { name, secondsPerRecord } of sink === undefined
      ? ([cpu[0], cpu.at(-1)] as CpuPart[])
      : cpu.slice(0, 1)) {
      if (isNotMeasured(secondsPerRecord)) {
        warnings.push(
          `The CPU of ${name} is not in the sum (${secondsPerRecord.notMeasured}), so more is needed than is said here.`,
        );
      }
    }
    const streams = new Set(sample.map(({ origin }) => origin.stream)).size;
    if (inputs.streams === undefined && isTopic) {
      inputs.streams = exactly(streams);
      warnings.push(`The sample has records of ${streams} streams. Pass --partitions if the topic has more.`);
    }
    inputs.recordBytes ??= exactly(sample.reduce((sum, { origin }) => sum + origin.byteLength, 0) / sample.length);
    if (sink !== undefined) {
      const { storedBytes, buckets } = await measureStored(parts, sample, sink, asked.withinMs / 4);
      Object.assign(inputs, { storedBytes, bucketsPerStream: buckets });
      if (asked.isMeasuringWrites) {
        const folder = `${asked.scratch ?? `${sink.root}-plan`}-${randomName()}`;
        Object.assign(inputs, await measureWrites(parts, sample, sink, folder, asked.withinMs / 4));
      }
    } else if (asked.isMeasuringWrites) warnings.push('No write was measured: the flow does not end in a file sink.');
  }
  const bytes = sample.reduce((sum, { origin }) => sum + origin.byteLength, 0);
  const from = asked.sample?.from === 'file' ? asked.sample.file : 'the topic';
  return {
    flow: flow.name,
    sample: asked.sample === undefined ? null : { from, records: sample.length, bytes },
    cpu,
    plan: planOf(inputs),
    warnings,
  };
}

/** What was given on the command line. */
function known({
  ratePerSecond,
  recordBytes,
  partitions,
  backlogRecords,
  headroomSeconds,
  points,
}: PlanAsked): PlanInputs {
  const given = { ratePerSecond, recordBytes, streams: partitions, backlogRecords, headroomSeconds };
  const estimates = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, exactly(value)] as const],
  );
  return { ...(Object.fromEntries(estimates) as PlanInputs), points };
}

/** What the source and the sink are set to. */
function settings(source: SourceRehearsal | undefined, sink: SinkRehearsal | undefined): PlanInputs {
  return {
    ...(source && {
      windowBytes: exactly(source.windowBytes),
      maxUnacked: exactly(source.maxUnacked),
      maxPartitionBytes: exactly(source.maxPartitionBytes),
    }),
    ...(sink && {
      rollBytes: exactly(sink.roll.bytes),
      rollSeconds: exactly(sink.roll.intervalMs / 1_000),
      chunkBytes: exactly(sink.chunk.bytes),
      chunkSeconds: exactly(sink.chunk.maxWaitMs / 1_000),
      maxOpenFiles: exactly(sink.maxOpenFiles),
    }),
  };
}
