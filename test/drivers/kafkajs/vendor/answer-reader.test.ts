import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { kafkajs } from '../../../../src/drivers/kafkajs/index.js';
import { AnswerReader } from '../../../../src/drivers/kafkajs/vendor/answer-reader.js';
import { openSocket } from '../../../../src/drivers/kafkajs/vendor/sockets.js';
import { kafkaSource } from '../../../../src/index.js';

/** An answer of so many bytes, with its size in front. */
function answerOf(bytes: number, seed: number): Buffer {
  const answer = Buffer.alloc(4 + bytes, seed & 0xff);
  answer.writeInt32BE(bytes);
  return answer;
}

/** Gives a reader bytes as a socket does: into its room, at most so many at a time. */
function feed(reader: AnswerReader, bytes: Buffer, most: () => number): void {
  for (let at = 0; at < bytes.length; ) {
    const read = bytes.copy(reader.room(), 0, at, Math.min(bytes.length, at + most()));
    expect(read).toBeGreaterThan(0);
    reader.read(read);
    at += read;
  }
}

describe('AnswerReader', () => {
  it('gives the answers whole and in order, however they were cut on the way', () => {
    const sizes = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 200_000 })), { maxLength: 12 });
    const cuts = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 150_000 })));
    fc.assert(
      fc.property(sizes, cuts, (all, most) => {
        const sent = all.map(answerOf);
        const taken: Buffer[] = [];
        const reader = new AnswerReader((answer) => taken.push(answer));
        feed(reader, Buffer.concat(sent), () => most.next().value as number);
        expect(taken.length).toBe(sent.length);
        expect(taken.every((answer, at) => answer.equals(sent[at] as Buffer))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('has the bulk of an answer read to where it stays, and never beyond its end', () => {
    const taken: Buffer[] = [];
    const reader = new AnswerReader((answer) => taken.push(answer));
    feed(reader, answerOf(1_000_000, 7).subarray(0, 100), () => 100);
    const room = reader.room();
    expect(room.length).toBe(1_000_004 - 100);
    reader.read(room.length);
    expect(taken[0]?.buffer).toBe(room.buffer);
  });

  it.each([-1, -(2 ** 31), 256 * 1024 * 1024 + 1, 0x48545450])(
    'rejects a size of %i before it takes memory',
    (size) => {
      const reader = new AnswerReader(() => undefined);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(size);
      expect(() => feed(reader, bytes, () => 4)).toThrow(
        `a response claims ${size} bytes; at most 268435456 are accepted, so this may be no port of a Kafka broker without TLS`,
      );
    },
  );
});

describe('a socket to a broker', () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];

  async function listen(serve: (socket: Socket) => void): Promise<number> {
    server = createServer((socket) => {
      sockets.push(socket);
      serve(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server?.close(resolve));
    server = undefined;
  });

  it('emits whole answers, and then its end', async () => {
    const sent = [answerOf(3, 1), answerOf(300_000, 2), answerOf(0, 3)];
    const port = await listen((socket) => socket.end(Buffer.concat(sent)));
    const taken: Buffer[] = [];
    const socket = openSocket({ host: '127.0.0.1', port, onConnect: () => undefined });
    socket.on('data', (bytes) => taken.push(bytes as Buffer));
    await once(socket, 'end');
    expect(Buffer.concat(taken).equals(Buffer.concat(sent))).toBe(true);
    expect(taken.map(({ length }) => length)).toEqual([7, 300_004, 4]);
    socket.destroy();
  });

  it('to something else than a broker fails at once, and says what to look at', async () => {
    const port = await listen((socket) => socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const driver = kafkajs({ brokers: [`127.0.0.1:${port}`], connectTimeoutMs: 5_000 });
    const began = performance.now();
    const source = kafkaSource(driver, { topics: ['chat'], groupId: 'g' });
    await expect(firstValueFrom(source)).rejects.toMatchObject({
      code: 'RXF_KAFKA_UNREACHABLE',
      message: expect.stringContaining('no port of a Kafka broker without TLS'),
    });
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});
