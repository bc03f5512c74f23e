import type { AmqpOutgoing } from '../../ports/amqp-publisher.js';
import { type AmqpCheck, amqpCheck, isReady, numbered, PublisherTrace } from './amqp-subject.js';
import { done, equal, freshName, until } from './checking.js';

/**
 * What every `AmqpPublisherDriver` must do; run it on the fake and on the real one.
 *
 * ```ts
 * import { it } from '@jest/globals';
 * import { type AmqpSubject, amqpPublisherContract } from 'rxflume/testing';
 *
 * export function testMyDriver(subject: AmqpSubject): void {
 *   for (const { name, run } of amqpPublisherContract) it(name, () => run(subject));
 * }
 * ```
 */
export const amqpPublisherContract: readonly AmqpCheck[] = [
  amqpCheck(
    'emits the publisher once; what is confirmed is in the queue',
    async ({ subject, queue, open, consume }) => {
      const name = await queue();
      const trace = await open();
      const properties = { deliveryMode: 'persistent', messageId: 'one', headers: { n: 1 } } as const;
      equal(await trace.publish({ routingKey: name, content: Buffer.from('m0'), properties }), null, 'a message');
      equal(await trace.publish({ routingKey: name, content: new Uint8Array([0, 255]) }), null, 'bytes');
      equal(await trace.publish({ routingKey: name, content: Buffer.alloc(0) }), null, 'an empty one');
      equal(
        await trace.publish({ routingKey: name, content: Buffer.alloc(300_000, 1) }),
        null,
        'one of several frames',
      );
      await isReady(subject, name, 4);
      const consumer = consume(name);
      await consumer.received(4);
      equal(
        consumer.messages.map(({ content }) => content.length),
        [2, 2, 0, 300_000],
        'lengths',
      );
      const [first] = consumer.messages;
      equal([first?.properties.deliveryMode, first?.properties.messageId], ['persistent', 'one'], 'properties');
      equal([trace.publishers, trace.isComplete], [1, false], 'publishers');
    },
  ),
  amqpCheck(
    'what cannot be sent is rejected alone and for good, and the rest is stored',
    async ({ subject, queue, open }) => {
      const name = await queue();
      const trace = await open();
      const long = 'é'.repeat(128);
      const bad: Partial<AmqpOutgoing>[] = [
        { routingKey: long },
        { routingKey: `${name}\ud800` },
        ...[
          { messageId: long },
          { type: 'half \ud800' },
          { timestamp: -5 },
          { timestamp: Number.NaN },
          { priority: 256 },
          { deliveryMode: 2 as never },
          { headers: { [long]: 'x' } },
          { headers: { x: '\udc00' } },
          { headers: { at: new Date(Number.NaN) } },
          { headers: { at: new Date(-5_000) } },
        ].map((properties) => ({ routingKey: name, properties })),
      ];
      const good = { routingKey: name, content: Buffer.from('good') };
      const settled = await Promise.all(bad.flatMap((one) => [trace.settled(one), trace.settled(good)]));
      equal(
        settled.map((error) => error && [error.code, error.retryable]),
        bad.flatMap(() => [['RXF_SINK_FORMAT', false], null]),
        'answers',
      );
      await isReady(subject, name, bad.length);
    },
  ),
  amqpCheck(
    'a timestamp in another unit than seconds is that time, and goes out again as it came',
    async ({ queue, open, consume }) => {
      const name = await queue();
      const trace = await open();
      const ms = 1_795_741_254_656;
      const wires = [ms / 1_000, ms, ms * 1_000, 2 ** 63].map(Math.floor);
      for (const wireTimestamp of wires) {
        equal(await trace.publish({ routingKey: name, properties: { wireTimestamp } }), null, String(wireTimestamp));
      }
      const consumer = consume(name);
      await consumer.received(wires.length);
      const [seconds, ...others] = consumer.messages.map(({ properties }) => properties);
      equal([seconds?.timestamp, seconds?.wireTimestamp], [Math.floor(ms / 1_000) * 1_000, undefined], 'in seconds');
      equal(
        others.map(({ timestamp }) => timestamp),
        [ms, ms, Math.floor(2 ** 63 / 1_000_000)],
        'times',
      );
      for (const properties of others) equal(await trace.publish({ routingKey: name, properties }), null, 'sent again');
      await consumer.received(wires.length + others.length);
      equal(
        consumer.messages.slice(wires.length).map(({ properties }) => properties.wireTimestamp),
        wires.slice(1),
        'the same number',
      );
    },
  ),
  amqpCheck('what no queue takes is returned, and only that', async ({ subject, queue, open }) => {
    const name = await queue();
    const exchange = freshName('exchange');
    // Alike in their way and content, so that they are distinguished by their headers alone.
    await subject.createExchange(exchange, 'headers');
    await subject.bind(name, exchange, '', { 'x-match': 'all', way: 'known' });
    const trace = await open([exchange]);
    const way = (n: number) => (n % 3 === 0 ? 'unknown' : 'known');
    const codes = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        trace.publish({
          exchange,
          content: Buffer.from('m'),
          properties: { messageId: String(n % 7), headers: { way: way(n) } },
        }),
      ),
    );
    equal(
      codes,
      codes.map((_, n) => (way(n) === 'known' ? null : 'RXF_AMQP_UNROUTABLE')),
      'answers',
    );
    equal((await trace.settled({ exchange }))?.retryable, false, 'retryable');
    await isReady(subject, name, 200);
  }),
  amqpCheck('what a full queue rejects fails, and may pass later', async ({ queue, open, consume }) => {
    const name = await queue('classic', { 'x-max-length': 2, 'x-overflow': 'reject-publish' });
    const trace = await open();
    const codes = [];
    for (const text of numbered(4)) codes.push(await trace.publish({ routingKey: name, content: Buffer.from(text) }));
    equal(codes.slice(0, 2), [null, null], 'the first two');
    equal(codes.at(-1), 'RXF_AMQP_REJECTED', 'the last');
    const error = await trace.settled({ routingKey: name });
    equal(error?.retryable, true, 'retryable');
    equal(error?.message.includes(name), true, 'whether the message names the routing key');
    equal(/retried|redelivered/.test(error?.message ?? ''), false, 'whether it says what others decide');
    const consumer = consume(name);
    await consumer.received(2);
    consumer.ack(1, true);
    await until(async () => (await trace.publish({ routingKey: name })) === null, 'room in the queue');
  }),
  amqpCheck('an exchange that is not there is an error with its name', async ({ subject }) => {
    const name = freshName('nowhere');
    const trace = new PublisherTrace().start(subject.driver, ['', name]);
    await trace.failed();
    equal([trace.error?.code, trace.error?.retryable, trace.publishers], ['RXF_AMQP_MISSING', false, 0], 'error');
    if (!trace.error?.message.includes(name)) throw new Error(`expected ${name} in: ${trace.error?.message}`);
  }),
  amqpCheck('a cut settles all that is under way, and what is published after', async ({ subject, queue, open }) => {
    const name = await queue();
    const trace = await open();
    const underWay = numbered(200).map((text) => trace.publish({ routingKey: name, content: Buffer.from(text) }));
    await subject.cut();
    await trace.failed();
    const codes = await Promise.all(underWay);
    const odd = codes.filter((code) => code !== null && code !== 'RXF_AMQP_UNCONFIRMED');
    equal(odd, [], 'other answers');
    equal([trace.error?.code, trace.error?.retryable], ['RXF_AMQP_LOST', true], 'error');
    equal(await trace.publish({ routingKey: name }), 'RXF_AMQP_UNCONFIRMED', 'one after the end');
    const confirmed = codes.filter((code) => code === null).length;
    const again = await open();
    equal(await again.publish({ routingKey: name }), null, 'one on a new channel');
    await until(async () => (await subject.ready(name)) > confirmed, `the ${confirmed} that were confirmed`);
  }),
  amqpCheck(
    'close waits for what is under way, completes, and may be called twice',
    async ({ subject, queue, open }) => {
      const name = await queue();
      const trace = await open();
      const underWay = numbered(500).map((text) => trace.publish({ routingKey: name, content: Buffer.from(text) }));
      await Promise.all([trace.close(), trace.close()]);
      equal(
        (await Promise.all(underWay)).filter((code) => code !== null),
        [],
        'errors',
      );
      await until(() => trace.isComplete, 'the stream to complete', trace, 2_000);
      await isReady(subject, name, 500);
      equal(await trace.publish({ routingKey: name }), 'RXF_AMQP_UNCONFIRMED', 'one after the end');
      await done(trace.publisher?.close() ?? []);
    },
  ),
  amqpCheck('unsubscribing settles all that is under way', async ({ queue, open }) => {
    const name = await queue();
    const trace = await open();
    const underWay = numbered(50).map((text) => trace.publish({ routingKey: name, content: Buffer.from(text) }));
    trace.unsubscribe();
    const codes = await Promise.all(underWay);
    equal([...new Set(codes)], ['RXF_AMQP_UNCONFIRMED'], 'answers');
    equal([trace.isComplete, trace.error], [false, undefined], 'calls afterwards');
  }),
];
