import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmbeddedLog, embeddedLog } from 'rxflume/drivers/embedded-log';
import { filter, firstValueFrom, of, ReplaySubject, Subject, type Subscription, toArray } from 'rxjs';
import { type FeedLogEvent, type FeedOptions, feed } from '../../examples/first-run/feed.js';

let folder: string;
let log: EmbeddedLog;
let options: FeedOptions;
let stop$: Subject<void>;
let running: Subscription[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rxflume-feed-'));
  log = embeddedLog({ folder: join(folder, 'log') });
  stop$ = new Subject();
  running = [];
  const file = join(folder, 'chat.jsonl');
  await writeFile(file, '{"id":"m-1"}\n{"id":\n{"id":"m-3"}\n');
  options = { file, topic: 'chat', httpPort: 0, messagesPerSecond: 0, stop$ };
});

afterEach(async () => {
  for (const one of running) one.unsubscribe();
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a feed and answers with the url it listens on. */
async function listen(given: Partial<FeedOptions> = {}): Promise<{ url: string; connection: Subscription }> {
  const logEvents$ = new ReplaySubject<FeedLogEvent>();
  const connection = feed(log, { ...options, ...given }).subscribe(logEvents$);
  running.push(connection);
  const { url } = await firstValueFrom(logEvents$.pipe(filter(({ what }) => what === 'listening')));
  return { url: url as string, connection };
}

async function post(url: string, body: string | Uint8Array): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${url}messages`, { method: 'POST', body });
  return { status: response.status, answer: await response.json() };
}

/** What the topic holds after the imported file. */
async function posted(): Promise<Record<string, unknown>[]> {
  const count = await log.recordCount('chat');
  const values$ = new Subject<string>();
  const all = firstValueFrom(
    values$.pipe(
      toArray(),
      filter((values) => values.length === count),
    ),
  );
  let left = count;
  const connection = log
    .connect(
      {
        topics: ['chat'],
        groupId: 'test',
        startAt: 'earliest',
        maxPartitionBytes: 2 ** 22,
        maxWaitMs: 1,
        revokeTimeoutMs: 1,
        sessionTimeoutMs: 1,
      },
      {
        assigned: () => of([]),
        began: () => of(0),
        revoking: () => of(0),
        lost: () => undefined,
        reading: () => undefined,
        logEvent: () => undefined,
        records: ({ records }) => {
          for (const { value } of records) values$.next(String(value));
          left -= records.length;
          if (left === 0) values$.complete();
        },
      },
    )
    .subscribe();
  const values = await all;
  connection.unsubscribe();
  return values.slice(3).map((value) => JSON.parse(value));
}

describe('feed', () => {
  it('imports the file as it is, bad lines too, once', async () => {
    const first = await listen();
    expect(await log.recordCount('chat')).toBe(3);
    first.connection.unsubscribe();
    await listen();
    expect(await log.recordCount('chat')).toBe(3);
  });

  it('is cold, and completes when stopped', async () => {
    const cold$ = feed(log, options);
    expect(await log.recordCount('chat')).toBe(0);
    const logEvents: string[] = [];
    const done = new Promise<void>((resolve) => {
      running.push(
        cold$.subscribe({
          next: ({ what }) => {
            logEvents.push(what);
            if (what === 'listening') stop$.next();
          },
          complete: resolve,
        }),
      );
    });
    await done;
    expect(logEvents).toEqual(['imported', 'listening']);
  });

  it('finishes the import when stopped meanwhile, and completes', async () => {
    const all = firstValueFrom(feed(log, options).pipe(toArray()));
    stop$.next();
    expect((await all).map(({ what }) => what)).toEqual(['imported']);
  });

  it('closes its server when stopped, and at once when unsubscribed', async () => {
    const first = await listen();
    stop$.next();
    await expect(fetch(first.url)).rejects.toThrow();
    const second = await listen();
    second.connection.unsubscribe();
    await expect(fetch(second.url)).rejects.toThrow();
  });

  it('makes live messages at its rate', async () => {
    await listen({ messagesPerSecond: 200 });
    while ((await log.recordCount('chat')) < 13) await new Promise((resolve) => setTimeout(resolve, 10));
    stop$.next();
    for (const message of await posted()) {
      expect(message).toEqual(
        expect.objectContaining({
          id: expect.stringMatching(/^m-/),
          conversation: expect.stringMatching(/^live-/),
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          lang: expect.stringMatching(/^[a-z]{2}$/),
          text: expect.not.stringContaining('#'),
        }),
      );
    }
  });

  it('takes one JSON object, JSON lines, and text', async () => {
    const { url } = await listen();
    expect(await post(url, '{\n  "text": "你好",\n  "lang": "zh"\n}')).toEqual({
      status: 202,
      answer: { accepted: 1 },
    });
    expect(await post(url, '{"n":1}\n\n{"n":2}\n')).toEqual({ status: 202, answer: { accepted: 2 } });
    expect(await post(url, 'hello\nthere')).toEqual({ status: 202, answer: { accepted: 1 } });
    expect(await posted()).toEqual([
      expect.objectContaining({ text: '你好', lang: 'zh', from: 'customer', channel: 'web' }),
      { n: 1 },
      { n: 2 },
      expect.objectContaining({ text: 'hello\nthere', lang: 'en' }),
    ]);
  });

  it('rejects what is empty, too large, not UTF-8, or asked for in another way', async () => {
    const { url } = await listen();
    expect((await post(url, ' \n')).status).toBe(400);
    expect((await post(url, new Uint8Array([0xff, 0xfe]))).status).toBe(400);
    expect((await post(url, 'x'.repeat(1024 * 1024 + 1))).status).toBe(413);
    expect((await post(url, 'x'.repeat(1024 * 1024))).status).toBe(202);
    const got = await fetch(`${url}messages`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${url}other`)).status).toBe(404);
    expect(await log.recordCount('chat')).toBe(4);
  });

  it('tells how to use it', async () => {
    const { url } = await listen();
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('POST /messages');
  });

  it('answers 503, not 202, when the log rejects the append', async () => {
    const rejecting: EmbeddedLog = { ...log, append: () => Promise.reject(new Error('disk full')) };
    await log.append('chat', ['already filled']);
    const logEvents$ = new ReplaySubject<FeedLogEvent>();
    running.push(feed(rejecting, options).subscribe(logEvents$));
    const { url } = await firstValueFrom(logEvents$);
    expect(await post(url as string, 'hello')).toEqual({ status: 503, answer: { error: 'Not stored: disk full' } });
  });

  it('says so, and goes on, when its port is taken', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const logEvents$ = new ReplaySubject<FeedLogEvent>();
    const connection = feed(log, { ...options, httpPort: port, messagesPerSecond: 200 }).subscribe(logEvents$);
    running.push(connection);
    const { level, message } = await firstValueFrom(logEvents$.pipe(filter(({ what }) => what === 'not-listening')));
    expect([level, message]).toEqual(['warn', expect.stringContaining(`127.0.0.1:${port}: another program has it`)]);
    while ((await log.recordCount('chat')) < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(connection.closed).toBe(false);
    other.close();
  });
});
