import { type Link, ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { type Subscription, timer } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import type { Acker } from '../delivery/acker.js';
import type { Origin } from '../delivery/delivery.js';
import { isEpochOver } from '../delivery/flush-listeners.js';
import { destinationOf } from './messaging-attributes.js';

/** The most links of a span, as many as SDKs keep. */
export const MAX_LINKS = 128;
/** The most span contexts that are kept of the unsettled deliveries of a stream. */
const MAX_CONTEXTS = 4_096;
/** Spans of one stream are at least so far apart: what is settled one by one shares a span. */
const MIN_INTERVAL_MS = 100;

/** The span that a delivery was sent in. */
export interface Traced {
  readonly context: SpanContext;
  /** When it went on to the sink, in milliseconds since 1970. */
  readonly at: number;
}

/** What has been settled and is in no span yet. */
interface Settled {
  readonly verb: 'ack' | 'nack';
  readonly causeName: string | undefined;
  startedAt: number;
  endedAt: number;
  count: number;
  readonly links: Link[];
}

/**
 * The spans of one stream and epoch, of all its ackers: an operator before may have given each delivery one of its own.
 *
 * Bounds: two spans that are being gathered, of 128 links each.
 */
export class SettleSpans {
  readonly #tracer: Tracer;
  readonly #origin: Origin;
  readonly #flush$: Acker['flush$'];
  readonly #pending: PendingSpans;
  readonly #settled = new Map<Settled['verb'], Settled>();
  #contexts = 0;
  #timer: Subscription | undefined;
  #lastSpanAt = Number.NEGATIVE_INFINITY;

  /** `origin`: of any of its deliveries; `pending`: knows it while it has a span to make. */
  constructor(flush$: Acker['flush$'], origin: Origin, tracer: Tracer, pending: PendingSpans) {
    this.#flush$ = flush$;
    this.#origin = origin;
    this.#tracer = tracer;
    this.#pending = pending;
  }

  /** Whether there is room for the context of one more delivery. */
  get hasRoom(): boolean {
    return this.#contexts < MAX_CONTEXTS;
  }

  /** A context is kept, until its delivery is settled. */
  kept(): void {
    this.#contexts += 1;
  }

  /** So many deliveries are settled, of which some were traced. `causeName`: of a nack. */
  settled(verb: Settled['verb'], count: number, traced: readonly Traced[], causeName?: string): void {
    this.#contexts -= traced.length;
    const settled = this.#settled.get(verb) ?? (traced.length === 0 ? undefined : this.#begin(verb, causeName));
    if (settled === undefined) return;
    settled.count += count;
    settled.endedAt = timeOfDayMs();
    for (const { context, at } of traced) {
      settled.startedAt = Math.min(settled.startedAt, at);
      if (settled.links.length < MAX_LINKS) settled.links.push({ context });
    }
  }

  /** Makes a span of what has been settled, now. */
  end(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#pending.delete(this);
    for (const settled of this.#settled.values()) this.#span(settled);
    this.#settled.clear();
  }

  #begin(verb: Settled['verb'], causeName: string | undefined): Settled | undefined {
    // Stale: it is redelivered, and settled then.
    if (this.#pending.isOver || isEpochOver(this.#flush$)) return undefined;
    const now = timeOfDayMs();
    const settled: Settled = { verb, causeName, startedAt: now, endedAt: now, count: 0, links: [] };
    this.#settled.set(verb, settled);
    this.#pending.add(this);
    // Not at once: a file or a batch is settled in several runs, one right after the other.
    this.#timer ??= timer(Math.max(0, this.#lastSpanAt + MIN_INTERVAL_MS - monotonicMs())).subscribe(() => this.end());
    return settled;
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
