import type { Subscription } from 'rxjs';
import { describeError, isRetryable, RxflumeError, SinkError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import type { BatchOutcomes } from '../../lifecycle/batch-outcomes.js';
import type { FlumeRpcClient, FlumeStatus } from '../../ports/flume-rpc.js';
import { Agent, type AgentReport, type Link } from './agent.js';
import { type AgentRejection, BatchSearch, type EventBatch, type Suspect } from './batch-search.js';
import type { CheckedOptions } from './options.js';

/** A batch, or a part of one that is searched, until an agent has taken it or it is given up. */
interface Sending {
  readonly batch: EventBatch;
  /** The search that it is a part of. */
  readonly search: BatchSearch | undefined;
  /** How often it was sent without an answer. */
  losses: number;
  /** Its epoch is over: it is redelivered by itself. */
  isStale: boolean;
}

/**
 * Sends batches to agents: over connections with a bound on what is under way on each, to the agent that the strategy
 * picks, again where a connection was lost.
 *
 * Bounds: `agents` × `connections` × `maxInFlight` batches in flight; the others wait, unreleased.
 */
export class Pool implements AgentReport {
  readonly #client: FlumeRpcClient;
  readonly #options: CheckedOptions;
  readonly #outcomes: BatchOutcomes;
  readonly #agents: readonly Agent[];
  readonly #underWay = new Map<Sending, Subscription | undefined>();
  /** Streams that keep their order, and have a batch under way. */
  readonly #busy = new Set<string>();
  /** Batches that were rejected, whose parts are sent one after the other. */
  readonly #searches = new Set<BatchSearch>();
  #queue: Sending[] = [];
  #isDispatching = false;
  #isOver = false;

  constructor(client: FlumeRpcClient, options: CheckedOptions, outcomes: BatchOutcomes) {
    this.#client = client;
    this.#options = options;
    this.#outcomes = outcomes;
    this.#agents = client.agents.map((_, index) => new Agent(client, index, options, this));
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#underWay.size === 0 && this.#searches.size === 0;
  }

  add(batch: EventBatch): void {
    this.#queue.push({ batch, search: undefined, losses: 0, isStale: false });
    this.#dispatch();
  }

  /** Drops what waits of an epoch that is over; what is in flight of it is not sent again. */
  remove(isOver: (flush$: EventBatch['flush$']) => boolean): void {
    for (const sending of this.#underWay.keys()) sending.isStale ||= isOver(sending.batch.flush$);
    const isStale = ({ batch }: Sending) => isOver(batch.flush$);
    const removed = this.#queue.filter(isStale).map(({ batch }) => batch);
    this.#queue = this.#queue.filter((sending) => !isStale(sending));
    for (const search of [...this.#searches]) {
      const { unsettled } = search;
      if (unsettled[0] === undefined || !isOver(unsettled[0].flush$)) continue;
      this.#searches.delete(search);
      removed.push(...unsettled);
    }
    for (const batch of removed) this.#outcomes.dropped(batch);
  }

  /** Gives everything up, and closes all connections; returns what was not taken. */
  close(): EventBatch[] {
    this.#isOver = true;
    const searched = [...this.#searches].flatMap(({ unsettled }) => unsettled);
    const left = [...[...this.#underWay.keys(), ...this.#queue].map(({ batch }) => batch), ...searched];
    this.#queue = [];
    this.#searches.clear();
    for (const request of this.#underWay.values()) request?.unsubscribe();
    this.#underWay.clear();
    for (const agent of this.#agents) agent.close();
    this.#changed();
    return left;
  }

  // What an agent calls.

  ready(): void {
    this.#changed();
    this.#dispatch();
  }

  lost(agent: Agent, error: unknown, delayMs: number): void {
    if (this.#isOver) return;
    this.#outcomes.reconnecting();
    const what = error instanceof RxflumeError ? error.code : 'RXF_FLUME_UNREACHABLE';
    const next = `${agent.name} is tried again in ${Math.round(delayMs)} ms.`;
    this.#options.monitor.report({
      what,
      about: agent.name,
      message: sentence(describeError(error), next),
      addition: next,
      cause: error,
    });
    const causes = this.#agents.map(({ downBecause }) => downBecause);
    if (causes.every((cause) => cause !== undefined)) this.#rejectWaiting(causes);
    this.#changed();
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#isDispatching || this.#isOver) return;
    this.#isDispatching = true;
    while (!this.#isOver) {
      const at = this.#queue.findIndex(({ batch }) => !this.#busy.has(batch.stream));
      const link = at < 0 ? undefined : this.#pick();
      if (link === undefined) break;
      const [sending] = this.#queue.splice(at, 1);
      this.#send(sending as Sending, link);
    }
    this.#isDispatching = false;
  }

  #pick(): Link | undefined {
    const fit = this.#agents.filter((agent) => !agent.isPenalised);
    if (this.#options.strategy === 'balance') {
      const links = fit.map((agent) => agent.room()).filter((link) => link !== undefined);
      return links.reduce<Link | undefined>(
        (best, link) => (best && load(best) <= load(link) ? best : link),
        undefined,
      );
    }
    const [first, ...others] = fit;
    const link = first?.room();
    if (first === undefined || link !== undefined || first.connections > 0) return link;
    // It is being connected to: meanwhile to one that is open, so that a dead first agent holds nothing up.
    return others.find((agent) => agent.connections > 0)?.room();
  }

  #send(sending: Sending, link: Link): void {
    const { batch } = sending;
    link.inFlight += 1;
    this.#underWay.set(sending, undefined);
    if (this.#options.order === 'stream') this.#busy.add(batch.stream);
    const call = this.#outcomes.writes.start();
    const over = () => {
      link.inFlight -= 1;
      this.#busy.delete(batch.stream);
      return this.#underWay.delete(sending);
    };
    const request = link.connection.append(batch.values).subscribe({
      next: (status) => {
        this.#outcomes.writes.done(call);
        if (over()) this.#answered(sending, link.agent, status);
      },
      error: (error: unknown) => {
        this.#outcomes.writes.drop(call);
        if (over()) this.#failed(sending, link, error);
      },
    });
    if (this.#underWay.has(sending)) this.#underWay.set(sending, request);
    this.#changed();
  }

  #answered(sending: Sending, agent: Agent, status: FlumeStatus): void {
    const { batch, search } = sending;
    if (status === 'OK') {
      agent.taken();
      search?.taken(agent.name);
      // Before it is settled: a source may bring more within the call, which must not overtake.
      const isFound = search !== undefined && !this.#goOn(search);
      this.#outcomes.taken(batch, agent.name);
      if (isFound) this.#settle(search);
    } else {
      const cause = nackedError(agent.name, batch, `answered ${status}`);
      this.#nacked(sending, agent, { agent: agent.name, how: 'status', cause });
    }
    this.#changed();
    this.#dispatch();
  }

  #failed(sending: Sending, link: Link, error: unknown): void {
    const { batch } = sending;
    const { agent } = link;
    if (error instanceof RxflumeError && error.code === 'RXF_FLUME_REJECTED') {
      const cause = nackedError(agent.name, batch, describeError(error), error);
      this.#nacked(sending, agent, { agent: agent.name, how: 'error', cause });
    } else {
      sending.losses += 1;
      if (sending.isStale || sending.losses >= this.#options.retry.maxAttempts) {
        const cause = error instanceof RxflumeError ? error : downError(this.#client.name, [error]);
        this.#giveUp(sending, cause);
      } else {
        this.#queue.unshift(sending);
        this.#outcomes.resending(batch);
      }
      agent.broken(link, error);
    }
    this.#changed();
    this.#dispatch();
  }

  /** An agent has it not: looks for the events at fault, if there may be others. */
  #nacked(sending: Sending, agent: Agent, rejection: AgentRejection): void {
    const { batch } = sending;
    let { search } = sending;
    if (search?.hasTaken(agent.name) !== true) agent.rejected();
    // A status may be a full channel: what is then taken behind an event that waits would be sent again with it.
    const isWhole = search === undefined && (batch.size === 1 || rejection.how === 'status');
    if (sending.isStale || isWhole) {
      this.#giveUp(sending, rejection.cause);
      return;
    }
    if (search !== undefined) search.rejected(batch, rejection);
    else {
      search = new BatchSearch(batch);
      this.#searches.add(search);
      const { cause } = rejection;
      const next = 'Its events are sent in parts, to find what is at fault.';
      const message = sentence(cause.message, next);
      this.#options.monitor.report({ what: cause.code, about: batch.stream, message, addition: next, cause });
    }
    if (!this.#goOn(search)) this.#settle(search);
  }

  /** Sends the next part before all else of its stream; false where there is none. */
  #goOn(search: BatchSearch): boolean {
    const batch = this.#searches.has(search) ? search.next() : undefined;
    if (batch !== undefined) this.#queue.unshift({ batch, search, losses: 0, isStale: false });
    return batch !== undefined;
  }

  /** The search is over: nacks what is left of its batch, each for its own reason. */
  #settle(search: BatchSearch): void {
    if (!this.#searches.delete(search)) return;
    const { trouble } = search;
    for (const suspect of search.atFault) this.#reject(suspect.part, eventError(suspect));
    for (const part of search.left) this.#reject(part, (trouble as AgentRejection).cause);
  }

  #giveUp({ batch, search }: Sending, cause: RxflumeError): void {
    const isSearched = search !== undefined && this.#searches.delete(search);
    this.#reject(batch, cause);
    if (isSearched) for (const part of search.unsettled) this.#reject(part, cause);
  }

  #reject(batch: EventBatch, cause: RxflumeError): void {
    const { stream, size } = batch;
    this.#outcomes.rejected(batch, cause, {
      about: stream,
      message: sentence(`${stream}: ${describeError(cause)}`),
      addition: `${stream}: ${size} events are nacked because of ${cause.code}.`,
    });
  }

  #rejectWaiting(causes: readonly unknown[]): void {
    const waiting = this.#queue;
    this.#queue = [];
    const cause = downError(this.#client.name, causes);
    for (const sending of waiting) this.#giveUp(sending, cause);
  }

  #changed(): void {
    this.#outcomes.connections(this.#agents.reduce((sum, { connections }) => sum + connections, 0));
    this.#outcomes.inFlight(this.#underWay.size);
    this.#outcomes.completeIfIdle();
  }
}

function load({ agent }: Link): number {
  return agent.inFlight;
}

function nackedError(agent: string, { size, stream }: EventBatch, problem: string, cause?: unknown): SinkError {
  return new SinkError(
    'RXF_FLUME_REJECTED',
    `${agent} did not take a batch of ${size} events of ${stream}: ${problem}. Its channel is full, or its ` +
      '`transactionCapacity` is below `batch.count`; see its log.',
    { cause, details: { agent, stream, events: size } },
  );
}

/** An event that was rejected alone, where others of its batch were taken. */
function eventError({ part, rejection, isCleared }: Suspect): SinkError {
  const { agent, how, cause } = rejection;
  // A channel that was full for a moment answers with a status too, so only an error between two that were taken is for good.
  const retryable = how === 'status' || !isCleared;
  const next = retryable
    ? 'It is redelivered; if it is rejected each time, set such events aside with `deadLetter(sink, { maxAttempts: 3 })`.'
    : 'Set such events aside with `deadLetter`.';
  return new SinkError(
    'RXF_FLUME_EVENT_REJECTED',
    `${agent} did not take the event ${part.firstOffset} of ${part.stream} alone, and took others of its batch: ` +
      sentence(
        describeError(cause.cause ?? cause),
        "It may be too large for a channel, or an interceptor fails on it; see the agent's log",
        next,
      ),
    { cause, retryable, details: { agent, stream: part.stream, offset: part.firstOffset } },
  );
}

function downError(name: string, causes: readonly unknown[]): SinkError {
  return new SinkError(
    'RXF_FLUME_DOWN',
    `No agent of ${name} can be reached: ${causes.map((cause) => describeError(cause)).join(' · ')}.`,
    { cause: causes[0], retryable: causes.some((cause) => isRetryable(cause)) },
  );
}
