import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { readHostPort, shownHostPort } from '../../src/core/address.js';
import { parseAddress } from '../../src/drivers/amqplib/address.js';
import { amqplib } from '../../src/drivers/amqplib/index.js';
import { avroRpcClient, avroRpcServer } from '../../src/drivers/avro-rpc/index.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { webhdfs } from '../../src/drivers/webhdfs/index.js';
import { webhdfsPackage } from '../../src/drivers/webhdfs-package/index.js';
import { httpSink } from '../../src/sinks/http/http-sink.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { MemoryHttp } from '../../src/testing/memory/memory-http.js';

/** What each driver is called with, by the address it is given; the name it then shows. */
const DRIVERS: Record<string, (address: string) => { readonly name: string }> = {
  kafkajs: (address) => kafkajs({ brokers: [address] }),
  'avro-rpc client': (address) => avroRpcClient({ agents: [address] }) as unknown as { name: string },
  amqplib: (address) => amqplib({ urls: [`amqp://${address}`] }),
  webhdfs: (address) => webhdfs({ nameNodes: [`http://${address}`], user: 'u' }),
  'http sink': (address) => httpSink(new MemoryHttp(), { url: `http://${address}` }) as unknown as { name: string },
};
const NAMES = Object.keys(DRIVERS);

describe('an address', () => {
  it.each([
    ['k1:9092', 'k1', 9092, 'k1:9092'],
    ['k1', 'k1', 7, 'k1:7'],
    ['10.0.0.7:1', '10.0.0.7', 1, '10.0.0.7:1'],
    ['kafka-0.svc.cluster.local:65535', 'kafka-0.svc.cluster.local', 65_535, 'kafka-0.svc.cluster.local:65535'],
    ['my_host:9092', 'my_host', 9092, 'my_host:9092'],
    ['[::1]:9092', '::1', 9092, '[::1]:9092'],
    ['[2001:DB8::7]', '2001:DB8::7', 7, '[2001:DB8::7]:7'],
    ['[::ffff:10.0.0.7]:5', '::ffff:10.0.0.7', 5, '[::ffff:10.0.0.7]:5'],
    ['[fe80::1%eth0]:9092', 'fe80::1%eth0', 9092, '[fe80::1%eth0]:9092'],
  ])('%s is read', (given, host, port, name) => {
    expect(readHostPort('brokers[0]', given, 7)).toEqual({ host, port, name });
  });

  it.each([
    ['', 'a `host:port`'],
    [undefined, 'a `host:port`'],
    [9092, 'a `host:port`'],
    ['::1', 'in brackets'],
    ['fe80::1%eth0', 'in brackets'],
    ['::1:9092', 'in brackets'],
    ['[k1]:9092', 'IPv6 address in the brackets'],
    ['[::1%]:9092', 'IPv6 address in the brackets'],
    ['[::1', 'a `host:port`'],
    ['k1:', 'a port from 1 to 65535'],
    ['k1:0', 'a port from 1 to 65535'],
    ['k1:65536', 'a port from 1 to 65535'],
    ['k1:port', 'a `host:port`'],
    ['k1:9092:9093', 'a `host:port`'],
    ['k1:9092/', 'without a path'],
    ['kafka://k1:9092', 'without a scheme'],
    [' k1:9092', 'without spaces'],
    ['k1:9092,k2:9092 ', 'without spaces'],
    ['hunter2@k1:9092', 'without a user or password'],
  ])('%j is rejected, with why', (given, why) => {
    expect(() => readHostPort('brokers[0]', given, 7)).toThrow(
      expect.objectContaining({
        code: 'RXF_OPTION_INVALID',
        message: expect.stringMatching(new RegExp(`^(?!.*hunter2).*brokers\\[0\\].*${why}`)),
      }),
    );
  });

  it('is shown with brackets where it has colons', () => {
    expect([shownHostPort('k1'), shownHostPort('::1'), shownHostPort('::1', 5)]).toEqual(['k1', '[::1]', '[::1]:5']);
  });
});

describe.each(NAMES)('%s', (name) => {
  const make = DRIVERS[name] as (typeof DRIVERS)[string];

  it.each(['k1:1234', 'k1', '10.0.0.7:1234', '[::1]:1234', '[::1]', '[2001:db8::7]:1234'])('takes %s', (address) => {
    expect(() => make(address)).not.toThrow();
  });

  it.each(['::1', '[k1]:1234', 'k1:65536', 'k1:port', '', '[::1]1234'])('rejects %j at the call', (address) => {
    expect(() => make(address)).toThrow(expect.objectContaining({ code: 'RXF_OPTION_INVALID' }));
  });

  // AMQP's URLs have a place for them, which is where AMQP's users put them.
  if (name === 'amqplib') return;
  it('rejects a user and a password, and does not show them', () => {
    expect(() => make('user:hunter2@k1:1234')).toThrow(
      expect.objectContaining({ code: 'RXF_OPTION_INVALID', message: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('an IPv6 address', () => {
  it('is where kafkajs connects to', async () => {
    let met: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => {
      met = resolve;
    });
    const server = createServer((socket) => {
      socket.on('error', () => undefined).destroy();
      met();
    });
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
    const driver = kafkajs({
      brokers: [`[::1]:${(server.address() as { port: number }).port}`],
      connectTimeoutMs: 2_000,
    });
    const failed = firstValueFrom(driver.connect(kafkaSubscription('t'), new KafkaTrace())).catch(
      (error: unknown) => error,
    );
    await meeting;
    expect(await failed).toMatchObject({ code: 'RXF_KAFKA_UNREACHABLE' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('is where the Flume server listens, with brackets or without', () => {
    for (const host of ['::1', '[::1]']) expect(avroRpcServer({ host, port: 4141 }).name).toBe('avro [::1]:4141');
  });

  it('is what the package webhdfs gets without brackets, and is shown with them', () => {
    for (const host of ['::1', '[::1]'])
      expect(webhdfsPackage({ client: { host, port: 9870 } }).name).toBe('webhdfs-package http://[::1]:9870');
    expect(() => webhdfsPackage({ client: { host: 'nn1:9870' } })).toThrow('client.host');
  });
});

describe.each(NAMES)('every form of an address, given to %s', (driver) => {
  const make = (address: string) => (DRIVERS[driver] as (typeof DRIVERS)[string])(address);

  it.each(['k1:9092', 'k1', '[::1]:9092', '[::1]', 'my_host:9092', 'bücher.example:9092'])('takes %s', (address) => {
    expect(() => make(address)).not.toThrow();
  });

  it.each(['::1', 'k1:0', 'k1:00', 'k1:', '[::1]:0', 'k1:70000', 'k1:9092 ', 'k1\t:9092', '[k1]:9092', ''])(
    'rejects %j at the call',
    (address) => {
      expect(() => make(address)).toThrow(/^Expected |must be/);
    },
  );
});

it('an AMQP URL has all its parts read, and its host as a socket takes it', () => {
  const given = {};
  const { password, ...rest } = parseAddress('urls[0]', 'amqp://user:p%40ss@[::1]:5672/%2f', given);
  expect(password.value()).toBe('p@ss');
  expect(rest).toEqual({
    name: '[::1]:5672',
    host: '::1',
    port: 5_672,
    isTls: false,
    vhost: '/',
    user: 'user',
  });
  expect(parseAddress('urls[0]', 'amqps://bücher.example', given).host).toBe('xn--bcher-kva.example');
});

it.each([' amqp://user:hunter2@k1', 'amqp://user:hunter2@k1:0', 'amqp://user:hunter2@%'])(
  '%j is rejected without its password',
  (url) => {
    let message = '';
    try {
      amqplib({ urls: [url] });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('urls[0]');
    expect(message).not.toMatch(/hunter2|user:/);
  },
);
