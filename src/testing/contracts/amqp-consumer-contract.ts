import type { AmqpProperties } from '../../ports/amqp-consumer.js';
import { amqpBacklogContract } from './amqp-backlog-contract.js';
import { type AmqpCheck, amqpCheck, isReady, names, numbered } from './amqp-subject.js';
import { done, equal, freshName, sleep, until } from './checking.js';

/**
 * What every `AmqpConsumerDriver` must do; run it on the fake and on the real one.
 *
 * ```ts
 * import { it } from '@jest/globals';
 * import { type AmqpSubject, amqpConsumerContract } from 'rxflume/testing';
 *
 * export function testMyDriver(subject: AmqpSubject): void {
 *   for (const { name, run } of amqpConsumerContract) it(name, () => run(subject));
 * }
 * ```
 */
export const amqpConsumerContract: readonly AmqpCheck[] = [
  amqpCheck(
    'emits the consumer once, before its messages, which come in order',
    async ({ subject, queue, consume }) => {
      const name = await queue();
      await subject.send(name, numbered(20));
      const trace = consume(name);
      await trace.quiet(20);
      equal([trace.consumers, trace.early], [1, 0], 'consumers, and messages before');
      equal(trace.texts, numbered(20), 'contents');
      const tags = trace.messages.map(({ deliveryTag }) => deliveryTag);
      equal(
        tags,
        Array.from({ length: 20 }, (_, at) => at + 1),
        'tags',
      );
      equal(trace.messages.filter(({ isRedelivered }) => isRedelivered).length, 0, 'redelivered');
    },
  ),
  amqpCheck('a message has its way, its properties, its headers and its bytes', async ({ subject, queue, consume }) => {
    const name = await queue();
    const exchange = freshName('exchange');
    await subject.createExchange(exchange, 'topic');
    await subject.bind(name, exchange, 'a.#');
    const properties: AmqpProperties = {
      contentType: 'text/plain',
      contentEncoding: 'identity',
      deliveryMode: 'persistent',
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expirationMs: 600_000,
      messageId: 'm',
      timestamp: 1_700_000_000_000,
      type: 't',
      appId: 'app',
      headers: {
        text: 'völlig',
        whole: 7,
        far: 2 ** 40,
        part: 1.5,
        yes: true,
        none: null,
        list: [1, 'b'],
        deep: { x: 'y' },
      },
    };
    await subject.send(name, ['', 'völlig'], properties);
    const trace = consume(name);
    await trace.received(2);
    const [empty, text] = trace.messages;
    equal([empty?.content.length, text?.content.toString()], [0, 'völlig'], 'contents');
    equal([text?.exchange, text?.routingKey], ['', name], 'way');
    for (const key of Object.keys(properties) as (keyof AmqpProperties)[]) {
      equal(text?.properties[key], properties[key], `property ${key}`);
    }
  }),
  amqpCheck(
    'no more than the prefetch is out; an ack of one makes room for one',
    async ({ subject, queue, consume }) => {
      const name = await queue();
      await subject.send(name, numbered(10));
      const trace = consume(name, { prefetch: 3 });
      await trace.quiet(3);
      trace.ack(1);
      await trace.quiet(4);
      await trace.close();
      await isReady(subject, name, 9);
    },
  ),
  amqpCheck('an ack of many settles all up to it', async ({ subject, queue, consume }) => {
    const name = await queue();
    await subject.send(name, numbered(10));
    const trace = consume(name, { prefetch: 4 });
    await trace.quiet(4);
    trace.ack(2, true);
    await trace.quiet(7);
    await trace.close();
    await isReady(subject, name, 7);
  }),
  amqpCheck('what is requeued is redelivered, marked', async ({ subject, queue, consume }) => {
    const name = await queue();
    await subject.send(name, numbered(3));
    const trace = consume(name);
    await trace.received(3);
    trace.nack(1, 'requeue');
    await trace.quiet(4);
    equal(
      [trace.texts[3], trace.messages[3]?.isRedelivered, trace.messages[3]?.deliveryTag],
      ['m1', true, 4],
      'the fourth',
    );
    trace.nack(3, 'requeue', true);
    await trace.quiet(7);
    equal(trace.texts.slice(4).sort(), numbered(3), 'what was redelivered');
  }),
  amqpCheck('what is discarded goes to the dead-letter exchange', async ({ subject, queue, consume }) => {
    const dead = await queue();
    const name = await queue('classic', { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead });
    await subject.send(name, numbered(3));
    const trace = consume(name);
    await trace.received(3);
    trace.nack(1, 'discard');
    const letters = consume(dead);
    await letters.quiet(1);
    equal(letters.texts, ['m1'], 'dead letters');
    await trace.close();
    await isReady(subject, name, 2);
  }),
  amqpCheck('a quorum queue counts what came back', async ({ subject, queue, consume }) => {
    const name = await queue('quorum', { 'x-delivery-limit': 5 });
    await subject.send(name, ['m0']);
    const trace = consume(name);
    await trace.received(1);
    trace.nack(0, 'requeue');
    await trace.received(2);
    trace.nack(1, 'requeue');
    await trace.received(3);
    equal(trace.headers('x-delivery-count', 0), [0, 1, 2], 'counts');
  }),
  amqpCheck(
    'close sends the acks before it, gives back the rest, completes, and may be called twice',
    async (workshop) => {
      const { subject, queue, consume } = workshop;
      const name = await queue();
      await subject.send(name, numbered(500));
      const trace = consume(name, { prefetch: 500 });
      await trace.received(500);
      for (let at = 0; at < 400; at += 1) trace.ack(at);
      await Promise.all([trace.close(), trace.close()]);
      await until(() => trace.isComplete, 'the stream to complete', trace, 2_000);
      await isReady(subject, name, 100);
      const again = consume(name);
      await again.quiet(100);
      equal([again.texts[0], again.messages[0]?.isRedelivered], ['m400', true], 'the first that was redelivered');
    },
  ),
  amqpCheck(
    'after unsubscribing nothing is called, and what was out goes back',
    async ({ subject, queue, consume }) => {
      const name = await queue();
      await subject.send(name, numbered(3));
      const trace = consume(name, { prefetch: 2 });
      await trace.received(2);
      trace.unsubscribe();
      await isReady(subject, name, 3);
      trace.ack(0);
      await sleep(50);
      equal([trace.messages.length, trace.isComplete, trace.errors], [2, false, 0], 'calls afterwards');
      await isReady(subject, name, 3);
    },
  ),
  amqpCheck('unsubscribing while it connects leaves nothing', async ({ subject, queue, consume }) => {
    const name = await queue();
    const trace = consume(name);
    trace.unsubscribe();
    await subject.send(name, ['m0']);
    await sleep(100);
    equal([trace.consumers, trace.messages.length, trace.errors], [0, 0, 0], 'calls');
    await isReady(subject, name, 1);
  }),
  amqpCheck('after cancel nothing more comes, and what is out can be settled', async ({ subject, queue, consume }) => {
    const name = await queue();
    await subject.send(name, numbered(10));
    const trace = consume(name, { prefetch: 4 });
    await trace.received(4);
    await done(trace.on.cancel());
    await done(trace.on.cancel());
    trace.ack(1, true);
    await sleep(100);
    equal(trace.messages.length, 4, 'messages');
    await trace.close();
    await isReady(subject, name, 8);
  }),
  amqpCheck('consumers of one queue share it, each with tags of its own', async ({ subject, queue, consume }) => {
    const name = await queue();
    const [first, second] = [consume(name), consume(name)];
    await Promise.all([first.ready(), second.ready()]);
    await subject.send(name, numbered(40));
    await until(() => first.texts.length + second.texts.length === 40, '40 messages');
    equal([...first.texts, ...second.texts].sort(), numbered(40).sort(), 'contents of both');
    equal([first.messages[0]?.deliveryTag, second.messages[0]?.deliveryTag], [1, 1], 'first tags');
    first.ack(first.messages.length - 1, true);
    await first.close();
    equal([second.errors, second.isComplete], [0, false], 'the other');
    await second.close();
    await isReady(subject, name, second.messages.length);
  }),
  amqpCheck('declares a queue of each kind with its exchange and binding, twice', async ({ consume, open }) => {
    for (const kind of ['classic', 'quorum', 'stream'] as const) {
      const [name, exchange] = [freshName(kind), freshName('exchange')];
      const declare = {
        kind,
        arguments: kind === 'stream' ? { 'x-max-length-bytes': 1_000_000 } : { 'x-max-length': 1_000 },
        exchanges: [{ name: exchange, kind: 'topic' as const }],
        bindings: [{ exchange, routingKey: 'orders.*' }],
      };
      const first = await consume(name, { declare }).ready();
      const publisher = await open([exchange]);
      equal(
        await publisher.publish({ exchange, routingKey: 'orders.new', content: Buffer.from('m0') }),
        null,
        'publish',
      );
      await first.received(1);
      await consume(name, { declare }).ready();
    }
  }),
  amqpCheck('a queue that differs from what is declared is an error with its name', async ({ queue, consume }) => {
    const name = await queue('classic', { 'x-max-length': 5 });
    for (const declare of [
      { kind: 'quorum' as const, arguments: { 'x-max-length': 5 } },
      { kind: 'classic' as const, arguments: { 'x-max-length': 6 } },
      { kind: 'classic' as const },
    ]) {
      const trace = consume(name, { declare });
      await trace.failed();
      equal([trace.error?.code, trace.error?.retryable], ['RXF_AMQP_MISMATCH', false], 'error');
      names(trace.error?.message, name);
    }
    await consume(name, { declare: { kind: 'classic', arguments: { 'x-max-length': 5 } } }).ready();
  }),
  amqpCheck(
    'a queue that is not there, and an exchange to bind to, are errors with their names',
    async ({ consume }) => {
      const [name, exchange] = [freshName('nowhere'), freshName('nowhere')];
      const trace = consume(name);
      await trace.failed();
      equal([trace.error?.code, trace.error?.retryable], ['RXF_AMQP_MISSING', false], 'error');
      names(trace.error?.message, name);
      const bound = consume(freshName('bound'), {
        declare: { kind: 'classic', bindings: [{ exchange, routingKey: 'a' }] },
      });
      await bound.failed();
      equal(bound.error?.code, 'RXF_AMQP_MISSING', 'error');
      names(bound.error?.message, exchange);
    },
  ),
  amqpCheck('a queue that is deleted ends its consumers, once', async ({ subject, queue, consume }) => {
    const name = await queue();
    await subject.send(name, ['m0']);
    const trace = consume(name);
    await trace.received(1);
    await subject.deleteQueue(name);
    await trace.failed();
    trace.ack(0);
    equal([trace.error?.code, trace.error?.retryable, trace.errors], ['RXF_AMQP_CANCELLED', true, 1], 'error');
    names(trace.error?.message, name);
  }),
  amqpCheck('a connection cut ends all consumers on it, once; what was out is redelivered', async (workshop) => {
    const { subject, queue, consume } = workshop;
    const [name, other] = [await queue(), await queue()];
    await subject.send(name, numbered(3));
    const traces = [consume(name), consume(other)];
    await traces[0]?.received(3);
    await traces[1]?.ready();
    await subject.cut();
    for (const trace of traces) {
      await trace.failed();
      equal([trace.error?.code, trace.error?.retryable, trace.errors], ['RXF_AMQP_LOST', true, 1], 'error');
    }
    const again = consume(name);
    await again.received(3);
    traces[0]?.ack(2, true);
    await done(traces[0]?.on.cancel() ?? []).catch(() => undefined);
    await again.quiet(3);
    equal(again.errors, 0, 'errors of the new consumer after acks of the old one');
    await again.close();
    await isReady(subject, name, 3);
  }),
  amqpCheck(
    'a stream gives its messages with their offsets, again to each, from where it is asked',
    async (workshop) => {
      const { subject, queue, consume } = workshop;
      const name = await queue('stream');
      await subject.send(name, numbered(300));
      const all = consume(name, { arguments: { 'x-stream-offset': 'first' } });
      await all.received(100);
      all.ack(99, true);
      await all.received(200);
      all.ack(199, true);
      await all.quiet(300);
      equal(all.texts, numbered(300), 'contents');
      const offsets = Array.from({ length: 300 }, (_, at) => at);
      equal(all.headers('x-stream-offset'), offsets, 'offsets');
      const next = await consume(name, { arguments: { 'x-stream-offset': 'next' } }).ready();
      await subject.send(name, numbered(1, 300));
      await next.quiet(1);
      equal(next.texts, ['m300'], 'from next');
      // The last chunk, whole and at once: how a start is looked up.
      const last = consume(name, { prefetch: 65_535, arguments: { 'x-stream-offset': 'last' } });
      await until(() => last.texts.at(-1) === 'm300', 'the last chunk', last, 2_000);
      const later = consume(name, { prefetch: 1_000, arguments: { 'x-stream-offset': 250 } });
      await until(() => later.texts.at(-1) === 'm300', 'the last message', later);
      // It may begin earlier, with the chunk that has the offset; never later, and nothing is left out.
      const first = Number(later.messages[0]?.properties.headers?.['x-stream-offset']);
      if (!(first <= 250)) throw new Error(`from 250: expected an offset up to 250, got ${first}`);
      equal(later.texts, numbered(301 - first, first), 'contents from 250');
    },
  ),
  ...amqpBacklogContract,
];
