import { describe, it } from '@jest/globals';
import { amqpConsumerContract } from '../../src/testing/contracts/amqp-consumer-contract.js';
import { amqpPublisherContract } from '../../src/testing/contracts/amqp-publisher-contract.js';
import type { AmqpSubject } from '../../src/testing/contracts/amqp-subject.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';

function memorySubject(): AmqpSubject {
  const broker = new MemoryAmqp();
  return {
    driver: broker,
    createQueue: async (name, kind, args) => broker.createQueue(name, kind, args),
    deleteQueue: async (name) => broker.deleteQueue(name),
    createExchange: async (name, kind) => broker.createExchange(name, kind),
    bind: async (queue, exchange, routingKey, args) => broker.bind(queue, { exchange, routingKey, arguments: args }),
    send: async (queue, contents, properties) => broker.send(queue, contents, properties),
    ready: async (queue) => broker.ready(queue).length,
    cut: async () => broker.cut(),
  };
}

describe('RabbitMQ in memory keeps the contracts', () => {
  for (const check of [...amqpConsumerContract, ...amqpPublisherContract]) {
    it(check.name, () => check.run(memorySubject()));
  }
});
