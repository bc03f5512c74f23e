import { existsSync } from 'node:fs';
import { lastValueFrom, type Observable } from 'rxjs';
import { randomName } from '../../core/random-name.js';
import { type Fact, type Probe, type ProbeSetting, probing, rightBy } from '../../delivery/probe.js';
import type { SinkRehearsal } from '../../delivery/rehearsal.js';
import type { SinkTraits } from '../../delivery/traits.js';
import type { FlowInside } from '../../flow/flow.js';
import { type Sampled, sampleOfFile, sampleOfSource } from '../plan/sample.js';
import { writeSample } from '../plan/writes.js';

const MAX_RECORD_BYTES = 16 * 1_048_576;
const MAX_FILE_BYTES = 64 * 1_048_576;

/** What is run through the flow, and how long each step may take. */
export interface DeepAsked {
  /** A file whose first line is the record; undefined: the first record that the source has. */
  readonly record: string | undefined;
  readonly stepMs: number;
}

/**
 * Runs one record through the operators of a flow into files of a folder of their own, and reads these back. The record is read by
 * a group of its own, which commits nothing.
 */
export function deepProbe(flow: FlowInside, asked: DeepAsked): Probe {
  return (setting) => probing((tell) => runOne(flow, asked, setting, tell));
}

async function runOne(
  flow: FlowInside,
  { record, stepMs }: DeepAsked,
  setting: ProbeSetting,
  tell: (fact: Fact) => void,
): Promise<void> {
  const sink = (flow.steps.at(-1) as SinkTraits).rehearsal;
  const unknown = (what: string, error: string, fix: string) =>
    tell({ kind: 'unknown', what, error: new Error(error), fix });
  if (sink === undefined) {
    const fix = 'Run the flow on a topic or queue for tests.';
    unknown('a record end to end', 'only a flow that ends in a file sink can be tried without a trace', fix);
    return;
  }
  const sample = await sampled(flow, record, stepMs, tell);
  if (sample === undefined) return;
  if (sample.length === 0) {
    const fix = 'Pass `--record` a file whose first line is a record that the flow takes.';
    unknown('a record end to end', `the source gave no record within ${stepMs} ms`, fix);
    return;
  }
  await written(flow, sink, sample, stepMs, setting, tell);
}

/** The one record; undefined, and a fact says why, where it cannot be read. */
async function sampled(
  { source }: FlowInside,
  record: string | undefined,
  ms: number,
  tell: (fact: Fact) => void,
): Promise<readonly Sampled[] | undefined> {
  const limits = { records: 1, bytes: MAX_RECORD_BYTES, ms };
  const on = record ?? source.traits?.name ?? 'the source';
  const fix = 'Pass `--record` a file whose first line is a record that the flow takes.';
  const right = { kind: 'right', action: 'read a record', on, fix } as const;
  const { rehearsal, name } = source.traits ?? {};
  try {
    if (record !== undefined && !existsSync(record)) throw new Error(`there is no file ${record}`);
    if (record === undefined && rehearsal === undefined) throw new Error('this source cannot be read without a trace');
    const sample =
      record === undefined && rehearsal !== undefined
        ? await sampleOfSource(rehearsal.source(`doctor-${randomName()}`), limits)
        : await sampleOfFile(record as string, name, limits);
    if (sample.length > 0) tell(right);
    return sample;
  } catch (error) {
    tell({ ...right, error });
    return undefined;
  }
}

async function written(
  flow: FlowInside,
  sink: SinkRehearsal,
  sample: readonly Sampled[],
  ms: number,
  setting: ProbeSetting,
  tell: (fact: Fact) => void,
): Promise<void> {
  const on = `${flow.source.traits?.name ?? 'source'} to ${sink.root}`;
  const fix =
    'See the error; `rxflume run` would nack this record the same way. Another one can be given with `--record`.';
  const right = (action: string) => ({ kind: 'right', action, on, fix }) as const;
  let doing = 'find room for scratch files';
  try {
    const folder = await lastValueFrom(sink.scratch(setting.scratch));
    setting.atEnd(() => removed(sink, folder));
    doing = 'write a record through the operators';
    const { targets, bytes } = await writeSample(
      flow,
      sample,
      sink.inFolder(folder, () => undefined),
      ms,
    );
    if (targets.length === 0) {
      const dropped = new Error('the operators kept nothing of this record');
      tell({
        kind: 'unknown',
        what: 'a record end to end',
        error: dropped,
        fix: 'Pass `--record` a file with one that they keep.',
      });
      return;
    }
    tell(right(doing));
    doing = 'read it back';
    const files = await Promise.all(targets.map((target) => lastValueFrom(sink.read(target, MAX_FILE_BYTES))));
    const read = files.reduce((sum, file) => sum + file.length, 0);
    if (read !== bytes) throw new Error(`${read} bytes were read back of ${bytes} that were written`);
    tell(right(doing));
  } catch (error) {
    tell({ ...right(doing), error });
  }
}

function removed(sink: SinkRehearsal, folder: string): Observable<Fact> {
  const fix = `Remove ${folder} yourself.`;
  return rightBy({ action: 'remove the scratch files', on: folder, fix }, () => sink.removeFolder(folder));
}
