import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EMPTY, first, lastValueFrom, type Observable, timeout, timer, toArray } from 'rxjs';
import { deadLetter } from '../../../operators/dead-letter.js';
import { drainOn } from '../../../operators/drain-on.js';
import { mapValue } from '../../../operators/map-value.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { DeadLetter } from '../../../src/delivery/dead-letter.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Receipt } from '../../../src/delivery/receipt.js';
import { undici } from '../../../src/drivers/undici/index.js';
import { flow } from '../../../src/flow/flow.js';
import { httpSink } from '../../../src/sinks/http/http-sink.js';
import type { HttpSinkOptions } from '../../../src/sinks/http/options.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';

/** What the server does with one request, of which it has stored the values, or not. */
type Misdeed =
  | 'ok'
  | '400'
  | '401'
  | '413'
  | '429'
  | '500'
  | 'reset before'
  | 'reset after'
  | 'silence'
  | 'half an answer'
  | 'stalls'
  | 'huge answer'
  | 'garbage'
  | 'garbage after';

/** Real sockets: what comes in is stored as it should be, but the answers do not always say so. */
class Store {
  /** Every value, as often as it was stored. */
  readonly stored: string[] = [];
  /** The same, where a batch with a key that was seen before is not stored again. */
  readonly storedOnce: string[] = [];
  /** What `content-encoding` said. */
  readonly encodings = new Set<string>();
  requests = 0;
  next: (n: number, body: string) => Misdeed = () => 'ok';
  readonly #keys = new Set<string>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const encoding = request.headers['content-encoding'];
      const sent = Buffer.concat(pieces);
      const body = (encoding === 'gzip' ? gunzipSync(sent) : sent).toString();
      this.encodings.add(encoding ?? 'none');
      const deed = this.next(this.requests, body);
      this.requests += 1;
      if (!['400', '401', '413', '429', '500', 'reset before', 'garbage'].includes(deed)) {
        const values = body.trim().split('\n');
        this.stored.push(...values);
        const key = String(request.headers['idempotency-key']);
        if (!this.#keys.has(key)) this.storedOnce.push(...values);
        this.#keys.add(key);
      }
      if (/^\d+$/.test(deed)) response.writeHead(Number(deed), { 'retry-after': '0' }).end('no, because');
      else if (deed === 'ok') response.end('stored');
      else if (deed === 'huge answer') response.end(Buffer.alloc(5_000_000, 'x'));
      else if (deed === 'stalls') response.writeHead(200, { 'content-length': 10 }).write('half');
      else if (deed === 'half an answer') {
        response.writeHead(200, { 'content-length': 10 }).write('half', () => request.socket.destroy());
      } else if (deed.startsWith('garbage')) request.socket.end('HTTQ/9 what?\r\n\r\n');
      else if (deed !== 'silence') request.socket.resetAndDestroy();
    });
  });

  async listen(): Promise<string> {
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket));
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/chat`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
});

async function start(count: number) {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 2);
  const values = Array.from({ length: count }, (_, n) => `v${n}`);
  for (const partition of [0, 1]) {
    kafka.produce(
      'chat',
      partition,
      values.filter((_, n) => n % 2 === partition),
    );
  }
  const store = new Store();
  stores.push(store);
  const url = await store.listen();
  const client = undici({ headersTimeoutMs: 100, bodyTimeoutMs: 100, maxResponseBytes: 10_000 });
  const monitor = new Monitor();
  const options: HttpSinkOptions<string> = {
    url,
    batch: { count: 7, maxWaitMs: 20 },
    retry: { firstDelayMs: 5, maxDelayMs: 20 },
    breaker: { openMs: 20 },
    monitor,
  };
  const lines = { contentType: 'text/plain', encode: (value: string) => `${value}\n` };
  const redeliver = { firstDelayMs: 10 };
  const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'g', commit: { intervalMs: 10 }, redeliver, monitor });
  const committed = () => [0, 1].map((partition) => kafka.committed('g', 'chat', partition));
  const isDone = () => committed().reduce((sum, offset) => sum + offset, 0) === count;
  const run = async (change: Partial<HttpSinkOptions<string>> = {}, letters?: (values: unknown[]) => void) => {
    const bad = (in$: Observable<Delivery<DeadLetter>>): Observable<Receipt> => {
      in$.subscribe((letter) => {
        letters?.([letter.value]);
        letter.ack();
      });
      return EMPTY;
    };
    const trial = flow(
      'trial',
      source,
      mapValue((value) => String(value)),
      letters === undefined ? mapValue((value: string) => value) : deadLetter<string>(bad),
      httpSink<string>(client, { ...options, body: lines, ...change }).write(),
    );
    const done$ = timer(0, 10).pipe(first(isDone), timeout({ first: 20_000 }));
    return await lastValueFrom(trial.pipe(drainOn(done$), toArray()));
  };
  return { kafka, store, values, committed, run, monitor };
}

const sorted = (values: readonly string[]) => [...new Set(values)].sort();

describe('from a Kafka to a real HTTP server', () => {
  it.each<[Misdeed, boolean]>([
    ['429', true],
    ['500', true],
    ['reset before', true],
    ['reset after', false],
    ['silence', false],
    ['half an answer', false],
    ['stalls', false],
    ['huge answer', true],
    ['garbage', true],
    ['garbage after', false],
  ])(
    'that misbehaves: %s; nothing is lost, and nothing is twice where it keeps keys',
    async (misdeed, isExact) => {
      const { store, values, committed, run } = await start(60);
      store.next = (n) => (n === 1 || n === 4 ? misdeed : 'ok');
      await run();
      expect(committed()).toEqual([30, 30]);
      expect(sorted(store.stored)).toEqual(sorted(values));
      expect(store.storedOnce).toHaveLength(60);
      if (isExact) expect(store.stored).toHaveLength(60);
      else expect(store.stored.length).toBeGreaterThan(60);
    },
    30_000,
  );

  it('that is down beyond the retries: what was not acked is redelivered from the source', async () => {
    const { store, values, committed, run } = await start(60);
    store.next = (n) => (n >= 2 && n < 30 ? 'reset before' : 'ok');
    await run({ retry: { maxAttempts: 2, firstDelayMs: 1 } });
    expect(committed()).toEqual([30, 30]);
    expect(sorted(store.stored)).toEqual(sorted(values));
  }, 30_000);

  it('that rejects one value: set aside alone, all else is stored', async () => {
    const { store, values, committed, run } = await start(60);
    store.next = (_, body) => (/^v31$/m.test(body) ? '400' : 'ok');
    const letters: unknown[] = [];
    await run({ reject: 'value' }, (more) => letters.push(...more));
    expect(committed()).toEqual([30, 30]);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ value: 'v31', code: 'RXF_HTTP_REJECTED' });
    expect(sorted(store.stored)).toEqual(sorted(values.filter((value) => value !== 'v31')));
  }, 30_000);

  it('that rejects the credentials: nothing is set aside for it, and the flow stops', async () => {
    const { store, run } = await start(60);
    store.next = (n) => (n < 3 ? 'ok' : '401');
    const letters: unknown[] = [];
    const running = run({ reject: 'value' }, (more) => letters.push(...more));
    await expect(running).rejects.toMatchObject({ code: 'RXF_SOURCE_NACKED', cause: { code: 'RXF_HTTP_DENIED' } });
    expect(letters).toEqual([]);
  }, 30_000);

  it('that takes no large batch: in halves', async () => {
    const { store, values, run } = await start(60);
    store.next = (_, body) => (body.length > 12 ? '413' : 'ok');
    await run();
    expect([...store.stored].sort()).toEqual(sorted(values));
  }, 30_000);

  it('that rejects for good: the flow stops before it, and goes on from there when it is repaired', async () => {
    const { store, values, committed, run } = await start(60);
    store.next = (n) => (n < 3 ? 'ok' : '400');
    await expect(run()).rejects.toMatchObject({ code: 'RXF_SOURCE_NACKED', cause: { code: 'RXF_HTTP_REJECTED' } });
    expect(committed().reduce((sum, offset) => sum + Math.max(0, offset), 0)).toBeLessThan(60);
    store.next = () => 'ok';
    await run();
    expect(committed()).toEqual([30, 30]);
    expect(sorted(store.stored)).toEqual(sorted(values));
  }, 30_000);

  it.each(['gzip', 'none'] as const)(
    'with compression %s the body is what its header says',
    async (compression) => {
      const { store, values, run } = await start(20);
      const receipts = await run({ compression });
      expect([...store.encodings]).toEqual([compression]);
      expect([...store.stored].sort()).toEqual(sorted(values));
      expect(receipts.reduce((sum, { values: count }) => sum + count, 0)).toBe(20);
    },
    30_000,
  );
});
