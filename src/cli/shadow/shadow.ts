import {
  concatMap,
  delay,
  firstValueFrom,
  from,
  lastValueFrom,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  takeUntil,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { describeError, isOwnError } from '../../core/errors.js';
import { Monitor } from '../../core/monitor.js';
import { randomName } from '../../core/random-name.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { SinkRehearsal, SourceRehearsal } from '../../delivery/rehearsal.js';
import type { SinkTraits } from '../../delivery/traits.js';
import { type Flow, type FlowInside, insideOf } from '../../flow/flow.js';
import { ledgerStreams, readLedger } from '../../sinks/files/ledger/reading.js';
import type { CommandContext } from '../command.js';
import { openRoot } from '../open-root.js';
import { type RootLocation, readRoot } from '../root-url.js';
import { type CommittedRange, type ComparedFile, committedRange } from './committed-range.js';
import { bucketPairs, difference } from './compare.js';
import { compareContents } from './contents.js';
import { type ShadowReport, shadowJson, shadowText } from './shadow-text.js';

/** What `rxflume shadow` is asked for. */
export interface ShadowAsked {
  readonly file: string;
  readonly flow: string | undefined;
  readonly against: string;
  readonly records: number;
  readonly withinMs: number;
  readonly bytesWithinPercent: number;
  readonly scratch: string | undefined;
  readonly isKept: boolean;
  readonly user: string | undefined;
  readonly isJson: boolean;
}

type Setting = Pick<CommandContext, 'out' | 'err' | 'env' | 'cwd'>;

/** Streams of a ledger read side by side. */
const READ_AT_ONCE = 4;

/**
 * Runs a flow on the offsets that another flow has committed under a root, into a folder of its own, and compares what both have stored.
 * It reads as a group of its own that commits nothing; dead letters and other branches are acked and not written.
 *
 * Bounds: `records` offsets, or one commit of each stream if that has more; `withinMs`; memory as the flow, and one file of 64 MiB.
 * Fails: never; exit code 0 equal, 1 different, 2 wrong use, 3 they could not be compared.
 */
export async function shadow(flow: Flow, asked: ShadowAsked, setting: Setting): Promise<0 | 1 | 2 | 3> {
  const { out, err } = setting;
  const parts = insideOf(flow);
  const source = parts?.source.traits?.rehearsal;
  const sink = (parts?.steps.at(-1) as SinkTraits | undefined)?.rehearsal;
  if (parts === undefined || source === undefined || sink === undefined) {
    err.write(
      `rxflume: ${flow.name} cannot be shadowed: it takes a kafkaSource and a fileSink, of this version of rxflume.\n`,
    );
    return 2;
  }
  let against: RootLocation;
  try {
    against = readRoot(asked.against, 'webhdfs', setting.cwd);
  } catch (error) {
    err.write(`rxflume: ${describeError(error)}\n`);
    return 2;
  }
  try {
    const report = await compared({ flow, parts, source, sink }, asked, against, setting);
    out.write(asked.isJson ? shadowJson(report) : shadowText(report));
    return report.result === 'equal' ? 0 : 1;
  } catch (error) {
    err.write(`rxflume: ${isOwnError(error) ? `${error.code}: ` : ''}Not compared: ${describeError(error)}\n`);
    return 3;
  }
}

interface Shadowed {
  readonly flow: Flow;
  readonly parts: FlowInside;
  readonly source: SourceRehearsal;
  readonly sink: SinkRehearsal;
}

async function compared(
  of: Shadowed,
  asked: ShadowAsked,
  against: RootLocation,
  setting: Setting,
): Promise<ShadowReport> {
  const fs = await openRoot(against, { mode: 'webhdfs', user: asked.user, fsync: 'never' }, setting.env);
  const ranges = await rangesOf(fs, against.path, asked.records);
  const folder = `${asked.scratch ?? `${of.sink.root}-shadow`}-${randomName()}`;
  try {
    const fresh = await written(of, ranges, folder, asked.withinMs);
    const old = new Map(ranges.map(({ stream, files }) => [stream, files]));
    const buckets = [];
    for (const pair of bucketPairs(old, fresh)) {
      const content = await compareContents(
        pair,
        (path, maxBytes) => fs.read(`${against.path}/${path}`, maxBytes),
        (path, maxBytes) => of.sink.read(`${folder}/${path}`, maxBytes),
      );
      buckets.push(difference(pair, content, asked.bytesWithinPercent));
    }
    return {
      flow: of.flow.name,
      against: `${fs.name} ${against.path || '/'}`,
      result: buckets.every(({ isEqual }) => isEqual) ? 'equal' : 'different',
      ranges: ranges.map(({ stream, from: first, to }) => ({ stream, from: first, to })),
      buckets,
      kept: asked.isKept ? folder : null,
    };
  } finally {
    if (!asked.isKept) await firstValueFrom(of.sink.removeFolder(folder), { defaultValue: undefined });
  }
}

async function rangesOf(
  fs: Awaited<ReturnType<typeof openRoot>>,
  root: string,
  records: number,
): Promise<CommittedRange[]> {
  const { streams } = await firstValueFrom(ledgerStreams(fs, root));
  if (streams.length === 0) {
    throw new Error(
      `there is no ledger under ${root || '/'} on ${fs.name}. Pass the root of an exactly-once file sink.`,
    );
  }
  const each = Math.max(1, Math.floor(records / streams.length));
  const ranges = await lastValueFrom(
    from(streams).pipe(
      mergeMap((stream) => readLedger(fs, root, stream), READ_AT_ONCE),
      concatMap(({ stream, entries }) => of(committedRange(stream, entries, each))),
      toArray(),
    ),
  );
  const found = ranges.filter((range) => range !== null).sort((a, b) => (a.stream < b.stream ? -1 : 1));
  if (found.length === 0) throw new Error(`nothing is committed under ${root || '/'} on ${fs.name} yet.`);
  return found;
}

/** Runs the flow on these ranges into the folder; the files by stream, their paths from there. */
async function written(
  { flow, parts, source, sink }: Shadowed,
  ranges: readonly CommittedRange[],
  folder: string,
  withinMs: number,
): Promise<ReadonlyMap<string, readonly ComparedFile[]>> {
  const monitor = new Monitor();
  const place = (at: 'from' | 'to') => ({ offsets: new Map(ranges.map((range) => [range.stream, range[at]])) });
  const { offsetStore, write } = sink.elsewhere(folder, monitor);
  const section = source.section({
    name: `shadow-${randomName()}`,
    ...{ from: place('from'), to: place('to'), offsetStore, commits: false, monitor },
  });
  const read$ = new Subject<void>();
  // Not from within the source's own call.
  const reading = section.reached$.pipe(delay(0)).subscribe(read$);
  const files = new Map<string, ComparedFile[]>();
  const late$ = timer(withinMs).pipe(
    concatMap(() =>
      throwError(() => new Error(`it took more than ${withinMs / 1_000} s. Raise --within, or lower --records.`)),
    ),
  );
  const done$ = new Subject<void>();
  const values = section.source.drainedBy(read$) as Observable<unknown>;
  const receipts$ = parts.through(values, { first: 0, end: parts.steps.length - 1, isRehearsal: true }) as Observable<
    Delivery<never>
  >;
  const running$ = parts
    .rehearse(() => write(receipts$))
    .pipe(
      tap({
        next: (receipt) => {
          const { stream, target, firstOffset, values: rows, bytes } = receipt as Receipt;
          const path = target.slice(folder.length + 1);
          files.set(stream, [...(files.get(stream) ?? []), { path, first: firstOffset, rows, bytes }]);
        },
        complete: () => done$.next(),
      }),
    );
  try {
    await parts.rehearse(() =>
      lastValueFrom(merge(running$, late$.pipe(takeUntil(done$))), { defaultValue: undefined }),
    );
  } finally {
    reading.unsubscribe();
  }
  if (files.size === 0 && ranges.some(({ files: old }) => old.length > 0)) {
    const streams = ranges.map(({ stream }) => stream).join(', ');
    throw new Error(`${flow.name} has written nothing of ${streams}: does it read the same topics?`);
  }
  return files;
}
