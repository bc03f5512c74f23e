import type { Home } from '../../../src/drivers/kafkajs/consumer/home.js';
import { DriverLog } from '../../../src/drivers/kafkajs/driver-log.js';
import { checkOptions } from '../../../src/drivers/kafkajs/options.js';
import { type KafkaTrace, kafkaSubscription } from '../../../src/testing/contracts/kafka-trace.js';

/** What a member is given: the topic `t`, heartbeats each 10 ms, epochs from 1 on; and what the test changes. */
export function homeOf(trace: KafkaTrace, given: Partial<Home> = {}): Home {
  const options = given.options ?? checkOptions({ brokers: ['k1:9092'], heartbeatIntervalMs: 10 });
  let epoch = 0;
  return {
    listener: trace,
    subscription: kafkaSubscription('t'),
    options,
    driverLog: new DriverLog(trace, []),
    setting: { brokers: options.brokers, secrets: [] },
    hasJoined: false,
    topicIds: new Map(),
    nextEpoch: () => {
      epoch += 1;
      return epoch;
    },
    joined: () => undefined,
    failed: () => undefined,
    ...given,
  };
}
