import { createHash } from 'node:crypto';
import { take } from 'rxjs';
import { rateLimit } from '../../../operators/rate-limit.js';
import type { LogPlace, SinkRehearsal, SourceRehearsal } from '../../delivery/rehearsal.js';
import type { SinkTraits } from '../../delivery/traits.js';
import { type Flow, flow as flowOfParts, insideOf } from '../../flow/flow.js';
import type { AnyStep } from '../../flow/probes.js';
import type { CommandContext } from '../command.js';
import { run } from '../run.js';

/** What `rxflume backfill` is asked for. */
export interface BackfillAsked {
  readonly file: string;
  /** The name of one of the flows that the file exports; undefined: the one by default. */
  readonly flow: string | undefined;
  readonly from: LogPlace;
  readonly to: LogPlace;
  readonly root: string;
  /** Undefined: as many as it can. */
  readonly ratePerSecond: number | undefined;
  readonly drainTimeoutMs: number;
}

/** What waits for the rate must pass within a drain, so so many seconds of it may be out. */
const WINDOW_SECONDS = 10;
/** The rate holds over this part of a second; timers are no finer. */
const BURST_PARTS = 20;

/**
 * Runs a flow on a part of its streams, into another root, as a group of its own, and ends when all of that is stored. The ledger of
 * that root says what is stored, so it is exactly once however often it is killed and started again.
 *
 * Bounds: as the flow; with a rate, ten seconds of it wait.
 * Fails: never; exit code 0 stored, 1 failed or stopped before, 2 wrong use.
 */
export async function backfill(flow: Flow, asked: BackfillAsked, context: CommandContext): Promise<0 | 1 | 2> {
  const parts = backfillOf(flow, asked);
  if (typeof parts === 'string') {
    context.err.write(`rxflume: ${parts}\n`);
    return 2;
  }
  const log = context.log();
  const running = run(parts.flow, log, { untilIdleMs: null, drainTimeoutMs: asked.drainTimeoutMs });
  let isReached = false;
  const reached = parts.reached$.pipe(take(1)).subscribe(() => {
    isReached = true;
    // Not from within the source's own call.
    setImmediate(() => running.stop('all of it is read'));
  });
  const onSignal = (signal: NodeJS.Signals) => running.stop(signal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  const code = await running.exitCode;
  reached.unsubscribe();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  if (code === 0 && !isReached) log.say('warn', 'backfill.stopped', 'Stopped before its end. Start it again to go on.');
  return isReached ? code : 1;
}

/** The flow that reads the part, or why there is none. */
function backfillOf(flow: Flow, { from, to, root, ratePerSecond }: BackfillAsked) {
  const parts = insideOf(flow);
  if (parts === undefined) return `${flow.name} is a flow of another version of rxflume. Install one version.`;
  const source: SourceRehearsal | undefined = parts.source.traits?.rehearsal;
  const sink: SinkRehearsal | undefined = (parts.steps.at(-1) as SinkTraits).rehearsal;
  if (source === undefined || sink === undefined) {
    const what = source === undefined ? 'source' : 'sink';
    return `The ${what} of ${flow.name} cannot be backfilled: it takes a kafkaSource and a fileSink.`;
  }
  if (sink.root === root) {
    return `${root} is where ${flow.name} itself writes. Pass another folder as \`--root\`: two flows on one ledger stop each other.`;
  }
  const { offsetStore, write } = sink.elsewhere(root);
  const section = source.section({
    // The same after a restart, and another for another root.
    name: `backfill-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`,
    ...{ from, to, offsetStore, commits: true },
    windowCount: ratePerSecond === undefined ? undefined : ratePerSecond * WINDOW_SECONDS,
  });
  const limit =
    ratePerSecond === undefined
      ? []
      : [rateLimit({ count: ratePerSecond, perMs: 1_000, burst: Math.ceil(ratePerSecond / BURST_PARTS) })];
  const steps = [...limit, ...parts.steps.slice(0, -1), write] as unknown as [AnyStep];
  const compose = flowOfParts as unknown as (name: string, source: unknown, ...steps: AnyStep[]) => Flow<unknown>;
  return { flow: compose(`${flow.name}-backfill`, section.source, ...steps), reached$: section.reached$ };
}
