import { type Tracer, trace } from '@opentelemetry/api';
import { Observable } from 'rxjs';
import { expectKnown, expectOption } from '../core/options.js';
import type { Acker } from '../delivery/acker.js';
import { type DeliveryOperator, deliveryOperator } from '../delivery/delivery-operator.js';
import { oncePerAcker } from '../delivery/forwarding-acker.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import { PendingSpans, SettleSpans } from './settle-spans.js';
import { TracedAcker } from './traced-acker.js';

export interface TracingOptions {
  /** Makes the spans. Default: that of the name `rxflume` of the provider that is registered. */
  readonly tracer?: Tracer;
}

/**
 * Traces what the rest of the flow, most often its sink, does with deliveries: a *settle* span for each file or batch, linked to the spans that its
 * records were sent in, which `traceparent` in the headers of Kafka and RabbitMQ names. It begins when the first of the linked
 * records passed here, and ends with the ack or the nack. Where no record was sampled there is no span, and never is there one for each record.
 *
 * The values and the headers pass unchanged, so the Kafka sink and the RabbitMQ sink send the trace context on by themselves; `traceHeaders` does
 * it for the HTTP sink.
 *
 * ```ts
 * import type { Delivery } from 'rxflume';
 * import { traceDeliveries } from 'rxflume/opentelemetry';
 * import type { OperatorFunction } from 'rxjs';
 *
 * // flow('chat', source, decode(json()), traced, sink.write())
 * export const traced: OperatorFunction<Delivery<unknown>, Delivery<unknown>> = traceDeliveries();
 * ```
 *
 * Settles: nothing itself; what follows does. What was settled within 100 ms of the last span of a stream shares the next one.
 * Bounds: 128 links a span, and 4,096 span contexts of the unsettled deliveries of each stream: those beyond are not linked.
 * Fails: `OptionError` at the call; never for a header: one that is malformed, repeated or too long is ignored.
 * Source: W3C Trace Context; OpenTelemetry, semantic conventions for messaging spans, whose status is Development.
 */
export function traceDeliveries<T>(options: TracingOptions = {}): DeliveryOperator<T> {
  const tracer = checkTracing('traceDeliveries options', options);
  return deliveryOperator(
    'traceDeliveries',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const pending = new PendingSpans();
        const byEpoch = new WeakMap<Acker['flush$'], SettleSpans>();
        const ackerOf = oncePerAcker(({ acker, origin }) => {
          const { flush$ } = acker;
          const spans = byEpoch.get(flush$) ?? new SettleSpans(flush$, origin, tracer, pending);
          byEpoch.set(flush$, spans);
          return new TracedAcker(acker, spans);
        });
        let hasCompleted = false;
        const takeFrom = subscribeOrdered(subscriber, () => pending.end(!hasCompleted));
        takeFrom(source, {
          next: (delivery) => subscriber.next(ackerOf(delivery).take(delivery)),
          complete: () => {
            // A sink may settle the last of it after this.
            hasCompleted = true;
            subscriber.complete();
          },
        });
      }),
  );
}

/** The tracer of checked options. Throws `OptionError`. */
export function checkTracing(name: string, options: TracingOptions): Tracer {
  expectKnown(name, options, ['tracer']);
  const { tracer = trace.getTracer('rxflume') } = options;
  expectOption('tracer', tracer, typeof tracer?.startSpan === 'function', 'a Tracer of @opentelemetry/api');
  return tracer;
}
