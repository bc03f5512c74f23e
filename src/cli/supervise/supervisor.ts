import type { Sample } from '../../core/monitor.js';
import type { Health } from '../../metrics/health.js';
import type { ConsoleLog } from '../console-log.js';
import type { Progress } from '../progress.js';
import { Child, type ChildSetting } from './child.js';
import type { ChildMessage } from './messages.js';
import type { Post } from './roster.js';

/**
 * Keeps the processes of flows running, side by side: one that fails is started again and stops no other.
 *
 * Bounds: the last state of each process.
 */
export class Supervisor {
  /** 0 where each process drained, otherwise 1. Settles when none will be started again. */
  readonly exitCode: Promise<0 | 1>;
  readonly #setting: ChildSetting;
  readonly #log: ConsoleLog;
  #children: readonly Child[] = [];
  #hasFailed = false;
  #isStopping = false;
  #reloading: Promise<void> = Promise.resolve();
  #isReloading = false;
  #end: (code: 0 | 1) => void = () => undefined;

  constructor(posts: readonly Post[], setting: ChildSetting, log: ConsoleLog) {
    this.#setting = setting;
    this.#log = log;
    this.exitCode = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#children = posts.map((post) => this.#child(post));
  }

  get children(): readonly Child[] {
    return this.#children;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Drains all. A second call abandons what still drains. */
  stop(): void {
    this.#isStopping = true;
    for (const child of this.#children) if (!child.isOver) void child.stop('stop');
  }

  /**
   * Goes on with other posts, one process after another: the old one drains, then the new one starts. One that is no longer wanted
   * is stopped, and one that is new is started.
   *
   * Settles: when the last has been started, or `stop` was called.
   */
  reload(posts: readonly Post[]): Promise<void> {
    this.#reloading = this.#reloading.then(async () => {
      // All of the old may be over before the first of the new has started.
      this.#isReloading = true;
      try {
        await this.#reload(posts);
      } finally {
        this.#isReloading = false;
        this.#endIfOver();
      }
    });
    return this.#reloading;
  }

  async #reload(posts: readonly Post[]): Promise<void> {
    const wanted = new Map(posts.map((post) => [keyOf(post), post]));
    for (const child of this.#children) {
      if (this.#isStopping) return;
      const isKept = !child.isOver && wanted.delete(keyOf(child.post));
      await child.stop(isKept ? 'reload' : 'stop');
      if (!isKept) this.#children = this.#children.filter((one) => one !== child);
    }
    for (const post of wanted.values()) {
      if (this.#isStopping) return;
      this.#children = [...this.#children, this.#child(post)];
    }
  }

  /** The metrics of all processes, each with which it is of. */
  *samples(): Iterable<Sample> {
    for (const { post, state, restarts, isOver } of this.#children) {
      const labels = { flow: post.flow, process: post.id };
      yield { name: 'rxflume_process_up', labels, value: state === undefined ? 0 : 1 };
      yield { name: 'rxflume_process_restarts_total', labels, value: restarts };
      if (isOver) continue;
      for (const sample of state?.samples ?? []) yield { ...sample, labels: { ...sample.labels, process: post.id } };
    }
  }

  /** Whether all are ready; one that does not run is not. */
  get readiness(): Health {
    return this.#health(({ state }) => state?.readiness, true);
  }

  /** Whether all are alive. One that is about to be started again is: that is what it waits for. */
  get liveness(): Health {
    return this.#health(({ state }) => state?.liveness, false);
  }

  /** The sum of all processes, or of those of one flow. */
  progress(flow?: string): Progress | undefined {
    const all = this.#children.flatMap(({ post, state }) =>
      state === undefined || (flow !== undefined && post.flow !== flow) ? [] : [state.progress],
    );
    return all.length === 0 ? undefined : all.reduce(sumOf);
  }

  #child(post: Post): Child {
    return new Child(post, this.#setting, {
      message: (child, message) => this.#message(child, message),
      said: (child, level, name, message) => this.#log.say(level, name, message, placeOf(child)),
      over: (child, code) => this.#over(child, code),
    });
  }

  #message(child: Child, message: ChildMessage): void {
    if (message.what !== 'log') return;
    const { level, name, message: text, details } = message;
    this.#log.say(level, name, `[${child.post.id}] ${text}`, { ...details, ...placeOf(child) });
  }

  #over(child: Child, code: number): void {
    if (code !== 0) {
      this.#hasFailed = true;
      if (!this.#isStopping) {
        const message = `Process ${child.post.id} ended with code ${code}, and is not started again; the others go on.`;
        this.#log.say('error', 'process.over', message, placeOf(child));
      }
    }
    // In its constructor a child is not in the list yet; none ends there.
    queueMicrotask(() => this.#endIfOver());
  }

  #endIfOver(): void {
    if (this.#isReloading || this.#children.some(({ isOver }) => !isOver)) return;
    this.#end(this.#hasFailed ? 1 : 0);
  }

  #health(of: (child: Child) => Health | undefined, needsState: boolean): Health {
    const reasons = this.#children.flatMap((child) => {
      const health = of(child);
      const { id, flow } = child.post;
      if (health !== undefined)
        return health.reasons.map((reason) => ({ ...reason, message: `${id}: ${reason.message}` }));
      if (!needsState) return [];
      return [{ flow, what: 'not-running' as const, message: `Process ${id} is not running yet, or not any more.` }];
    });
    return { ok: reasons.length === 0, reasons };
  }
}

function keyOf({ id, file, flow }: Post): string {
  return JSON.stringify([id, file, flow]);
}

function placeOf({ post, pid }: Child): Readonly<Record<string, unknown>> {
  return { process: post.id, ...(pid !== undefined && { pid }) };
}

const COUNTS = ['records', 'recordsPerSecond', 'inFlight', 'acked', 'openFiles'] as const;
const KNOWN = ['committed', 'backlog', 'files', 'storedBytes'] as const;

function sumOf(a: Progress, b: Progress): Progress {
  const counts = COUNTS.map((name) => [name, a[name] + b[name]]);
  const known = KNOWN.map((name) => [
    name,
    a[name] === undefined && b[name] === undefined ? undefined : (a[name] ?? 0) + (b[name] ?? 0),
  ]);
  return Object.fromEntries([...counts, ...known]);
}
