import { afterEach, describe, expect, it } from '@jest/globals';
import { Member } from '../../../../src/drivers/kafkajs/consumer/member.js';
import { sleep, until } from '../../../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../../../src/testing/contracts/kafka-trace.js';
import { brokerError, FakeLink } from '../fake-link.js';
import { homeOf } from '../home.js';

const lives: { member: Member; done: Promise<unknown> }[] = [];
const reset = () =>
  Object.assign(new Error('read ECONNRESET'), { name: 'KafkaJSConnectionError', code: 'ECONNRESET', retriable: true });

function live(link = new FakeLink(), maxWaitMs = 100, trace = new KafkaTrace()) {
  const member = new Member(link.as(), homeOf(trace, { subscription: kafkaSubscription('t', { maxWaitMs }) }));
  const done = member.run().catch(() => undefined);
  lives.push({ member, done });
  return { link, trace, member };
}

afterEach(async () => {
  for (const { member, done } of lives.splice(0)) {
    member.close();
    await done;
  }
});

const fetches = (link: FakeLink, count: number) => until(() => link.fetches.length === count, `fetch ${count}`);

describe('whether the driver can read', () => {
  it('is reported once when fetches begin to fail, and once when all partitions are answered again, empty or not', async () => {
    const { link, trace } = live();
    await fetches(link, 1);
    link.fetches[0]?.answerAll();
    await fetches(link, 2);
    expect(trace.readings).toEqual([]);
    link.fetches[1]?.fail(reset());
    await fetches(link, 3);
    link.fetches[2]?.fail(reset());
    await fetches(link, 4);
    expect(trace.readings).toEqual([false]);
    link.fetches[3]?.answer(0, [0, 1]);
    await fetches(link, 5);
    expect(trace.readings).toEqual([false]);
    link.fetches[4]?.answerAll();
    await fetches(link, 6);
    expect(trace.readings).toEqual([false, true]);
    expect(trace.logEvents).toEqual([
      'kafka.trouble A fetch failed: read ECONNRESET. Retrying.',
      'kafka.reading All partitions can be read again. Reading resumes.',
    ]);
  });

  it('reports one partition in trouble among others', async () => {
    const { link, trace } = live();
    await fetches(link, 1);
    link.fetches[0]?.answer(0, [], 6);
    await fetches(link, 2);
    expect(trace.readings).toEqual([false]);
    await sleep(120);
    link.fetches[1]?.answerAll();
    await fetches(link, 3);
    expect(trace.readings).toEqual([false]);
    link.fetches[2]?.answerAll();
    await until(() => trace.readings.length === 2, 'the change');
    expect(trace.readings).toEqual([false, true]);
  });

  it('reports a partition without a leader', async () => {
    const link = new FakeLink();
    link.leaders = { 1: -1 };
    const { trace } = live(link);
    await fetches(link, 1);
    expect(trace.readings).toEqual([false]);
    link.leaders = {};
    link.fetches[0]?.answerAll();
    await fetches(link, 2);
    link.fetches[1]?.answerAll();
    await until(() => trace.readings.length === 2, 'the change');
  });

  it('an answer that does not come counts as not reading a second after it was due, until it comes', async () => {
    const { link, trace } = live();
    await fetches(link, 1);
    const from = performance.now();
    await until(() => trace.readings.length === 1, 'the change', undefined, 1_250);
    expect(performance.now() - from).toBeGreaterThan(900);
    expect(trace.logEvents).toEqual([
      'kafka.trouble Broker 1 is slow to respond to a fetch. The fetch is retried when the request times out.',
    ]);
    link.fetches[0]?.answerAll();
    await fetches(link, 2);
    expect(trace.readings).toEqual([false, true]);
  });

  it('a fetch that a quota holds back is reported as that, and not as a late broker', async () => {
    const link = new FakeLink();
    link.throttled = true;
    const { trace } = live(link);
    await fetches(link, 1);
    await until(() => trace.logEvents.length === 1, 'the notice', undefined, 1_250);
    expect(trace.logEvents[0]).toMatch(
      /Broker 1 throttles fetches by a quota.*kafka-configs.sh .*--describe --entity-type clients/,
    );
    expect(trace.logEvents[0]).not.toContain('is slow to respond');
  });

  it('heartbeats that fail count as not reading until one is answered', async () => {
    const { link, trace } = live();
    await fetches(link, 1);
    link.heartbeatErrors.push(reset());
    await until(() => trace.readings.length === 2, 'two changes');
    expect(trace.readings).toEqual([false, true]);
    link.heartbeatErrors.push(brokerError('REBALANCE_IN_PROGRESS'));
    await until(() => trace.epoch === 2, 'the next epoch');
    expect(trace.readings).toEqual([false, true]);
  });

  it('what fails while the start is looked up is reported after `assigned` has answered', async () => {
    const link = new FakeLink();
    let isUp = false;
    link.committed = async () => {
      if (!isUp) throw reset();
      return { offsets: [], rejected: [] };
    };
    link.heartbeat = async () => {
      if (!isUp) throw reset();
    };
    const trace = new KafkaTrace();
    trace.answer = async () => {
      await sleep(50);
      expect(trace.readings).toEqual([]);
      return [];
    };
    live(link, 100, trace);
    await until(() => trace.readings.length === 1, 'the change');
    isUp = true;
    await until(() => trace.readings.length === 2, 'the change back');
    expect(trace.readings).toEqual([false, true]);
  });

  it('nothing is reported once closed', async () => {
    const { link, trace, member } = live();
    await fetches(link, 1);
    member.close();
    link.fetches[0]?.fail(reset());
    await sleep(20);
    expect(trace.readings).toEqual([]);
  });
});
