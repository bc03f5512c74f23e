import { Observable } from 'rxjs';
import type { KafkaDriver } from '../../ports/kafka-consumer.js';
import type { KafkaProducerDriver } from '../../ports/kafka-producer.js';
import { checkOptions, type KafkajsOptions } from './options.js';
import { kafkaProbe } from './probe/kafka-probe.js';
import { Producer, packingOf } from './producer/producer.js';
import { Connection } from './vendor/connection.js';
import type { Internals } from './vendor/internals.js';
import { openInternals } from './vendor/patches.js';
import { type OpenSocket, openSocket } from './vendor/sockets.js';

/**
 * Kafka through kafkajs 2.2.4: options in, a driver out. It uses a copy of kafkajs of its own, so the application's
 * `import 'kafkajs'` is not touched.
 *
 * ```ts
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 *
 * export const kafka = kafkajs({
 *   brokers: ['k1:9093', 'k2:9093'],
 *   tls: true,
 *   sasl: { mechanism: 'scram-sha-512', username: 'lake', password: '…' },
 * });
 * ```
 *
 * Bounds: two fetches of each partition, as much again that waits to be read into, and `maxBatchBytes` for one compressed
 * batch; records that are kept keep their batch (`LeanRecord`).
 * Fails: at the call with `RXF_OPTION_INVALID`, or `RXF_DRIVER_MISSING` where kafkajs 2.2.4 is not installed.
 * Source: kafkajs 2.2.4; the Kafka protocol guide.
 */
export function kafkajs(options: KafkajsOptions): KafkaDriver & KafkaProducerDriver {
  return kafkajsOver(options, openSocket);
}

/** The same with sockets of the caller's, for tests that cut them. */
export function kafkajsOver(given: KafkajsOptions, open: OpenSocket): KafkaDriver & KafkaProducerDriver {
  const options = checkOptions(given);
  const internals: Internals = openInternals(options);
  const name = `kafka ${options.brokers.join(',')}`;
  return {
    name,
    addresses: options.brokers,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs,
    open: (producing, listener) => {
      const packing = packingOf(internals, producing.compression);
      return new Observable((subscriber) => {
        const producer = new Producer(internals, open, options, { name, producing, packing }, listener, subscriber);
        producer.start();
        return () => producer.abandon();
      });
    },
    connect: (subscription, listener) =>
      new Observable((subscriber) => {
        const connection = new Connection(internals, open, options, subscription, listener, subscriber);
        connection.start();
        return () => connection.abandon();
      }),
    probe: (probed, setting) => kafkaProbe(internals, open, options, probed, setting),
  };
}
