import amqpPackage, { type ChannelModel, type ConfirmChannel } from 'amqplib';
import { type AmqplibOptions, amqplib } from '../../../src/drivers/amqplib/index.js';
import { publishOptions } from '../../../src/drivers/amqplib/publish-options.js';
import type { AmqpConsumerDriver, AmqpProperties, AmqpQueueKind, AmqpTable } from '../../../src/ports/amqp-consumer.js';
import type { AmqpPublisherDriver } from '../../../src/ports/amqp-publisher.js';
import type { AmqpSubject } from '../../../src/testing/contracts/amqp-subject.js';
import { Door } from './door.js';

export const RABBITMQ = globalThis.process.env.RXFLUME_RABBITMQ_URL ?? 'amqp://127.0.0.1:19672';

/** The real broker, with a connection of the test's own beside the driver's, which go through a door. */
export class LiveRabbitmq implements AmqpSubject {
  driver!: AmqpConsumerDriver & AmqpPublisherDriver;
  door!: Door;
  #connection!: ChannelModel;
  #channel!: ConfirmChannel;

  async start(): Promise<void> {
    this.door = await Door.before(new URL(RABBITMQ));
    this.driver = this.newDriver();
    this.#connection = await amqpPackage.connect(RABBITMQ);
    // It may be ended by what a test does to all connections.
    this.#connection.on('error', () => undefined);
    this.#channel = await this.#connection.createConfirmChannel();
  }

  async stop(): Promise<void> {
    await this.#connection.close();
    await this.door.close();
  }

  newDriver(options: Partial<AmqplibOptions> = {}): AmqpConsumerDriver & AmqpPublisherDriver {
    return amqplib({ urls: [`amqp://127.0.0.1:${this.door.port}`], ...options });
  }

  get channel(): ConfirmChannel {
    return this.#channel;
  }

  async createQueue(name: string, kind: AmqpQueueKind, args: AmqpTable = {}): Promise<void> {
    await this.#channel.assertQueue(name, { arguments: { ...args, 'x-queue-type': kind } });
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#channel.deleteQueue(name);
  }

  async createExchange(name: string, kind: string): Promise<void> {
    await this.#channel.assertExchange(name, kind, { durable: true });
  }

  async bind(queue: string, exchange: string, routingKey: string, args: AmqpTable = {}): Promise<void> {
    await this.#channel.bindQueue(queue, exchange, routingKey, args);
  }

  async send(queue: string, contents: readonly string[], properties: AmqpProperties = {}): Promise<void> {
    for (const content of contents) {
      this.#channel.sendToQueue(queue, Buffer.from(content), { ...publishOptions(properties), mandatory: false });
    }
    await this.#channel.waitForConfirms();
  }

  async ready(queue: string): Promise<number> {
    return (await this.#channel.checkQueue(queue)).messageCount;
  }

  async cut(): Promise<void> {
    this.door.cut();
  }
}
