import { Subscription, timer } from 'rxjs';
import { backoffMs } from '../../backpressure/backoff.js';
import { ConnectError, isRetryable } from '../../core/errors.js';
import type { FlumeConnection, FlumeRpcClient } from '../../ports/flume-rpc.js';
import type { CheckedOptions } from './options.js';

/** A connection that is open, and how many batches are under way on it. */
export interface Link {
  readonly agent: Agent;
  readonly connection: FlumeConnection;
  inFlight: number;
}

/** What an agent tells the pool it belongs to. */
export interface AgentReport {
  /** It may take batches now, or more than before. */
  ready(): void;
  /** It could not be reached, or its connection has ended. */
  lost(agent: Agent, error: unknown, delayMs: number): void;
}

/** One agent: its connections, and how long it is left alone after a failure. */
export class Agent {
  readonly name: string;
  readonly #index: number;
  readonly #client: FlumeRpcClient;
  readonly #options: CheckedOptions;
  readonly #report: AgentReport;
  readonly #links = new Set<Link>();
  readonly #lives = new Set<Subscription>();
  #isConnecting = false;
  /** In a row, without a batch taken in between. */
  #failures = 0;
  #penalty: Subscription | undefined;
  #lastError: unknown;

  constructor(client: FlumeRpcClient, index: number, options: CheckedOptions, report: AgentReport) {
    this.name = client.agents[index] as string;
    this.#index = index;
    this.#client = client;
    this.#options = options;
    this.#report = report;
  }

  /** Whether it is left alone for now. */
  get isPenalised(): boolean {
    return this.#penalty !== undefined;
  }

  get connections(): number {
    return this.#links.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const link of this.#links) sum += link.inFlight;
    return sum;
  }

  /** Why it counts as down: what went wrong last, when it has failed too often in a row, or for good. */
  get downBecause(): unknown {
    if (this.#lastError === undefined) return undefined;
    const isOver = this.#failures >= this.#options.retry.maxAttempts || !isRetryable(this.#lastError);
    return isOver ? this.#lastError : undefined;
  }

  /** The connection with the most room, if one has any; opens another where all are busy and one more is allowed. */
  room(): Link | undefined {
    let best: Link | undefined;
    for (const link of this.#links) if (best === undefined || link.inFlight < best.inFlight) best = link;
    if (best === undefined || best.inFlight > 0) this.#grow();
    return best !== undefined && best.inFlight < this.#options.maxInFlight ? best : undefined;
  }

  /** It has taken a batch. */
  taken(): void {
    this.#failures = 0;
    this.#lastError = undefined;
  }

  /** It has rejected a batch: it is left alone for a while, its connections stay. */
  rejected(): void {
    this.#lastError = undefined;
    // What was under way beside it is rejected for the same reason.
    if (!this.isPenalised) this.#penalise();
  }

  close(): void {
    this.#penalty?.unsubscribe();
    this.#links.clear();
    for (const life of [...this.#lives]) life.unsubscribe();
  }

  /** One of its connections is over. */
  broken(link: Link, error: unknown): void {
    if (this.#links.delete(link)) this.#failed(error);
  }

  #grow(): void {
    if (this.#isConnecting || this.#links.size >= this.#options.connections) return;
    this.#isConnecting = true;
    const life = new Subscription();
    this.#lives.add(life);
    let link: Link | undefined;
    const ended = (error: unknown) => {
      this.#lives.delete(life);
      if (link !== undefined) this.broken(link, error);
      else {
        this.#isConnecting = false;
        this.#failed(error);
      }
    };
    life.add(
      this.#client.connect(this.#index).subscribe({
        next: (connection) => {
          this.#isConnecting = false;
          link = { agent: this, connection, inFlight: 0 };
          this.#links.add(link);
          this.#report.ready();
        },
        error: ended,
        complete: () => ended(new ConnectError('RXF_FLUME_UNREACHABLE', `${this.name} closed the connection.`)),
      }),
    );
  }

  #failed(error: unknown): void {
    this.#lastError = error;
    // The connections of one agent end together; that is one failure.
    if (!this.isPenalised) this.#report.lost(this, error, this.#penalise());
  }

  /** Leaves it alone for a while, longer each time; for how long. */
  #penalise(): number {
    this.#penalty?.unsubscribe();
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, this.#options.retry);
    this.#penalty = timer(delayMs).subscribe(() => {
      this.#penalty = undefined;
      this.#report.ready();
    });
    return delayMs;
  }
}
