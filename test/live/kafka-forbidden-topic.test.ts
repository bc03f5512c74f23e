import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { freshName, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { describeOwnKafka, OwnKafka } from './own-kafka.js';

// Skipped only where the services run in Docker: without Kafka's jars no broker of its own can be started.

describeOwnKafka('a broker that forbids and throttles', () => {
  let own: OwnKafka;
  let member: KafkaTrace | undefined;
  beforeAll(async () => {
    own = await OwnKafka.start();
  }, 60_000);
  afterEach(() => member?.close());
  afterAll(() => own?.stop());

  async function made(name: string, values: readonly string[]): Promise<void> {
    await own.admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true });
    const producer = own.kafka.producer();
    await producer.connect();
    await producer.send({ topic: name, messages: values.map((value) => ({ value })) });
    await producer.disconnect();
  }

  /** What may be seen of it and not read: without `Describe` a pattern does not meet it at all. */
  async function forbidReading(topic: string): Promise<void> {
    const acl = (operation: AclOperationTypes, permissionType: AclPermissionTypes) => ({
      resourceType: AclResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:ANONYMOUS',
      host: '*',
      operation,
      permissionType,
    });
    await own.admin.createAcls({
      acl: [
        acl(AclOperationTypes.DESCRIBE, AclPermissionTypes.ALLOW),
        acl(AclOperationTypes.READ, AclPermissionTypes.DENY),
      ],
    });
  }

  it('reads the other topics of a pattern and names the forbidden one; one that is deleted ends nothing', async () => {
    const name = freshName('kafka-forbidden');
    for (const one of ['a', 'b', 'c']) await made(`${name}-${one}`, [`${one}0`]);
    await forbidReading(`${name}-b`);
    const trace = new KafkaTrace();
    member = trace;
    const driver = kafkajs({ brokers: own.brokers, metadataMaxAgeMs: 500 });
    trace.join(driver, kafkaSubscription(name, { topics: new RegExp(`^${name}-`) }));
    await trace.received(2);
    const isNamed = () =>
      trace.logEvents.some((logEvent) => logEvent.includes(`${name}-b`) && logEvent.includes('Grant'));
    await until(isNamed, 'the notice', trace);
    expect(trace.logEvents.filter((logEvent) => logEvent.includes('kafka.skipped'))).toHaveLength(1);
    await own.admin.deleteTopics({ topics: [`${name}-c`] });
    await until(
      () => trace.logEvents.some((logEvent) => logEvent.includes('kafka.repartitioned')),
      'the joining',
      trace,
    );
    const producer = own.kafka.producer();
    await producer.connect();
    await producer.send({ topic: `${name}-a`, messages: [{ value: 'a1' }] });
    await producer.disconnect();
    await until(() => trace.all.some(({ value }) => String(value) === 'a1'), 'what came after', trace);
    expect(trace.error).toBeUndefined();
  }, 45_000);

  it('a quota is named as the reason of a wait, and the broker is not called late', async () => {
    const topic = freshName('kafka-quota');
    const clientId = freshName('throttled');
    await made(
      topic,
      Array.from({ length: 18 }, () => 'x'.repeat(50_000)),
    );
    const quota = ['--alter', '--add-config', 'consumer_byte_rate=10000', '--entity-type', 'clients'];
    await own.tool('kafka.admin.ConfigCommand', ...quota, '--entity-name', clientId);
    const trace = new KafkaTrace();
    member = trace;
    trace.join(kafkajs({ brokers: own.brokers, clientId }), kafkaSubscription(topic, { maxPartitionBytes: 1_000_000 }));
    await until(() => trace.logEvents.some((logEvent) => logEvent.includes('quota')), 'the notice', trace, 20_000);
    expect(trace.logEvents.filter((logEvent) => logEvent.includes('is slow to respond'))).toEqual([]);
    expect(trace.error).toBeUndefined();
  }, 45_000);
});
