import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { amqpStreamSource, fileSink, Monitor, text } from 'rxflume';
import { amqplib } from 'rxflume/drivers/amqplib';
import { memoryFileSystem } from 'rxflume/testing';
import { of, type Subscription } from 'rxjs';
import { Door } from '../drivers/amqplib/door.js';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import { describeRabbitmq, withChannel } from './rabbitmq-support.js';
import { fresh, sleep } from './support.js';

jest.setTimeout(60_000);

describeRabbitmq('a stream of a real RabbitMQ that is read from `next`', () => {
  let stream: string;
  let door: Door;

  beforeEach(async () => {
    stream = fresh('amqp-next');
    door = await Door.before(new URL(RABBITMQ));
    await withChannel((channel) => channel.assertQueue(stream, { arguments: { 'x-queue-type': 'stream' } }));
  });
  afterEach(async () => {
    await door.close();
    await withChannel((channel) => channel.deleteQueue(stream));
  });

  const publish = (values: readonly string[]) =>
    withChannel(async (channel) => {
      for (const value of values) channel.sendToQueue(stream, Buffer.from(value));
      await channel.waitForConfirms();
    });
  const reading = (monitor: Monitor, options: object) =>
    amqpStreamSource(amqplib({ urls: [`amqp://127.0.0.1:${door.port}`] }), {
      queues: [stream],
      startAt: 'next',
      monitor,
      reconnect: { firstDelayMs: 2_000, maxDelayMs: 2_000 },
      ...options,
    });

  /** Resolves when it consumes. */
  const consuming = (monitor: Monitor) =>
    new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('it does not consume')), 15_000);
      const watching: Subscription = monitor.logEvents$.subscribe(({ what }) => {
        if (what !== 'amqp.consuming') return;
        clearTimeout(late);
        watching.unsubscribe();
        resolve();
      });
    });

  it.each([0, 500])(
    'after %s messages: skips nothing that is published while its connection is down',
    async (before) => {
      await publish(Array.from({ length: before }, (_, n) => `old${n}`));
      const monitor = new Monitor();
      const seen: string[] = [];
      const began = consuming(monitor);
      const running = reading(monitor, {}).subscribe(({ value }) => seen.push(String(value)));
      try {
        await began;
        const again = consuming(monitor);
        door.cut();
        await publish(['a', 'b']);
        await again;
        await publish(['c']);
        for (let turn = 0; turn < 50 && !seen.includes('c'); turn += 1) await sleep(100);
        expect(seen).toEqual(['a', 'b', 'c']);
      } finally {
        running.unsubscribe();
      }
    },
  );

  it.each([0, 500])('after %s messages: nor while it is down itself, by the ledger', async (before) => {
    await publish(Array.from({ length: before }, (_, n) => `old${n}`));
    const fs = memoryFileSystem();
    const stored = () =>
      Object.keys(fs.files())
        .filter((path) => !path.includes('_rxflume'))
        .flatMap((path) => fs.text(path).trim().split('\n'));
    for (const value of ['a', 'b']) {
      const monitor = new Monitor();
      const lake = fileSink(fs, {
        root: '/lake',
        format: text(),
        roll: { intervalMs: 60_000, idleMs: 60_000 },
        monitor,
      });
      const began = consuming(monitor);
      const running = reading(monitor, { resumeFrom: lake.offsetStore }).pipe(lake.write()).subscribe();
      await began;
      running.unsubscribe();
      await publish([value]);
    }
    const monitor = new Monitor();
    const lake = fileSink(fs, { root: '/lake', format: text(), roll: { intervalMs: 500, idleMs: 200 }, monitor });
    const running = reading(monitor, { resumeFrom: lake.offsetStore }).pipe(lake.write()).subscribe();
    try {
      for (let turn = 0; turn < 80 && stored().length < 2; turn += 1) await sleep(100);
      expect(stored()).toEqual(['a', 'b']);
    } finally {
      running.unsubscribe();
    }
  });

  it('that was deleted and declared again is not passed over up to the end of the ledger', async () => {
    await publish(['a', 'b']);
    const resumeFrom = (streams: readonly string[]) => of(new Map(streams.map((one) => [one, 9])));
    const seen: string[] = [];
    const failed = new Promise<unknown>((resolve, reject) => {
      reading(new Monitor(), { resumeFrom }).subscribe({
        next: ({ value }) => seen.push(String(value)),
        error: resolve,
        complete: () => reject(new Error('it completes')),
      });
    });
    expect(await failed).toMatchObject({ code: 'RXF_AMQP_DATA_LOST', details: { expected: 9, first: 0 } });
    expect(seen).toEqual([]);
  });
});
