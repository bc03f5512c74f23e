import { asyncScheduler, Observable, Subject, type Subscriber, Subscription } from 'rxjs';
import { ConnectError, SinkError } from '../../core/errors.js';
import { type FlumeEvent, flumeEventBytes } from '../../formats/flume-event.js';
import type {
  FlumeBatch,
  FlumeConnection,
  FlumeListener,
  FlumeListening,
  FlumeRpcClient,
  FlumeRpcServer,
  FlumeStatus,
} from '../../ports/flume-rpc.js';

export interface MemoryFlumeOptions {
  /** The agents' names. Default one, `a1:4141`. */
  readonly agents?: readonly string[];
  /** How long connecting, and each way of a call, takes, in (virtual) milliseconds. Default 1. */
  readonly latencyMs?: number;
}

/** A batch whose agent may also answer with an error, as Flume does where an interceptor throws. */
export interface MemoryFlumeBatch extends FlumeBatch {
  readonly fail: (message: string) => void;
}

/**
 * Flume's RPC in memory, for tests: a client, and a server for each agent it knows. All its time is RxJS's, so inside
 * `TestScheduler.run` it is virtual.
 *
 * ```ts
 * import { flumeSource } from 'rxflume';
 * import { MemoryFlume } from 'rxflume/testing';
 *
 * const flume = new MemoryFlume({ agents: ['a1:4141'] });
 * export const events$ = flumeSource(flume.server(), { name: 'chat' });
 * flume.agents; // → ['a1:4141']
 * ```
 */
export class MemoryFlume implements FlumeRpcClient {
  readonly name = 'flume memory';
  readonly agents: readonly string[];
  /** The agent of each attempt to connect, in order. */
  readonly attempts: string[] = [];
  readonly #latencyMs: number;
  readonly #listening = new Map<number, MemoryListening>();
  #clients = 0;

  constructor(options: MemoryFlumeOptions = {}) {
    this.agents = options.agents ?? ['a1:4141'];
    this.#latencyMs = options.latencyMs ?? 1;
  }

  /** The server that stands for an agent. */
  server(agent = 0): FlumeRpcServer {
    const address = this.agents[agent] as string;
    return {
      name: `flume memory ${address}`,
      listen: (listener) =>
        new Observable((subscriber) => {
          if (this.#listening.has(agent)) {
            subscriber.error(new ConnectError('RXF_FLUME_LISTEN', `Cannot listen at ${address}: it is taken.`));
            return undefined;
          }
          const listening = new MemoryListening(address, listener, subscriber, () => this.#listening.delete(agent));
          this.#listening.set(agent, listening);
          const starting = asyncScheduler.schedule(() => subscriber.next(listening), this.#latencyMs);
          return () => {
            starting.unsubscribe();
            listening.end();
          };
        }),
    };
  }

  /** Ends all connections to an agent, as a network does. */
  cut(agent = 0): void {
    this.#listening.get(agent)?.cut();
  }

  connect(agent: number): Observable<FlumeConnection> {
    return new Observable((subscriber) => {
      const address = this.agents[agent] as string;
      this.attempts.push(address);
      const life = new Subscription();
      const arrive = () => {
        const listening = this.#listening.get(agent);
        if (listening === undefined || listening.isClosing) {
          subscriber.error(new ConnectError('RXF_FLUME_UNREACHABLE', `Cannot reach ${address}: connection refused.`));
          return;
        }
        this.#clients += 1;
        const connection = new MemoryConnection(`client-${this.#clients}`, listening, this.#latencyMs, subscriber);
        life.add(() => connection.close());
        subscriber.next(connection);
      };
      life.add(asyncScheduler.schedule(arrive, this.#latencyMs));
      return life;
    });
  }
}

class MemoryListening implements FlumeListening {
  readonly address: string;
  readonly listener: FlumeListener;
  isClosing = false;
  readonly #out: Subscriber<FlumeListening>;
  readonly #ended: () => void;
  readonly #connections = new Set<MemoryConnection>();
  readonly #closed$ = new Subject<never>();
  #isPaused = false;
  #held: (() => void)[] = [];

  constructor(address: string, listener: FlumeListener, out: Subscriber<FlumeListening>, ended: () => void) {
    this.address = address;
    this.listener = listener;
    this.#out = out;
    this.#ended = ended;
  }

  add(connection: MemoryConnection): void {
    this.#connections.add(connection);
    this.listener.clients(this.#connections.size);
  }

  remove(connection: MemoryConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.listener.clients(this.#connections.size);
    this.lookWhetherDone();
  }

  /** Takes what a client sent, now or after `resume`. */
  receive(take: () => void): void {
    if (this.#isPaused || this.isClosing) this.#held.push(take);
    else take();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#held.length > 0) this.#held.shift()?.();
  }

  close(): Observable<unknown> {
    this.isClosing = true;
    this.lookWhetherDone();
    return this.#closed$;
  }

  /** Once it is closing, closes the clients that wait for no answer, and completes when none is left. */
  lookWhetherDone(): void {
    if (!this.isClosing) return;
    for (const connection of [...this.#connections]) if (connection.pending === 0) connection.cut();
    if (this.#connections.size > 0) return;
    this.#ended();
    this.#closed$.complete();
    this.#out.complete();
  }

  cut(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }

  end(): void {
    this.#ended();
    this.#held = [];
    this.#closed$.complete();
    this.cut();
  }
}

class MemoryConnection implements FlumeConnection {
  /** Batches the server has, and has not answered. */
  pending = 0;
  readonly #client: string;
  readonly #listening: MemoryListening;
  readonly #latencyMs: number;
  readonly #out: Subscriber<FlumeConnection>;
  readonly #pending = new Set<Subscriber<FlumeStatus>>();
  readonly #onTheWay = new Subscription();
  #isOver = false;

  constructor(client: string, listening: MemoryListening, latencyMs: number, out: Subscriber<FlumeConnection>) {
    this.#client = client;
    this.#listening = listening;
    this.#latencyMs = latencyMs;
    this.#out = out;
    listening.add(this);
  }

  append(events: readonly FlumeEvent[]): Observable<FlumeStatus> {
    return new Observable((subscriber) => {
      if (this.#isOver) {
        subscriber.error(lostError(this.#listening.address));
        return undefined;
      }
      this.#pending.add(subscriber);
      this.#after(() => this.#listening.receive(() => this.#deliver(events, subscriber)));
      return () => this.#pending.delete(subscriber);
    });
  }

  close(): void {
    if (this.#end()) this.#out.complete();
  }

  /** The server, or the network, ends it. */
  cut(): void {
    const { address } = this.#listening;
    if (this.#end())
      this.#out.error(new ConnectError('RXF_FLUME_UNREACHABLE', `The connection to ${address} has ended.`));
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#onTheWay.unsubscribe();
    for (const subscriber of [...this.#pending]) subscriber.error(lostError(this.#listening.address));
    this.#listening.remove(this);
    return true;
  }

  #deliver(events: readonly FlumeEvent[], subscriber: Subscriber<FlumeStatus>): void {
    if (this.#isOver) return;
    this.pending += 1;
    let isAnswered = false;
    const reply = (status: FlumeStatus): boolean => {
      if (isAnswered || this.#isOver) return false;
      isAnswered = true;
      this.#after(() => {
        this.pending -= 1;
        this.#pending.delete(subscriber);
        subscriber.next(status);
        subscriber.complete();
        this.#listening.lookWhetherDone();
      });
      return true;
    };
    const byteLength = events.reduce((sum, event) => sum + flumeEventBytes(event), 0);
    const fail = (message: string): void => {
      if (isAnswered || this.#isOver) return;
      isAnswered = true;
      this.#after(() => {
        this.pending -= 1;
        this.#pending.delete(subscriber);
        const said = `${this.#listening.address} answered a batch with an error: ${message}`;
        subscriber.error(new SinkError('RXF_FLUME_REJECTED', said));
        this.#listening.lookWhetherDone();
      });
    };
    const batch: MemoryFlumeBatch = { client: this.#client, events, byteLength, reply, fail };
    this.#listening.listener.batch(batch);
  }

  #after(work: () => void): void {
    this.#onTheWay.add(asyncScheduler.schedule(work, this.#latencyMs));
  }
}

function lostError(address: string): SinkError {
  return new SinkError('RXF_FLUME_LOST', `The connection to ${address} ended before a batch was answered.`);
}
