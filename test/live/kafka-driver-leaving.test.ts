import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { freshName, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';

describe('a member of the classic protocol', () => {
  const kafka = new LiveKafka();
  const members: KafkaTrace[] = [];
  beforeAll(() => kafka.start(), 30_000);
  afterEach(() => Promise.all(members.splice(0).map((member) => member.close())));
  afterAll(() => kafka.stop());

  it('leaves the group at once, though it waits for others to join: a new one, and one that was a member before', async () => {
    const topic = freshName('leaving');
    await kafka.createTopic(topic, 2);
    const joined = (): KafkaTrace => {
      const subscription = kafkaSubscription(topic, { protocol: 'classic', sessionTimeoutMs: 30_000 });
      const member = new KafkaTrace().join(kafka.driver, subscription);
      members.push(member);
      return member;
    };
    const [slow, old] = [joined(), joined()];
    await until(() => slow.partitions.length === 1 && old.partitions.length === 1, 'one of the two each', slow, 20_000);
    const inGroup = async () => {
      const { groups } = await kafka.admin.describeGroups([`${topic}-group`]);
      return groups[0]?.members.length;
    };
    slow.settle = () => NEVER;
    const revoked = () => old.calls.filter((call) => call === 'lost').length;
    const before = revoked();
    const fresh = joined();
    await until(async () => revoked() > before && (await inGroup()) === 3, 'all three of the group', fresh, 5_000);
    const began = performance.now();
    await Promise.all([fresh.close(), old.close()]);
    expect(await inGroup()).toBe(1);
    expect(performance.now() - began).toBeLessThan(2_500);
  }, 60_000);
});
