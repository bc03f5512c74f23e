import { isSpanContextValid, type Link, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import type { Origin } from '../delivery/delivery.js';
import { destinationOf } from './messaging-attributes.js';
import { MAX_LINKS } from './settle-spans.js';
import { headersOf, spanContextOf } from './trace-context.js';
import { checkTracing, type TracingOptions } from './trace-deliveries.js';

/** What `traceHeaders` needs of a batch of `httpSink`. */
export interface TracedBatch {
  readonly origins: readonly Origin[];
}

/**
 * Trace context for the requests of `httpSink`. A request has one parent and its values may be of many traces, so each attempt has a *send*
 * span of its own, linked to those that its values were sent in, and `traceparent` names that span. The span marks the moment of the request; how long a
 * batch took is in its settle span. None where no value was sampled.
 *
 * ```ts
 * import { httpSink } from 'rxflume';
 * import { undici } from 'rxflume/drivers/undici';
 * import { traceHeaders } from 'rxflume/opentelemetry';
 *
 * export const hook = httpSink(undici(), { url: 'https://hooks.example/chat', headers: traceHeaders() });
 * ```
 *
 * Bounds: 128 links a span.
 * Fails: `OptionError` at the call; never for a header.
 * Source: W3C Trace Context; OpenTelemetry, semantic conventions for messaging spans, whose status is Development.
 */
export function traceHeaders(options: TracingOptions = {}): (batch: TracedBatch) => Readonly<Record<string, string>> {
  const tracer = checkTracing('traceHeaders options', options);
  return ({ origins }) => {
    const links: Link[] = [];
    for (const origin of origins) {
      if (links.length === MAX_LINKS) break;
      const context = spanContextOf(origin);
      if (context !== undefined) links.push({ context });
    }
    const [first] = origins;
    if (first === undefined || links.length === 0) return {};
    const { name, attributes } = destinationOf(first);
    const span = tracer.startSpan(
      `send ${name}`,
      {
        kind: SpanKind.PRODUCER,
        links,
        attributes: {
          'rxflume.stream': attributes['rxflume.stream'],
          'messaging.operation.type': 'send',
          'messaging.operation.name': 'send',
          'messaging.batch.message_count': origins.length,
        },
      },
      ROOT_CONTEXT,
    );
    span.end();
    const context = span.spanContext();
    return isSpanContextValid(context) ? headersOf(context) : {};
  };
}
