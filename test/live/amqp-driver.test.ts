import { afterAll, beforeAll, it } from '@jest/globals';
import { amqpConsumerContract } from '../../src/testing/contracts/amqp-consumer-contract.js';
import { amqpPublisherContract } from '../../src/testing/contracts/amqp-publisher-contract.js';
import { LiveRabbitmq } from '../drivers/amqplib/live-rabbitmq.js';
import { describeRabbitmq } from './rabbitmq-support.js';

describeRabbitmq('the amqplib driver keeps the contracts on a real broker', () => {
  const rabbitmq = new LiveRabbitmq();
  beforeAll(() => rabbitmq.start());
  afterAll(() => rabbitmq.stop());
  for (const check of [...amqpConsumerContract, ...amqpPublisherContract]) {
    it(check.name, () => check.run(rabbitmq), 60_000);
  }
});
