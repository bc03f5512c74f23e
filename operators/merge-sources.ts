import {
  concat,
  defer,
  from,
  type Observable,
  ReplaySubject,
  Subject,
  type Subscriber,
  Subscription,
  timer,
} from 'rxjs';
import { BACKOFF_DEFAULTS, type BackoffOptions, backoffMs, expectBackoff } from '../src/backpressure/backoff.js';
import { ConnectError } from '../src/core/errors.js';
import { expectMs, expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import { Queue } from '../src/core/queue.js';
import { probes } from '../src/delivery/probe.js';
import { Source } from '../src/delivery/source.js';
import type { SinkTraits, SourceTraits } from '../src/delivery/traits.js';

/** A source with its own name, for its status. */
export interface NamedSource<T> {
  readonly name: string;
  readonly source: Source<T>;
}

export interface MergeSourcesOptions extends BackoffOptions {
  /** How many targets connect concurrently. Default 8. */
  readonly maxConnecting?: number;
  /** A target counts as connecting until it emits or ends, and at most so long, in milliseconds. Default 10,000. */
  readonly connectMs?: number;
  /** The most attempts in a row to connect a target again. Default: no limit. */
  readonly maxAttempts?: number;
}

/** The defaults of `mergeSources`. */
export const MERGE_SOURCES_DEFAULTS = {
  ...BACKOFF_DEFAULTS,
  maxConnecting: 8,
  connectMs: 10_000,
  maxAttempts: Number.MAX_SAFE_INTEGER,
} as const satisfies MergeSourcesOptions;

/** How one target is. */
export interface TargetStatus {
  readonly target: string;
  /**
   * `waiting` for others to have connected, `connecting`, `connected` once something came, `retrying` after a wait, `ended`
   * after a drain or by itself, `failed` permanently.
   */
  readonly state: 'waiting' | 'connecting' | 'connected' | 'retrying' | 'ended' | 'failed';
  /** The number of consecutive failures. */
  readonly failures: number;
  /** The last error. */
  readonly error?: unknown;
}

/** Several sources as one. */
class MergedSource<T> extends Source<T> {
  /** The current status of each target, then each change. */
  readonly status$: Observable<TargetStatus>;

  constructor(targets: readonly NamedSource<T>[], options: Required<MergeSourcesOptions>, traits: SourceTraits) {
    const board = new Board(targets.map(({ name }) => name));
    super((subscriber, stop$) => new Pool(targets, options, board, subscriber).start(stop$), traits);
    this.status$ = board.status$;
  }
}

/**
 * Merges many targets into one source. They connect concurrently: an unreachable target is retried with exponential backoff, a
 * permanently failed one is dropped, and the others never wait for either.
 *
 * ```
 * one     -a---b-----|
 * two     -#   -c---|
 *         mergeSources([one, two], { firstDelayMs: 4, jitter: 0 })
 * result  -a---bc----|
 * ```
 *
 * Settles: nothing; each delivery belongs to its own source. A stop signal (`drainOn`) drains all that are connected.
 * Bounds: `maxConnecting` targets connect at once; waiting targets do not count. Do not use `retryConnect` within a
 * target: its waits would count.
 * Fails: when all targets have ended and some have failed permanently, with the first such error.
 */
export function mergeSources<T>(
  sources: readonly (Source<T> | NamedSource<T>)[],
  options: MergeSourcesOptions = {},
): MergedSource<T> {
  const checked = withDefaults('mergeSources options', MERGE_SOURCES_DEFAULTS, options);
  expectWhole('maxConnecting', checked.maxConnecting, 1);
  expectMs('connectMs', checked.connectMs, 1);
  expectWhole('maxAttempts', checked.maxAttempts, 0);
  expectBackoff(checked);
  expectOption('sources', sources, Array.isArray(sources) && sources.length > 0, 'an array of sources');
  const targets = sources.map((one, at) =>
    one instanceof Source ? { name: `${one.traits?.name ?? 'source'} ${at + 1}`, source: one } : one,
  );
  for (const [at, { source }] of targets.entries()) {
    expectOption(
      `sources[${at}]`,
      source,
      source instanceof Source,
      'a source such as kafkaSource(…), or { name, source }',
    );
  }
  const isNamedOnce = new Set(targets.map(({ name }) => name)).size === targets.length;
  expectOption('sources', sources, isNamedOnce, 'sources with unique names');
  return new MergedSource(targets, checked, traitsOf(targets));
}

function traitsOf(targets: readonly NamedSource<unknown>[]): SourceTraits {
  const all = targets.map(({ source }) => source.traits);
  const [first] = all;
  const isShared = all.every((traits) => traits?.resumeFrom === first?.resumeFrom);
  const reads = all.flatMap((traits) => traits?.reads ?? []);
  const warningsFor = (sink: SinkTraits) => [...new Set(all.flatMap((traits) => traits?.warningsFor?.(sink) ?? []))];
  const probe = probes(...all.map((traits) => traits?.probe));
  return {
    name: 'mergeSources',
    isReplayable: all.every((traits) => traits?.isReplayable === true),
    resumeFrom: isShared ? first?.resumeFrom : undefined,
    ...(reads.length > 0 ? { reads } : {}),
    ...(probe && { probe }),
    ...(all.some((traits) => traits?.warningsFor !== undefined) ? { warningsFor } : {}),
  };
}

/** How each target is. */
class Board {
  readonly #now = new Map<string, TargetStatus>();
  readonly #changes$ = new Subject<TargetStatus>();
  readonly status$: Observable<TargetStatus> = defer(() => concat(from([...this.#now.values()]), this.#changes$));

  constructor(names: readonly string[]) {
    for (const target of names) this.#now.set(target, { target, state: 'waiting', failures: 0 });
  }

  set(status: TargetStatus): void {
    this.#now.set(status.target, status);
    this.#changes$.next(status);
  }
}

interface Connection<T> extends NamedSource<T> {
  failures: number;
  isOver: boolean;
}

/** One subscription of a merged source. */
class Pool<T> {
  readonly #options: Required<MergeSourcesOptions>;
  readonly #board: Board;
  readonly #out: Subscriber<T>;
  readonly #all: readonly Connection<T>[];
  readonly #waiting = new Queue<Connection<T>>();
  /** One stop signal for all connections: a later connection must not miss it. */
  readonly #stop$ = new ReplaySubject<unknown>(1);
  readonly #life = new Subscription();
  #connecting = 0;
  #isStopping = false;
  #firstFailure: { readonly error: unknown } | undefined;

  constructor(
    targets: readonly NamedSource<T>[],
    options: Required<MergeSourcesOptions>,
    board: Board,
    out: Subscriber<T>,
  ) {
    this.#options = options;
    this.#board = board;
    this.#out = out;
    this.#all = targets.map(({ name, source }) => ({ name, source, failures: 0, isOver: false }));
  }

  start(stop$: Observable<unknown>): Subscription {
    for (const one of this.#all) {
      this.#say(one, 'waiting');
      this.#waiting.add(one);
    }
    this.#life.add(
      stop$.subscribe((signal) => {
        this.#isStopping = true;
        // First: what ends now makes room for them.
        const waiting = this.#waiting.takeAll();
        this.#stop$.next(signal);
        for (const one of waiting) this.#over(one, 'ended');
      }),
    );
    this.#connectMore();
    return this.#life;
  }

  #connectMore(): void {
    while (this.#connecting < this.#options.maxConnecting && !this.#life.closed) {
      const one = this.#waiting.take();
      if (one === undefined) return;
      this.#connect(one);
    }
  }

  #connect(one: Connection<T>): void {
    this.#connecting += 1;
    let isConnecting = true;
    const free = () => {
      if (!isConnecting) return;
      isConnecting = false;
      limit.unsubscribe();
      this.#connecting -= 1;
      this.#connectMore();
    };
    const limit = timer(this.#options.connectMs).subscribe(free);
    this.#life.add(limit);
    this.#say(one, 'connecting');
    let hasEmitted = false;
    this.#life.add(
      one.source.drainedBy(this.#stop$).subscribe({
        next: (value) => {
          if (!hasEmitted) {
            hasEmitted = true;
            one.failures = 0;
            this.#say(one, 'connected');
            free();
          }
          this.#out.next(value);
        },
        error: (error: unknown) => {
          this.#failed(one, error);
          free();
        },
        complete: () => {
          this.#over(one, 'ended');
          free();
        },
      }),
    );
  }

  #failed(one: Connection<T>, error: unknown): void {
    one.failures += 1;
    const mayRetry = error instanceof ConnectError && error.retryable && one.failures <= this.#options.maxAttempts;
    if (!mayRetry || this.#isStopping) {
      this.#firstFailure ??= { error };
      this.#over(one, 'failed', error);
      return;
    }
    this.#say(one, 'retrying', error);
    const waiting = new Subscription();
    this.#life.add(waiting);
    waiting.add(
      timer(backoffMs(one.failures, this.#options)).subscribe(() => {
        waiting.unsubscribe();
        this.#waiting.add(one);
        this.#connectMore();
      }),
    );
    waiting.add(
      this.#stop$.subscribe(() => {
        waiting.unsubscribe();
        this.#over(one, 'ended', error);
      }),
    );
  }

  #over(one: Connection<T>, state: 'ended' | 'failed', error?: unknown): void {
    one.isOver = true;
    this.#say(one, state, error);
    if (this.#all.some(({ isOver }) => !isOver)) return;
    if (this.#firstFailure === undefined) this.#out.complete();
    else this.#out.error(this.#firstFailure.error);
  }

  #say({ name, failures }: Connection<T>, state: TargetStatus['state'], error?: unknown): void {
    this.#board.set({ target: name, state, failures, ...(error === undefined ? {} : { error }) });
  }
}
