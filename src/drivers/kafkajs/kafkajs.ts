import { Observable } from 'rxjs';
import type { KafkaDriver } from '../../ports/kafka-consumer.js';
import { Connection } from './connection.js';
import type { Internals } from './internals.js';
import { checkOptions, type KafkajsOptions } from './options.js';
import { openInternals } from './patches.js';
import { type OpenSocket, openSocket } from './sockets.js';

/**
 * Kafka through kafkajs 2.2.4: options in, a driver out. It uses a copy of kafkajs of its own, so the application's
 * `import 'kafkajs'` is not touched.
 *
 * Bounds: two fetches of each partition, and `maxBatchBytes` for one compressed batch; records that are kept keep their
 * whole fetch (`LeanRecord`).
 * Fails: at the call with `RXF_OPTION_INVALID`, or `RXF_DRIVER_MISSING` where kafkajs 2.2.4 is not installed.
 */
export function kafkajs(options: KafkajsOptions): KafkaDriver {
  return kafkajsOver(options, openSocket);
}

/** The same with sockets of the caller's, for tests that cut them. */
export function kafkajsOver(given: KafkajsOptions, open: OpenSocket): KafkaDriver {
  const options = checkOptions(given);
  const internals: Internals = openInternals(options);
  return {
    name: `kafka ${options.brokers.join(',')}`,
    addresses: options.brokers,
    connect: (subscription, listener) =>
      new Observable((subscriber) => {
        const connection = new Connection(internals, open, options, subscription, listener, subscriber);
        connection.start();
        return () => connection.abandon();
      }),
  };
}
