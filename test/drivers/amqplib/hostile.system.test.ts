import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AmqplibOptions, amqplib } from '../../../src/drivers/amqplib/index.js';
import { ConsumerTrace, PublisherTrace } from '../../../src/testing/contracts/amqp-subject.js';
import { until } from '../../../src/testing/contracts/checking.js';
import { certificate } from '../avro-rpc/certificate.js';
import { close, method, ScriptedBroker, short } from './scripted-broker.js';

let broker: ScriptedBroker;
let traces: { unsubscribe(): void }[] = [];
beforeEach(async () => {
  broker = await ScriptedBroker.start();
});
afterEach(async () => {
  for (const trace of traces) trace.unsubscribe();
  traces = [];
  await broker.stop();
});

function consume(options: Partial<AmqplibOptions> = {}): ConsumerTrace {
  const driver = amqplib({ urls: [broker.url], closeTimeoutMs: 200, ...options });
  const trace = new ConsumerTrace().start(driver, { queue: 'orders', prefetch: 10 });
  traces.push(trace);
  return trace;
}

function publish(options: Partial<AmqplibOptions> = {}): PublisherTrace {
  const driver = amqplib({ urls: [broker.url], closeTimeoutMs: 200, ...options });
  const trace = new PublisherTrace().start(driver);
  traces.push(trace);
  return trace;
}

describe('a broker that is none, or a bad one', () => {
  it.each([
    ['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /Invalid frame|exceeds/],
    ['another protocol version', Buffer.from('AMQP\0\x01\0\0'), /exceeds|Invalid/],
    ['a frame without end', Buffer.from([1, 0, 0, 0, 0, 0, 1, 0, 0]), /Invalid frame/],
    ['a frame of 4 GiB', Buffer.from([1, 0, 0, 255, 255, 255, 255]), /exceeds/],
  ])('answers %s: unreachable, at once', async (_, greeting, reason) => {
    broker.greeting = greeting;
    const trace = consume();
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_UNREACHABLE', retryable: true });
    expect(trace.error?.message).toMatch(reason);
  });

  it.each(['all', 'the channel', 'the consumer'])(
    'never answers to %s: the subscription can be ended',
    async (what) => {
      if (what === 'all') broker.isDead = true;
      if (what === 'the channel') broker.answers.set('20.10', () => null);
      if (what === 'the consumer') broker.answers.set('60.20', () => null);
      const trace = consume();
      await until(() => broker.sockets.size === 1, 'the connection');
      await until(
        () => what === 'all' || broker.received.includes(what === 'the channel' ? '20.10' : '60.20'),
        'the call',
      );
      trace.unsubscribe();
      await until(() => broker.areCut(), 'the end of the socket', undefined, 5_000);
      expect([trace.consumers, trace.errors, trace.isComplete]).toEqual([0, 0, false]);
    },
  );

  it('that never answers is given up after `connectTimeoutMs`', async () => {
    broker.isDead = true;
    const trace = consume({ connectTimeoutMs: 100 });
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_UNREACHABLE' });
    expect(trace.error?.message).toContain('the handshake took more than 100 ms');
    await until(() => broker.areCut(), 'the end of the socket', undefined, 5_000);
  });

  it('that lets us in and then sets nothing up is given up after `connectTimeoutMs` too', async () => {
    broker.answers.set('60.20', () => null);
    const trace = consume({ connectTimeoutMs: 100 });
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_UNREACHABLE', retryable: true });
    expect(trace.error?.message).toContain("within 100 ms to a request for queue 'orders'");
    await until(() => broker.areCut(), 'the end of the socket', undefined, 5_000);
  });

  it('that falls silent is noticed by its missing sign of life, and the half-open socket is cut', async () => {
    broker.heartbeatSeconds = 1;
    const trace = await consume().ready();
    broker.isDead = true;
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_LOST', retryable: true });
    expect(trace.error?.message).toContain('no heartbeat');
    await until(() => broker.areCut(), 'the end of the socket', undefined, 5_000);
  }, 10_000);

  it('that falls silent does not hold up a close', async () => {
    const trace = await consume().ready();
    broker.isDead = true;
    await trace.close();
    expect([trace.isComplete, trace.errors]).toEqual([true, 0]);
    await until(() => broker.areCut(), 'the end of the socket', undefined, 5_000);
  });

  it('that falls silent leaves nothing under way unsettled after a close', async () => {
    const trace = await publish().ready();
    broker.isDead = true;
    const answer = trace.publish({ routingKey: 'orders' });
    await trace.close();
    expect(await answer).toBe('RXF_AMQP_UNCONFIRMED');
  });

  it('that sends a broken frame later loses the connection, once', async () => {
    const trace = await consume().ready();
    broker.send(Buffer.from([1, 0, 0, 0, 0, 0, 1, 0, 0]));
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_LOST' });
    expect(trace.errors).toBe(1);
  });

  it('that shuts down says so', async () => {
    const trace = await consume().ready();
    broker.send(
      close('10.50', 0, 320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", '0.0'),
    );
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_LOST', retryable: true });
    expect(trace.error?.message).toContain("with reason 'shutdown'");
  });

  it('that shuts down while something is asked says so too', async () => {
    broker.answers.set('60.20', () => close('10.50', 0, 320, 'CONNECTION_FORCED - shutdown', '0.0'));
    const trace = consume();
    await trace.failed();
    expect(trace.error?.message).toContain('CONNECTION_FORCED - shutdown');
    expect(trace.errors).toBe(1);
  });

  it('that waits too long for an ack says what to do', async () => {
    const trace = await consume().ready();
    const text =
      'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms.';
    broker.send(close('20.40', 1, 406, text, '0.0'));
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_LOST', retryable: true });
    expect(trace.error?.message).toContain('consumer_timeout');
    trace.on.ack(1, true);
    expect(broker.received).not.toContain('20.40');
  });

  it('that has its own node down for a queue is unreachable, not without the queue', async () => {
    const text = "NOT_FOUND - home node 'rabbit@b' of durable queue 'orders' in vhost '/' is down or inaccessible";
    broker.answers.set('60.20', (_, channel) => close('20.40', channel, 404, text, '60.20'));
    const trace = consume();
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_UNREACHABLE', retryable: true });
  });

  it('that runs no replica of a stream is left for another, by what comes next', async () => {
    const other = await ScriptedBroker.start();
    const driver = amqplib({ urls: [broker.url, other.url], closeTimeoutMs: 200 });
    const start = (queue: string) => {
      const trace = new ConsumerTrace().start(driver, { queue, prefetch: 10 });
      traces.push(trace);
      return trace;
    };
    try {
      const before = await start('invoices').ready();
      const text =
        "PRECONDITION_FAILED - queue 'queue 'orders' in vhost '/'' does not have a replica on the local node";
      broker.answers.set('60.20', (_, channel) => close('20.40', channel, 406, text, '60.20'));
      const trace = start('orders');
      await trace.failed();
      expect(trace.error).toMatchObject({ code: 'RXF_AMQP_UNREACHABLE', retryable: true });
      expect(trace.error?.message).toContain("has no running replica of queue 'orders'");
      await start('orders').ready();
      expect([broker.received, other.received].map((all) => all.filter((one) => one === '60.20').length)).toEqual([
        2, 1,
      ]);
      expect(before.errors).toBe(0);
    } finally {
      for (const trace of traces) trace.unsubscribe();
      await other.stop();
    }
  });

  it.each([
    ['NOT_ALLOWED - vhost orders not found', 'RXF_AMQP_MISSING', false],
    ["NOT_ALLOWED - access to vhost 'orders' refused for user 'zelda'", 'RXF_AMQP_AUTH', false],
    [
      "NOT_ALLOWED - access to vhost 'orders' refused for user 'zelda': connection limit (5) is reached",
      'RXF_AMQP_UNREACHABLE',
      true,
    ],
    ['INTERNAL_ERROR - vhost orders is down', 'RXF_AMQP_UNREACHABLE', true],
  ])('that denies the virtual host with %s', async (text, code, retryable) => {
    broker.answers.set('10.40', () => close('10.50', 0, text.startsWith('N') ? 530 : 541, text, '10.40'));
    const trace = consume({ vhost: 'orders', user: 'zelda', password: 'sesame' });
    await trace.failed();
    expect(trace.error).toMatchObject({ code, retryable });
    expect(trace.error?.message).toContain('orders');
    expect(trace.error?.message).not.toContain('zelda');
  });

  it('that never says why it denies the virtual host is unreachable', async () => {
    broker.answers.set('10.40', ({ answers }) => {
      answers.set('10.40', () => null);
      return close('10.50', 0, 530, 'NOT_ALLOWED', '10.40');
    });
    const trace = consume({ connectTimeoutMs: 100 });
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_UNREACHABLE' });
  });
});

describe('failover', () => {
  it('tries the brokers in their order, and says of each why not', async () => {
    const urls = ['amqp://127.0.0.1:1', 'amqp://127.0.0.1:2'];
    const trace = consume({ urls });
    await trace.failed();
    expect(trace.error?.message).toMatch(/127\.0\.0\.1:1: connect ECONNREFUSED.*127\.0\.0\.1:2: connect ECONNREFUSED/);
  });

  it('comes back first to the one that answered last', async () => {
    const other = await ScriptedBroker.start();
    const driver = amqplib({ urls: ['amqp://127.0.0.1:1', broker.url, other.url], closeTimeoutMs: 200 });
    const first = new ConsumerTrace().start(driver, { queue: 'orders', prefetch: 1 });
    await first.ready();
    broker.send(close('10.50', 0, 320, 'CONNECTION_FORCED', '0.0'));
    await first.failed();
    const second = await new ConsumerTrace().start(driver, { queue: 'orders', prefetch: 1 }).ready();
    traces.push(second);
    expect(broker.received.filter((name) => name === '60.20')).toHaveLength(2);
    expect(other.received).toEqual([]);
    await other.stop();
  });

  it('ends at a broker that rejects the credentials', async () => {
    const other = await ScriptedBroker.start();
    broker.answers.set('10.11', () => close('10.50', 0, 403, 'ACCESS_REFUSED - Login was refused', '0.0'));
    const trace = consume({ urls: [broker.url, other.url] });
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_AUTH', retryable: false });
    expect(other.received).toEqual([]);
    await other.stop();
  });
});

describe('TLS', () => {
  let front: Server;
  beforeEach(async () => {
    const port = Number(new URL(broker.url).port);
    front = createServer(certificate, (inner) => {
      const outer = connect(port, '127.0.0.1');
      inner.on('error', () => outer.destroy());
      inner.pipe(outer).pipe(inner);
    });
    front.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    front.close();
  });
  const url = () => `amqps://localhost:${(front.address() as AddressInfo).port}`;

  it('is established where the certificate is trusted', async () => {
    const trace = await consume({ urls: [url()], tls: { ca: certificate.cert } }).ready();
    await trace.close();
    expect(trace.isComplete).toBe(true);
  });

  it('hears why a virtual host is denied', async () => {
    broker.answers.set('10.40', () => close('10.50', 0, 530, 'NOT_ALLOWED - vhost / not found', '10.40'));
    const trace = consume({ urls: [url()], tls: { ca: certificate.cert } });
    await trace.failed();
    expect(trace.error).toMatchObject({ code: 'RXF_AMQP_MISSING' });
  });

  it('fails where it is not, and where the other side has none', async () => {
    for (const urls of [[url()], [broker.url.replace('amqp:', 'amqps:')]]) {
      broker.greeting = Buffer.from('AMQP\0\0\x09\x01');
      const trace = consume({ urls });
      await trace.failed();
      expect(trace.error).toMatchObject({ code: 'RXF_AMQP_AUTH', retryable: false });
      expect(trace.error?.message).toContain('Cannot establish a TLS connection');
    }
  });
});

describe('connections', () => {
  const settle = () => new Promise((resolve) => setTimeout(resolve, 30));

  it('are shared by `channelsPerConnection` consumers, never with a publisher, and closed after the last', async () => {
    const driver = amqplib({ urls: [broker.url], channelsPerConnection: 2, closeTimeoutMs: 200 });
    const consumers = Array.from({ length: 3 }, () =>
      new ConsumerTrace().start(driver, { queue: 'orders', prefetch: 1 }),
    );
    const publisher = new PublisherTrace().start(driver);
    traces.push(...consumers, publisher);
    for (const trace of [...consumers, publisher]) await trace.ready();
    expect(broker.sockets.size).toBe(3);
    await consumers[0]?.close();
    await settle();
    expect(broker.sockets.size).toBe(3);
    await consumers[1]?.close();
    await until(() => broker.sockets.size === 2, 'the first connection to close');
    await new ConsumerTrace().start(driver, { queue: 'orders', prefetch: 1 }).ready();
    expect(broker.sockets.size).toBe(2);
    for (const trace of [consumers[2], publisher]) await trace?.close();
  });

  it('all fail together when one connect fails', async () => {
    broker.isDead = true;
    const driver = amqplib({ urls: [broker.url], connectTimeoutMs: 50 });
    const consumers = [0, 1].map(() => new ConsumerTrace().start(driver, { queue: 'orders', prefetch: 1 }));
    for (const trace of consumers) await trace.failed();
    expect(consumers.map(({ error }) => error?.code)).toEqual(['RXF_AMQP_UNREACHABLE', 'RXF_AMQP_UNREACHABLE']);
  });

  it('tell of being blocked, and of the end of it; a publisher that comes later too', async () => {
    const driver = amqplib({ urls: [broker.url], closeTimeoutMs: 200 });
    const first = await new PublisherTrace().start(driver).ready();
    broker.send(method('10.60', 0, short('low on memory')));
    await until(() => first.writables.length === 1, 'the word');
    const second = await new PublisherTrace().start(driver).ready();
    traces.push(first, second);
    expect(second.writables).toEqual([false]);
    broker.send(method('10.61', 0));
    await until(() => second.writables.length === 2, 'the end of it');
    expect([first.writables, second.writables]).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(first.logEvents[0]).toMatch(/^amqp\.blocked .*low on memory/);
    expect(first.logEvents[1]).toMatch(/^amqp\.unblocked/);
  });
});

describe('publishing', () => {
  it('rejects headers beyond a frame, which would end the connection, and goes on', async () => {
    broker.maxFrameBytes = 8_192;
    broker.answers.set('60.40', (_, channel) => method('60.80', channel, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0])));
    const trace = await publish().ready();
    const headers = { list: ['x'.repeat(4_000), { deep: 'y'.repeat(4_200) }] };
    expect(await trace.publish({ properties: { headers } })).toBe('RXF_SINK_FORMAT');
    expect(await trace.publish({ properties: { headers: { list: 'x'.repeat(7_900) } } })).toBe(null);
    expect(broker.received.filter((name) => name === '60.40')).toHaveLength(1);
  });

  it.each([
    ['3.10.8', 128 * 2 ** 20],
    ['4.0.1', 16 * 2 ** 20],
  ])('rejects a message that RabbitMQ %s does not take by default', async (version, most) => {
    broker.version = version;
    const trace = await publish().ready();
    expect(await trace.publish({ content: Buffer.alloc(most + 1) })).toBe('RXF_SINK_FORMAT');
    expect(broker.received).not.toContain('60.40');
  });

  it.each([
    ['a routing key of 256 bytes', { routingKey: 'x'.repeat(256) }],
    ['a header beyond 64 KiB', { properties: { headers: { x: 'x'.repeat(70_000) } } }],
    ['a list of routing keys that is none', { properties: { headers: { CC: 'orders' } } }],
    ['a part of a second to live', { properties: { expirationMs: 0.5 } }],
    ['a priority beyond a byte', { properties: { priority: 256 } }],
    ['a number that is none', { properties: { headers: { n: Number.NaN } } }],
    ['a table with a key that amqplib takes for a type', { properties: { headers: { a: { '!': 'long', value: 1 } } } }],
  ])('rejects %s, and goes on', async (_, message) => {
    const trace = await publish().ready();
    expect(await trace.publish(message)).toBe('RXF_SINK_FORMAT');
    expect(broker.received).not.toContain('60.40');
    expect(trace.error).toBeUndefined();
  });

  it.each([
    ["NOT_FOUND - no exchange 'gone' in vhost '/'", 404, 'RXF_AMQP_UNROUTABLE'],
    ["PRECONDITION_FAILED - user_id property set to 'eve' but authenticated user was 'guest'", 406, 'RXF_SINK_FORMAT'],
    ['PRECONDITION_FAILED - message size 5 is larger than configured max size 4', 406, 'RXF_SINK_FORMAT'],
  ])('blames the message, and no other, for %s', async (text, code, blamed) => {
    broker.answers.set('60.40', ({ received }, channel) =>
      received.filter((name) => name === '60.40').length === 3 ? close('20.40', channel, code, text, '60.40') : null,
    );
    const trace = await publish().ready();
    const bad = { exchange: 'gone', properties: { userId: 'eve' }, content: Buffer.from('large') };
    const answers = await Promise.all([trace.publish({}), trace.publish(bad), trace.publish({})]);
    expect(answers).toEqual(['RXF_AMQP_UNCONFIRMED', blamed, 'RXF_AMQP_UNCONFIRMED']);
    expect(trace.error?.code).toBe(code === 404 ? 'RXF_AMQP_MISSING' : 'RXF_AMQP_LOST');
  });

  it('learns the largest message from a rejection', async () => {
    const text = 'PRECONDITION_FAILED - message size 5 is larger than configured max size 4';
    broker.answers.set('60.40', (_, channel) => close('20.40', channel, 406, text, '60.40'));
    const driver = amqplib({ urls: [broker.url], closeTimeoutMs: 200 });
    const first = await new PublisherTrace().start(driver).ready();
    await first.publish({ content: Buffer.from('large') });
    const second = await new PublisherTrace().start(driver).ready();
    traces.push(second);
    expect(await second.publish({ content: Buffer.from('large') })).toBe('RXF_SINK_FORMAT');
    expect(broker.received.filter((name) => name === '60.40')).toHaveLength(1);
  });

  it('that hears of a return of nothing under way trusts no answer any more', async () => {
    const trace = await publish().ready();
    const answer = trace.publish({ routingKey: 'orders' });
    const header = Buffer.from([2, 0, 1, 0, 0, 0, 14, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xce]);
    const fields = [Buffer.from([1, 56]), short('NO_ROUTE'), short(''), short('other')];
    broker.send(Buffer.concat([method('60.50', 1, ...fields), header]));
    expect(await answer).toBe('RXF_AMQP_UNCONFIRMED');
    expect(trace.error?.code).toBe('RXF_AMQP_LOST');
  });

  it('is not writable while amqplib has more than it hands on, and is again', async () => {
    const trace = await publish().ready();
    for (let n = 0; n < 5_000; n += 1)
      trace.publisher?.publish({ exchange: '', routingKey: 'q', properties: {}, content: Buffer.alloc(1) }, () => {});
    expect(trace.writables).toEqual([false]);
    await until(() => trace.writables.length === 2, 'the drain');
    expect(trace.writables).toEqual([false, true]);
  });
});
