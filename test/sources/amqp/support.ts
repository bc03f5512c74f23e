import { NEVER } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Source } from '../../../src/delivery/source.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import type { AmqpSourceOptions } from '../../../src/sources/amqp/options.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { SourceRun } from '../../support/source-run.js';

export interface Running {
  /** Values in order of arrival, with a star where they are redelivered. */
  readonly seen: string[];
  readonly out: Delivery<Buffer>[];
  /** The first that is out with this value. */
  one(value: string, nth?: number): Delivery<Buffer>;
  readonly ended: () => string;
  readonly error: () => unknown;
  readonly running: { unsubscribe(): void };
  drain(): void;
}

/** Subscribes, and keeps what comes. */
export function run(source: Source<Delivery<Buffer>>): Running {
  const seen: string[] = [];
  const running = new SourceRun(source, NEVER, ({ value, origin }) => {
    seen.push(`${value}${(origin as { isRedelivered?: boolean }).isRedelivered ? '*' : ''}`);
  });
  return {
    seen,
    out: running.seen,
    one: (value, nth = 0) => running.seen.filter((one) => String(one.value) === value)[nth] as Delivery<Buffer>,
    ended: () => running.end.replace('error ', ''),
    error: () => running.error,
    running: { unsubscribe: running.leave },
    drain: running.drain,
  };
}

/** A monitor whose notices are kept. */
export function monitored(): { readonly monitor: Monitor; readonly logEvents: string[] } {
  const monitor = new Monitor();
  const logEvents: string[] = [];
  monitor.logEvents$.subscribe(({ what }) => logEvents.push(what));
  return { monitor, logEvents };
}

export const busy = () => new SinkError('RXF_SINK_WRITE', 'busy');
export const wrong = () => new SinkError('RXF_SINK_FORMAT', 'no object');

/** A broker with these queues. */
export function broker(kind: 'classic' | 'quorum' = 'classic', args = {}, queues = ['q']) {
  const own = new MemoryAmqp();
  for (const queue of queues) own.createQueue(queue, kind, args);
  return own;
}

/** Reads them, with quick and even reconnects. */
export function read(own: MemoryAmqp, options: Partial<AmqpSourceOptions> = {}) {
  const reconnect = { firstDelayMs: 100, maxDelayMs: 1_000, jitter: 0, ...options.reconnect };
  return run(amqpSource(own, { queues: ['q'], monitor: new Monitor(), ...options, reconnect }));
}
