import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { amqpSink, amqpSource, type Delivery, flow, RxflumeError, Source } from 'rxflume';
import type { AmqplibOptions } from 'rxflume/drivers/amqplib';
import { amqplib } from 'rxflume/drivers/amqplib';
import { RecordingAcker } from 'rxflume/testing';
import { lastValueFrom, timeout } from 'rxjs';
import { ConsumerTrace, PublisherTrace } from '../../src/testing/contracts/amqp-subject.js';
import { until } from '../../src/testing/contracts/checking.js';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import { describeRabbitmq, hasMessages, numbersInQueue, withChannel } from './rabbitmq-support.js';
import { fresh, services } from './support.js';

jest.setTimeout(60_000);

describeRabbitmq('what a real RabbitMQ refuses', () => {
  const queue = fresh('refusing');
  const user = fresh('reader');
  const driver = (options: Partial<AmqplibOptions> = {}) => amqplib({ urls: [RABBITMQ], ...options });

  beforeAll(async () => {
    await withChannel((channel) => channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } }));
    await services('rabbitmqctl', 'add_user', user, 'sesame');
    await services('rabbitmqctl', 'set_permissions', user, '^$', '^$', '.*');
    await services('rabbitmqctl', 'add_vhost', queue);
  });
  afterAll(async () => {
    await services('rabbitmqctl', 'set_vm_memory_high_watermark', '0.4');
    await services('rabbitmqctl', 'delete_user', user);
    await services('rabbitmqctl', 'delete_vhost', queue);
    await withChannel((channel) => channel.deleteQueue(queue));
  });

  const declare = (kind: 'classic' | 'quorum', args = {}) => ({ declare: { kind, arguments: args } });
  it.each<[string, Partial<AmqplibOptions>, object, string, RegExp]>([
    [
      'a wrong password',
      { user: 'guest', password: 'sesame' },
      {},
      'RXF_AMQP_AUTH',
      /rejects the user or the password/,
    ],
    ['no such virtual host', { vhost: 'nowhere' }, {}, 'RXF_AMQP_MISSING', /no virtual host 'nowhere'/],
    [
      'no right to the virtual host',
      { vhost: queue, user, password: 'sesame' },
      {},
      'RXF_AMQP_AUTH',
      /denies access to the virtual host/,
    ],
    ['no right to declare', { user, password: 'sesame' }, declare('quorum'), 'RXF_AMQP_AUTH', /set_permissions/],
    [
      'another kind',
      {},
      declare('classic'),
      'RXF_AMQP_MISMATCH',
      /`x-queue-type` is 'quorum', and 'classic' is declared/,
    ],
    [
      'another argument',
      {},
      declare('quorum', { 'x-max-length': 6 }),
      'RXF_AMQP_MISMATCH',
      /`x-max-length` is none, and .*6/,
    ],
    ['an argument it refuses', {}, declare('quorum', { 'x-max-length': -6 }), 'RXF_AMQP_MISMATCH', /x-max-length/],
  ])('%s: an error that says so, once, and is not tried again', async (_, options, given, code, message) => {
    const source = amqpSource(driver(options), { queues: [queue], ...given });
    const error = await lastValueFrom(source.pipe(timeout(10_000))).catch((caught: unknown) => caught as RxflumeError);
    expect(error).toBeInstanceOf(RxflumeError);
    expect(error).toMatchObject({ code, retryable: false, message: expect.stringMatching(message) });
    expect(String((error as RxflumeError).message)).not.toMatch(/sesame|guest|reader-/);
  });

  it('a consumer that wants the queue alone: an error that may pass', async () => {
    await withChannel(async (channel) => {
      const alone = fresh('alone');
      await channel.assertQueue(alone, { arguments: { 'x-queue-type': 'classic', 'x-expires': 60_000 } });
      await channel.consume(alone, () => undefined, { exclusive: true });
      const trace = new ConsumerTrace().start(driver(), { queue: alone, prefetch: 1 });
      await trace.failed();
      expect(trace.error).toMatchObject({ code: 'RXF_AMQP_AUTH', retryable: true });
      expect(trace.error?.message).toContain('grants exclusive use of queue');
    });
  });

  it('a message too large for it: rejected for good; what was with it is not, and no other is lost', async () => {
    const acker = new RecordingAcker();
    const source = new Source<Delivery<string>>((subscriber) => {
      for (let n = 0; n < 50; n += 1) {
        const value = JSON.stringify({ n, more: n === 20 ? 'x'.repeat(17 << 20) : '' });
        subscriber.next(acker.deliver(value, {}, String(n)));
      }
    });
    const sink = amqpSink<string>(driver(), { routingKey: queue, maxInFlightBytes: 64 << 20 });
    const running = flow('too-large', source, sink.write()).subscribe();
    await until(() => acker.unsettled.length === 0, 'all to be settled');
    running.unsubscribe();
    expect(acker.causes['20']).toMatchObject({ code: 'RXF_SINK_FORMAT', retryable: false });
    expect(String(acker.causes['20'])).toContain("bytes exceed the broker's limit of 16777216");
    for (const name of acker.nacks.filter((one) => one !== '20')) {
      expect(acker.causes[name]).toMatchObject({ code: 'RXF_AMQP_UNCONFIRMED', retryable: true });
    }
    const seen = await numbersInQueue(queue);
    expect(acker.acks.filter((name) => !seen.has(Number(name)))).toEqual([]);
    expect(seen.has(20)).toBe(false);
  });

  it('a queue that nobody has bound: the message is nacked, and nothing is acked', async () => {
    const trace = await new PublisherTrace().start(driver()).ready();
    expect(await trace.settled({ routingKey: `${queue}-gone` })).toMatchObject({
      code: 'RXF_AMQP_UNROUTABLE',
      retryable: false,
    });
    await trace.close();
  });

  it('all messages while its memory is low: reported, waited for, and then taken', async () => {
    const trace = await new PublisherTrace().start(driver()).ready();
    await services('rabbitmqctl', 'set_vm_memory_high_watermark', 'absolute', '1MB');
    let isSettled = false;
    const answer = trace.publish({ routingKey: queue }).finally(() => {
      isSettled = true;
    });
    await until(() => trace.writables.includes(false), 'the word that it is blocked');
    expect(trace.logEvents[0]).toMatch(/amqp\.blocked .*low on memory/);
    expect(isSettled).toBe(false);
    await services('rabbitmqctl', 'set_vm_memory_high_watermark', '0.4');
    expect(await answer).toBe(null);
    await until(() => trace.writables.at(-1) === true, 'the end of it');
    await trace.close();
  });

  it('all connections, by hand: lost, with the reason, and nothing of what was out', async () => {
    await withChannel((channel) => channel.purgeQueue(queue));
    const publisher = await new PublisherTrace().start(driver()).ready();
    expect(await publisher.publish({ routingKey: queue })).toBe(null);
    const trace = new ConsumerTrace().start(driver(), { queue, prefetch: 1 });
    await trace.received(1);
    await services('rabbitmqctl', 'close_all_connections', 'by a test');
    for (const ended of [trace, publisher]) {
      await ended.failed();
      expect(ended.error).toMatchObject({ code: 'RXF_AMQP_LOST', retryable: true });
      expect(ended.error?.message).toContain('CONNECTION_FORCED - by a test');
    }
    await hasMessages(queue, 1);
  });
});
