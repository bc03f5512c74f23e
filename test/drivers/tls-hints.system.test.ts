import { type AddressInfo, createServer as createPlain, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { amqplib } from '../../src/drivers/amqplib/index.js';
import { avroRpcClient } from '../../src/drivers/avro-rpc/index.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { certificate } from './avro-rpc/certificate.js';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const peers = {
  /** Ends what it does not understand, as Kafka and Flume do. */
  'a plain port that hangs up': () => createPlain((socket) => socket.once('data', () => socket.end())),
  /** RabbitMQ says what it speaks. */
  'a plain port that answers': () =>
    createPlain((socket) => socket.once('data', () => socket.end(Buffer.from('AMQP\0\0\x09\x01')))),
  'a certificate of an unknown authority': () => createTls(certificate).on('tlsClientError', () => undefined),
};

/** How each driver fails to connect to such a port. */
const drivers = {
  kafkajs: (port: number, isTls: boolean) =>
    kafkaSource(kafkajs({ brokers: [`127.0.0.1:${port}`], tls: isTls }), {
      topics: ['chat'],
      groupId: 'g',
    }),
  amqplib: (port: number, isTls: boolean) =>
    amqpSource(amqplib({ urls: [`${isTls ? 'amqps' : 'amqp'}://u:p@127.0.0.1:${port}`] }), {
      queues: ['q'],
    }),
  'avro-rpc': (port: number, isTls: boolean) => avroRpcClient({ agents: [`127.0.0.1:${port}`], tls: isTls }).connect(0),
};

async function failure(name: string, peer: string, isTls: boolean): Promise<Error> {
  const port = await portOf(peers[peer as keyof typeof peers]());
  const connecting = drivers[name as keyof typeof drivers](port, isTls);
  const error: unknown = await firstValueFrom<unknown>(connecting).then(
    () => 'connected',
    (failed: unknown) => failed,
  );
  return error as Error;
}

describe.each([
  ['kafkajs', 'leave out `tls`', 'If the port requires TLS, set `tls`', '`tls.ca`'],
  ['amqplib', 'write `amqp:`', 'If the port requires TLS, use `amqps:`', '`tls.ca`'],
  ['avro-rpc', 'leave out `tls`', 'If the port wants TLS, set `tls`', '`tls.ca`'],
])('%s says which side speaks no TLS', (name, withoutTls, withTls, ca) => {
  it.each(['a plain port that hangs up', 'a plain port that answers'])('TLS to %s', async (peer) => {
    const { message } = await failure(name, peer, true);
    expect(message).toMatch(/not speak TLS: correct the port/);
    expect(message).toContain(withoutTls);
    expect(message).not.toContain(withTls);
  });

  it('no TLS to a port that wants it', async () => {
    const { message } = await failure(name, 'a certificate of an unknown authority', false);
    expect(message).toContain(withTls);
    expect(message).not.toContain(withoutTls);
  });

  it('TLS to a certificate of an unknown authority: where to give it, and that trying again is of no use', async () => {
    expect(await failure(name, 'a certificate of an unknown authority', true)).toMatchObject({
      message: expect.stringContaining(ca),
      retryable: false,
    });
  });
});
