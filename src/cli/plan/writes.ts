import { Observable } from 'rxjs';
import { describeError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { RehearsedSink, SinkRehearsal } from '../../delivery/rehearsal.js';
import type { FlowInside } from '../../flow/flow.js';
import { type Estimate, exactly, meanOf } from '../../planner/index.js';
import { deliveryOf, SampleAcker, type Sampled } from './sample.js';

/** What writing a sample to files took and gave. */
export interface WritesMeasured {
  readonly writeSeconds: Estimate;
  readonly commitSeconds: Estimate;
  readonly callsPerFile: Estimate;
  /** Of a record that the source delivers. */
  readonly storedBytes: Estimate;
  readonly buckets: Estimate;
}

export interface Written {
  /** Where the files are. */
  readonly targets: readonly string[];
  readonly bytes: number;
  readonly folders: number;
  readonly files: number;
}

/** Runs a sample through the operators into a rehearsed sink. Fails with the sink's or an operator's error, or when `ms` are over. */
export async function writeSample(
  flow: FlowInside,
  sample: readonly Sampled[],
  sink: RehearsedSink,
  ms: number,
): Promise<Written> {
  const acker = new SampleAcker();
  const targets: string[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const deliveries = new Observable<Delivery<unknown>>((subscriber) => {
      for (const [seq, one] of sample.entries()) subscriber.next(deliveryOf(one, acker, seq));
      subscriber.complete();
    });
    const deadline = setTimeout(() => {
      running.unsubscribe();
      reject(new Error(`${sample.length} records were not written in ${ms} ms; raise --within, or lower --records`));
    }, ms);
    const end = (act: () => void) => {
      clearTimeout(deadline);
      act();
    };
    const operated = flow.steps.slice(0, -1).reduce((stream, step) => step(stream), deliveries as Observable<unknown>);
    const running = flow.rehearse(() =>
      sink(operated as Observable<Delivery<never>>).subscribe({
        next: (receipt) => {
          const { target, bytes: stored } = receipt as { readonly target: string; readonly bytes: number };
          targets.push(target);
          bytes += stored;
        },
        error: (error: unknown) => end(() => reject(error)),
        complete: () => end(resolve),
      }),
    );
  });
  if (targets.length === 0 && acker.nacked > 0) throw new Error(`all of it was nacked: ${describeError(acker.cause)}`);
  const folders = new Set(targets.map((target) => target.replace(/\/[^/]*$/, ''))).size;
  return { targets, bytes, folders, files: targets.length };
}

/** What a record takes in a file, and how many buckets a sample goes to, by the same sink over nothing. */
export async function measureStored(
  flow: FlowInside,
  sample: readonly Sampled[],
  rehearsal: SinkRehearsal,
  ms: number,
): Promise<Pick<WritesMeasured, 'storedBytes' | 'buckets'>> {
  try {
    const { bytes, folders } = await writeSample(flow, sample, rehearsal.inMemory(), ms);
    if (folders === 0) return none('nothing of the sample got to the sink');
    return { storedBytes: exactly(bytes / sample.length), buckets: exactly(folders) };
  } catch (error) {
    return none(`it failed: ${describeError(error)}`);
  }
}

function none(notMeasured: string) {
  return { storedBytes: { notMeasured }, buckets: { notMeasured } };
}

/** How often the sample is written, each time to files of their own. */
const TIMES = 5;

/**
 * What a write, a roll and the calls of a file take on the sink's own file system, in a folder that is removed afterwards.
 *
 * Bounds: `ms` for each of five times; the folder holds the sample five times at most.
 * Fails: never; then it is not measured, and the reason has the folder if it could not be removed.
 */
export async function measureWrites(
  flow: FlowInside,
  sample: readonly Sampled[],
  rehearsal: SinkRehearsal,
  folder: string,
  ms: number,
): Promise<Pick<WritesMeasured, 'writeSeconds' | 'commitSeconds' | 'callsPerFile'>> {
  const writes: number[] = [];
  const commits: number[] = [];
  let [calls, files] = [0, 0];
  const called = (call: string, took: number) => {
    if (call === 'write') writes.push(took / 1_000);
    else calls += 1;
    if (call === 'close' || call === 'publish' || call === 'rename') commits.push(took / 1_000);
  };
  const all = (notMeasured: string) => {
    return { writeSeconds: { notMeasured }, commitSeconds: { notMeasured }, callsPerFile: { notMeasured } };
  };
  let why: string | undefined;
  try {
    for (let time = 0; time < TIMES; time += 1) {
      files += (await writeSample(flow, sample, rehearsal.inFolder(`${folder}/${time}`, called), ms)).files;
    }
  } catch (error) {
    why = `it failed: ${describeError(error)}`;
  }
  try {
    await new Promise<void>((resolve, reject) => {
      rehearsal.removeFolder(folder).subscribe({ error: reject, complete: resolve });
    });
  } catch (error) {
    why = `the folder ${folder} could not be removed, remove it yourself: ${describeError(error)}`;
  }
  if (why !== undefined) return all(why);
  const few = (list: readonly number[], what: string): Estimate =>
    list.length < 3
      ? { notMeasured: `only ${list.length} ${what} were made; raise --records` }
      : positive(meanOf(list));
  const commit = few(commits, 'calls');
  // A close and a rename, one after the other.
  const twice =
    'notMeasured' in commit ? commit : { value: commit.value * 2, low: commit.low * 2, high: commit.high * 2 };
  return {
    writeSeconds: few(writes, 'writes'),
    commitSeconds: twice,
    callsPerFile: files === 0 ? { notMeasured: 'no file was written' } : exactly(calls / files),
  };
}

function positive({ value, low, high }: { readonly value: number; readonly low: number; readonly high: number }) {
  return { value, low: Math.max(0, low), high };
}
