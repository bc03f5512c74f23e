import type { Attributes } from '@opentelemetry/api';
import type { Origin } from '../delivery/delivery.js';
import { isAmqpOrigin } from '../ports/amqp-consumer.js';

/** The longest name of a destination that a span is named for. */
const MAX_NAME = 100;

/** Where a delivery comes from, by the semantic conventions, and what spans of it are named for. */
export interface Destination {
  readonly name: string;
  readonly attributes: Attributes;
}

/**
 * Source: OpenTelemetry, semantic conventions for messaging spans, which have the status Development: the names may change in a
 * later version of them, and then here in a minor version.
 */
export function destinationOf(origin: Origin): Destination {
  const { stream } = origin;
  const attributes = { 'rxflume.stream': stream };
  const [, topic, partition] = /^kafka:(.*)\/(\d+)$/s.exec(stream) ?? [];
  if (topic !== undefined && partition !== undefined) {
    return {
      name: topic,
      attributes: {
        ...attributes,
        'messaging.system': 'kafka',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': partition,
      },
    };
  }
  if (isAmqpOrigin(origin)) {
    const { queue } = origin;
    const known = { 'messaging.system': 'rabbitmq', 'messaging.destination.name': queue };
    return { name: queue.slice(0, MAX_NAME), attributes: { ...attributes, ...known } };
  }
  return { name: stream.slice(0, MAX_NAME), attributes };
}
