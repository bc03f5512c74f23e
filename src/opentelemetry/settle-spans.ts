import { type Link, ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { type Subscription, timer } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import { shortName } from '../core/errors.js';
import type { Acker } from '../delivery/acker.js';
import type { Delivery, Origin } from '../delivery/delivery.js';
import { FanOutState } from '../delivery/fan-out-state.js';
import { isEpochOver } from '../delivery/flush-listeners.js';
import { ForwardingAcker } from '../delivery/forwarding-acker.js';
import { destinationOf } from './messaging-attributes.js';
import { spanContextOf } from './trace-context.js';

/** The most links of a span, as many as SDKs keep. */
export const MAX_LINKS = 128;
/** The most span contexts that are kept of the unsettled deliveries of an acker. */
const MAX_CONTEXTS = 4_096;
/** Spans of one acker are at least so far apart: what is settled one by one shares a span. */
const MIN_INTERVAL_MS = 100;

interface Traced {
  readonly context: SpanContext;
  /** When it went on to the sink, in milliseconds since 1970. */
  readonly at: number;
}

/** What has been settled of an acker and is in no span yet. */
interface Settled {
  readonly verb: 'ack' | 'nack';
  readonly causeName: string | undefined;
  startedAt: number;
  endedAt: number;
  count: number;
  readonly links: Link[];
}

/** The spans of one subscription that are still being gathered. */
export class PendingSpans {
  readonly #pending = new Set<SettleSpans>();
  #isOver = false;

  add(spans: SettleSpans): void {
    this.#pending.add(spans);
  }

  delete(spans: SettleSpans): void {
    this.#pending.delete(spans);
  }

  /** True after an unsubscription: what is nacked then is only abandoned. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Makes them now. `isOver`: none follows. */
  end(isOver: boolean): void {
    this.#isOver = isOver;
    for (const spans of [...this.#pending]) spans.end();
  }
}

/**
 * Makes a span of what is settled together, with links to the spans that the deliveries were sent in.
 *
 * Settles: nothing itself; each verb goes on to the acker behind first.
 * Bounds: 4 bytes for each unsettled delivery, 4,096 span contexts, two spans that are being gathered.
 */
export class SettleSpans extends ForwardingAcker {
  readonly #tracer: Tracer;
  readonly #origin: Origin;
  readonly #open = new FanOutState(1);
  readonly #traced = new Map<number, Traced>();
  readonly #settled = new Map<Settled['verb'], Settled>();
  readonly #pending: PendingSpans;
  #timer: Subscription | undefined;
  #lastSpanAt = Number.NEGATIVE_INFINITY;

  /** `origin`: of any of its deliveries; `pending`: knows it while it has a span to make. */
  constructor(inner: Acker, origin: Origin, tracer: Tracer, pending: PendingSpans) {
    super(inner);
    this.#tracer = tracer;
    this.#origin = origin;
    this.#pending = pending;
  }

  take({ seq, origin }: Delivery<unknown>): void {
    this.#open.take(seq);
    if (this.#traced.size >= MAX_CONTEXTS) return;
    const context = spanContextOf(origin);
    if (context !== undefined) this.#traced.set(seq, { context, at: timeOfDayMs() });
  }

  override ack(first: number, next: number): void {
    super.ack(first, next);
    this.#gather('ack', undefined, first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    // Before, since it may end the epoch: what follows is stale, and this is not.
    this.#gather('nack', shortName(cause), first, next);
    super.nack(first, next, cause);
  }

  /** Makes a span of what has been settled, now. */
  end(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#pending.delete(this);
    for (const settled of this.#settled.values()) this.#span(settled);
    this.#settled.clear();
  }

  #gather(verb: Settled['verb'], causeName: string | undefined, first: number, next: number): void {
    let count = 0;
    this.#open.nack(0, first, next, (from, to) => {
      count += to - from;
    });
    if (count === 0) return;
    this.#open.close(first, next);
    const traced = this.#takeTraced(first, next);
    if (traced.length === 0 && this.#settled.get(verb) === undefined) return;
    const settled = this.#settled.get(verb) ?? this.#begin(verb, causeName);
    if (settled === undefined) return;
    settled.count += count;
    settled.endedAt = timeOfDayMs();
    for (const { context, at } of traced) {
      settled.startedAt = Math.min(settled.startedAt, at);
      if (settled.links.length < MAX_LINKS) settled.links.push({ context });
    }
  }

  #begin(verb: Settled['verb'], causeName: string | undefined): Settled | undefined {
    // Stale: it is redelivered, and settled then.
    if (this.#pending.isOver || isEpochOver(this.flush$)) return undefined;
    const now = timeOfDayMs();
    const settled: Settled = { verb, causeName, startedAt: now, endedAt: now, count: 0, links: [] };
    this.#settled.set(verb, settled);
    this.#pending.add(this);
    // Not at once: a file or a batch is settled in several runs, one right after the other.
    this.#timer ??= timer(Math.max(0, this.#lastSpanAt + MIN_INTERVAL_MS - monotonicMs())).subscribe(() => this.end());
    return settled;
  }

  /** A run may be of a million sequence numbers, and few of them traced: whichever is less is looked through. */
  #takeTraced(first: number, next: number): Traced[] {
    const seqs =
      next - first > this.#traced.size
        ? [...this.#traced.keys()].filter((seq) => seq >= first && seq < next)
        : Array.from({ length: next - first }, (_, at) => first + at);
    return seqs.flatMap((seq) => {
      const traced = this.#traced.get(seq);
      this.#traced.delete(seq);
      return traced === undefined ? [] : [traced];
    });
  }

  #span({ verb, causeName, startedAt, endedAt, count, links }: Settled): void {
    this.#lastSpanAt = monotonicMs();
    const { name, attributes } = destinationOf(this.#origin);
    const span = this.#tracer.startSpan(
      `${verb} ${name}`,
      {
        kind: SpanKind.CLIENT,
        // As a date: an SDK takes a small number for a reading of `performance`.
        startTime: new Date(startedAt),
        links,
        attributes: {
          ...attributes,
          'messaging.operation.type': 'settle',
          'messaging.operation.name': verb,
          'messaging.batch.message_count': count,
        },
      },
      ROOT_CONTEXT,
    );
    if (causeName !== undefined) {
      span.setAttribute('error.type', causeName);
      span.setStatus({ code: SpanStatusCode.ERROR, message: causeName });
    }
    span.end(new Date(Math.max(startedAt, endedAt)));
  }
}
