import { monotonicMs } from '../core/clock.js';
import type { RecordPosition } from '../core/flow-sources.js';
import type { CommittedFile } from './committed-file.js';
import type { FlowRun, RunningStep } from './flow-run.js';

/** Where a record of a flow is. */
export interface Located extends Omit<RecordPosition, 'state' | 'sentAt'> {
  readonly stream: string;
  readonly offset: number;
  /** `unknown`: no source of the flow reads the stream now. */
  readonly state: RecordPosition['state'] | 'unknown';
  /** The operator or sink that has it, or the parts of which one has it. */
  readonly at?: string;
  /** For how long it has been in flight. */
  readonly sinceSeconds?: number;
  /** The file that has it, or has offsets before and behind it, where that is one of the last 100. */
  readonly file?: string;
  /** One or two sentences for people. */
  readonly message: string;
}

/** Asks the sources of a run, and for what is in flight its steps. It costs nothing until it is asked. */
export function locatedOf(run: FlowRun, stream: string, offset: number): Located {
  const found = run.files.of(stream, offset);
  const file = found === undefined ? {} : { file: found.path };
  for (const source of run.sources.all) {
    const position = source.locate(stream, offset);
    if (position === undefined) continue;
    const { sentAt, ...known } = position;
    if (position.state !== 'in flight') {
      const message = `${stream} offset ${offset} ${STATES[position.state]}${ofFile(found)}.${heldUp(position)}`;
      return { stream, offset, ...known, ...file, message };
    }
    const at = holdersOf(run.steps, position, stream, offset).join(' or ');
    const sinceSeconds = sentAt === undefined ? undefined : Math.max(0, monotonicMs() - sentAt) / 1_000;
    const since = sinceSeconds === undefined ? '' : ` It was read ${sinceSeconds.toFixed(1)} s ago.`;
    const attempt = (position.attempt ?? 1) > 1 ? ` This is attempt ${position.attempt}.` : '';
    const message = `${stream} offset ${offset} is in flight, in ${at}.${since}${attempt}${heldUp(position)}`;
    return { stream, offset, ...known, at, ...(sinceSeconds !== undefined && { sinceSeconds }), message };
  }
  const message = `No source of the flow reads ${stream} in this process now${found === undefined ? '' : `; offset ${offset} is ${filed(found)}`}.`;
  return { stream, offset, state: 'unknown', ...file, message };
}

const STATES: Readonly<Record<Exclude<RecordPosition['state'], 'in flight'>, string>> = {
  'not read': 'is not read yet',
  settled: 'is settled, and not committed yet',
  committed: 'is committed',
  gone: 'is no record: the stream was read past it, and holds none there',
};

function ofFile(file: CommittedFile | undefined): string {
  return file === undefined ? '' : `, ${filed(file)}`;
}

/** A file that has fewer values than offsets leaves some out: those that were dropped, set aside, or are in another file. */
function filed({ path, firstOffset, lastOffset, values }: CommittedFile): string {
  const isWhole = values === lastOffset - firstOffset + 1;
  return isWhole ? `in ${path}` : `among the offsets of ${path}, which leaves some out`;
}

function heldUp({ holdsUp = 0 }: RecordPosition): string {
  if (holdsUp === 0) return '';
  return ` ${holdsUp === 1 ? '1 settled record' : `${holdsUp} settled records`} behind it cannot be committed before it.`;
}

/**
 * The step that has it, or those of which one has it. Operators that hold values by themselves are asked. What none of them holds is
 * in the sink: other operators pass values on at once.
 */
function holdersOf(steps: readonly RunningStep[], position: RecordPosition, stream: string, offset: number): string[] {
  const sink = sinkOf(steps.at(-1)?.operator ?? '');
  if (position.isReleased === true) return [sink];
  const holding = steps.filter(({ counts }) => (counts.held?.() ?? 0) > 0);
  const exact = holding.find(({ counts }) => counts.holds?.(stream, offset) === true);
  if (exact !== undefined) return [nameOf(exact)];
  const possible = holding.filter(({ counts }) => counts.holds?.(stream, offset) === undefined).map(nameOf);
  return [...possible, sink];
}

/** Sinks of yours may have no name. */
function sinkOf(operator: string): string {
  return operator.includes(' ') ? `the sink (${operator})` : 'the sink';
}

function nameOf({ operator }: RunningStep): string {
  return `operator ${operator}`;
}
