import type { Subscription } from 'rxjs';
import { describeError, isRetryable, RxflumeError, SinkError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { FlumeRpcClient, FlumeStatus } from '../../ports/flume-rpc.js';
import { Agent, type AgentReport, type Link } from './agent.js';
import { type AgentRefusal, BatchSearch, type Suspect } from './batch-search.js';
import type { CheckedOptions } from './options.js';
import type { OutgoingBatch } from './outgoing-batch.js';

/** What a pool tells the session it belongs to. */
export interface PoolReport {
  /** An agent has taken it. */
  taken(outgoing: OutgoingBatch, agent: string): void;
  /** It is given up. */
  refused(outgoing: OutgoingBatch, cause: RxflumeError): void;
  /** It was sent, nobody knows whether it arrived, and it is sent again. */
  resending(outgoing: OutgoingBatch): void;
  report(failure: Failure): void;
  /** Something was settled or begun: how many connections stand, and how many batches are under way. */
  changed(connections: number, inFlight: number): void;
}

/**
 * Sends shipments to agents: over connections with a bound on what is under way on each, to the agent that the strategy
 * picks, again where a connection was lost.
 *
 * Bounds: `agents` × `connections` × `maxInFlight` shipments under way; the others wait, unreleased.
 */
export class Pool implements AgentReport {
  readonly #client: FlumeRpcClient;
  readonly #options: CheckedOptions;
  readonly #report: PoolReport;
  readonly #agents: readonly Agent[];
  readonly #underWay = new Map<OutgoingBatch, Subscription | undefined>();
  /** Streams that keep their order, and have a batch under way. */
  readonly #busy = new Set<string>();
  /** Batches that were refused, whose parts are sent one after the other. */
  readonly #searches = new Set<BatchSearch>();
  #queue: OutgoingBatch[] = [];
  #isDispatching = false;
  #isOver = false;

  constructor(client: FlumeRpcClient, options: CheckedOptions, report: PoolReport) {
    this.#client = client;
    this.#options = options;
    this.#report = report;
    this.#agents = client.agents.map((_, place) => new Agent(client, place, options, this));
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#underWay.size === 0 && this.#searches.size === 0;
  }

  add(outgoing: OutgoingBatch): void {
    this.#queue.push(outgoing);
    this.#dispatch();
  }

  /** Takes out what waits of an epoch that is over; what is under way of it is not sent again. */
  remove(isOver: (flush$: OutgoingBatch['flush$']) => boolean): OutgoingBatch[] {
    for (const outgoing of this.#underWay.keys()) outgoing.isVoid ||= isOver(outgoing.flush$);
    const removed = this.#queue.filter((outgoing) => isOver(outgoing.flush$));
    this.#queue = this.#queue.filter((outgoing) => !isOver(outgoing.flush$));
    for (const search of [...this.#searches]) {
      const { unsettled } = search;
      if (unsettled[0] === undefined || !isOver(unsettled[0].flush$)) continue;
      this.#searches.delete(search);
      removed.push(...unsettled);
    }
    return removed;
  }

  /** Gives everything up, and closes all connections; what was not taken. */
  close(): OutgoingBatch[] {
    this.#isOver = true;
    const searched = [...this.#searches].flatMap(({ unsettled }) => unsettled);
    const left = [...this.#underWay.keys(), ...this.#queue, ...searched];
    this.#queue = [];
    this.#searches.clear();
    for (const sending of this.#underWay.values()) sending?.unsubscribe();
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
    const what = error instanceof RxflumeError ? error.code : 'RXF_FLUME_UNREACHABLE';
    const next = `${agent.name} is tried again in ${Math.round(delayMs)} ms.`;
    this.#report.report({
      what,
      about: agent.name,
      message: sentence(describeError(error), next),
      addition: next,
      cause: error,
    });
    const causes = this.#agents.map(({ downBecause }) => downBecause);
    if (causes.every((cause) => cause !== undefined)) this.#refuseWaiting(causes);
    this.#changed();
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#isDispatching || this.#isOver) return;
    this.#isDispatching = true;
    while (!this.#isOver) {
      const at = this.#queue.findIndex(({ stream }) => !this.#busy.has(stream));
      const link = at < 0 ? undefined : this.#pick();
      if (link === undefined) break;
      const [outgoing] = this.#queue.splice(at, 1);
      this.#send(outgoing as OutgoingBatch, link);
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
    // It is being connected to: meanwhile to one that stands, so that a dead first agent holds nothing up.
    return others.find((agent) => agent.connections > 0)?.room();
  }

  #send(outgoing: OutgoingBatch, link: Link): void {
    link.inFlight += 1;
    this.#underWay.set(outgoing, undefined);
    if (this.#options.order === 'stream') this.#busy.add(outgoing.stream);
    const over = () => {
      link.inFlight -= 1;
      this.#busy.delete(outgoing.stream);
      return this.#underWay.delete(outgoing);
    };
    const sending = link.connection.append(outgoing.events).subscribe({
      next: (status) => {
        if (over()) this.#answered(outgoing, link.agent, status);
      },
      error: (error: unknown) => {
        if (over()) this.#failed(outgoing, link, error);
      },
    });
    if (this.#underWay.has(outgoing)) this.#underWay.set(outgoing, sending);
    this.#changed();
  }

  #answered(outgoing: OutgoingBatch, agent: Agent, status: FlumeStatus): void {
    if (status === 'OK') {
      agent.taken();
      const { search } = outgoing;
      search?.taken(agent.name);
      // Before it is settled: a source may bring more within the call, which must not overtake.
      const isFound = search !== undefined && !this.#goOn(search);
      this.#report.taken(outgoing, agent.name);
      if (isFound) this.#settle(search);
    } else {
      const cause = nackedError(agent.name, outgoing, `answered ${status}`);
      this.#refused(outgoing, agent, { agent: agent.name, how: 'status', cause });
    }
    this.#changed();
    this.#dispatch();
  }

  #failed(outgoing: OutgoingBatch, link: Link, error: unknown): void {
    const { agent } = link;
    if (error instanceof RxflumeError && error.code === 'RXF_FLUME_REFUSED') {
      const cause = nackedError(agent.name, outgoing, describeError(error), error);
      this.#refused(outgoing, agent, { agent: agent.name, how: 'error', cause });
    } else {
      outgoing.losses += 1;
      if (outgoing.isVoid || outgoing.losses >= this.#options.retry.attempts) {
        const cause = error instanceof RxflumeError ? error : downError(this.#client.name, [error]);
        this.#giveUp(outgoing, cause);
      } else {
        this.#queue.unshift(outgoing);
        this.#report.resending(outgoing);
      }
      agent.broken(link, error);
    }
    this.#changed();
    this.#dispatch();
  }

  /** An agent has it not: looks for the events at fault, if there may be others. */
  #refused(outgoing: OutgoingBatch, agent: Agent, refusal: AgentRefusal): void {
    if (outgoing.search?.hasTaken(agent.name) !== true) agent.refused();
    // A status may be a full channel: what is then taken behind an event that waits would be sent again with it.
    const isWhole = outgoing.search === undefined && (outgoing.events.length === 1 || refusal.how === 'status');
    if (outgoing.isVoid || isWhole) {
      this.#giveUp(outgoing, refusal.cause);
      return;
    }
    if (outgoing.search !== undefined) outgoing.search.refused(outgoing, refusal);
    else {
      this.#searches.add(new BatchSearch(outgoing));
      const { cause } = refusal;
      const next = 'Its events are sent in parts, to find what is at fault.';
      const message = sentence(cause.message, next);
      this.#report.report({ what: cause.code, about: outgoing.stream, message, addition: next, cause });
    }
    const search = outgoing.search as unknown as BatchSearch;
    if (!this.#goOn(search)) this.#settle(search);
  }

  /** Sends the next part before all else of its stream; false where there is none. */
  #goOn(search: BatchSearch): boolean {
    const part = this.#searches.has(search) ? search.next() : undefined;
    if (part !== undefined) this.#queue.unshift(part);
    return part !== undefined;
  }

  /** The search is over: refuses what is left of its batch, each for its own reason. */
  #settle(search: BatchSearch): void {
    if (!this.#searches.delete(search)) return;
    const { trouble } = search;
    for (const suspect of search.atFault) this.#report.refused(suspect.part, eventError(suspect));
    for (const part of search.left) this.#report.refused(part, (trouble as AgentRefusal).cause);
  }

  #giveUp(outgoing: OutgoingBatch, cause: RxflumeError): void {
    const { search } = outgoing;
    const isSearched = search !== undefined && this.#searches.delete(search);
    this.#report.refused(outgoing, cause);
    if (isSearched) for (const part of search.unsettled) this.#report.refused(part, cause);
  }

  #refuseWaiting(causes: readonly unknown[]): void {
    const waiting = this.#queue;
    this.#queue = [];
    const cause = downError(this.#client.name, causes);
    for (const outgoing of waiting) this.#giveUp(outgoing, cause);
  }

  #changed(): void {
    this.#report.changed(
      this.#agents.reduce((sum, { connections }) => sum + connections, 0),
      this.#underWay.size,
    );
  }
}

function load({ agent }: Link): number {
  return agent.inFlight;
}

function nackedError(agent: string, { events, stream }: OutgoingBatch, problem: string, cause?: unknown): SinkError {
  return new SinkError(
    'RXF_FLUME_REFUSED',
    `${agent} did not take a batch of ${events.length} events of ${stream}: ${problem}. Its channel is full, or its ` +
      '`transactionCapacity` is below `batch.count`; see its log.',
    { cause, details: { agent, stream, events: events.length } },
  );
}

/** An event that was refused alone, where others of its batch were taken. */
function eventError({ part, refusal, isCleared }: Suspect): SinkError {
  const { agent, how, cause } = refusal;
  // A channel that was full for a moment answers with a status too, so only an error between two that were taken is for good.
  const retryable = how === 'status' || !isCleared;
  const next = retryable
    ? 'It is redelivered; if it is refused each time, set such events aside with `deadLetter(sink, { attempts })`.'
    : 'Set such events aside with `deadLetter`.';
  return new SinkError(
    'RXF_FLUME_EVENT_REFUSED',
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
    `No agent of ${name} can be reached: ${causes.map((cause) => describeError(cause)).join(' · ')}`,
    { cause: causes[0], retryable: causes.some((cause) => isRetryable(cause)) },
  );
}
