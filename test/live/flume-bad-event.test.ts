import { afterEach, expect, it, jest } from '@jest/globals';
import { type FlumeEvent, flumeSink, Monitor, type RxflumeError } from 'rxflume';
import { avroRpcClient } from 'rxflume/drivers/avro-rpc';
import { RecordingAcker } from 'rxflume/testing';
import { Subject, type Subscription } from 'rxjs';
import type { Delivery } from '../../src/delivery/delivery.js';
import { describeFlume, folder, freePort, numbersIn, startAgent, under, until } from './flume-support.js';
import { services } from './support.js';

jest.setTimeout(120_000);

const COUNT = 100;
const BAD = 41;

/** Takes events by Avro through an interceptor, and writes their bodies to files. */
function agent(port: number, directory: string, interceptor: Record<string, string | number>) {
  return {
    sources: 'r1',
    channels: 'c1',
    sinks: 'k1',
    ...under('sources.r1', { type: 'avro', bind: '127.0.0.1', port, channels: 'c1', interceptors: 'i1' }),
    ...under('sources.r1.interceptors.i1', interceptor),
    ...under('channels.c1', { type: 'memory', capacity: 10_000, transactionCapacity: 1_000 }),
    ...under('sinks.k1', { type: 'file_roll', channel: 'c1', 'sink.directory': directory, 'sink.rollInterval': 0 }),
  };
}

let running: Subscription | undefined;

/** Numbered events, one of them with another body, and what became of each. */
async function send(port: number, bad: string, count: number) {
  const acker = new RecordingAcker('kafka:t/0');
  const deliveries$ = new Subject<Delivery<FlumeEvent>>();
  const sink = flumeSink(avroRpcClient({ agents: [`127.0.0.1:${port}`] }), {
    batch: { count },
    retry: { maxAttempts: 3, firstDelayMs: 100, maxDelayMs: 200 },
    monitor: new Monitor(),
  });
  running = sink.write()(deliveries$).subscribe();
  for (let n = 0; n < COUNT; n += 1) {
    const body = Buffer.from(n === BAD ? bad : String(n));
    deliveries$.next(acker.deliver({ headers: {}, body }, {}, String(n)));
  }
  await until('an answer to every event', () => acker.acks.length + acker.nacks.length === COUNT, 30_000);
  return { acks: acker.acks.length, nacks: acker.nacks, cause: acker.causes[String(BAD)] as RxflumeError };
}

const others = Array.from({ length: COUNT }, (_, n) => n).filter((n) => n !== BAD);

describeFlume('an event that a real agent cannot take', () => {
  afterEach(async () => {
    running?.unsubscribe();
    await services('flume', 'stop', 'a1');
  });

  it('whose interceptor ends in an Error of Java: it alone is nacked, for good, and the others are stored once', async () => {
    const [port, directory] = [await freePort(), folder('roll')];
    // Java matches a group that repeats by recursion: a long text is a StackOverflowError.
    const overflowing = { type: 'regex_filter', regex: '^(a|b)*c', excludeEvents: 'true' };
    await startAgent('a1', agent(port, directory, overflowing));
    const { acks, nacks, cause } = await send(port, 'ab'.repeat(200_000), COUNT);
    expect([acks, nacks]).toEqual([COUNT - 1, [String(BAD)]]);
    expect(cause).toMatchObject({ code: 'RXF_FLUME_EVENT_REJECTED', retryable: false });
    expect(cause.message).toContain(`did not take the event ${BAD} of kafka:t/0 alone`);
    await until('the others in the files', () => numbersIn(directory).size === COUNT - 1, 30_000);
    expect([...numbersIn(directory)].sort(([a], [b]) => a - b)).toEqual(others.map((n) => [n, 1]));
  });

  it('whose interceptor throws an exception: its batch is answered FAILED, as for a full channel, and nacked whole', async () => {
    const [port, directory] = [await freePort(), folder('roll')];
    const throwing = { type: 'search_replace', searchPattern: 'bad', replaceString: '$9' };
    await startAgent('a1', agent(port, directory, throwing));
    const { acks, nacks, cause } = await send(port, 'bad', COUNT);
    expect([acks, nacks.length]).toEqual([0, COUNT]);
    expect(cause).toMatchObject({ code: 'RXF_FLUME_REJECTED', retryable: true });
    expect(cause.message).toContain('answered FAILED');
    running?.unsubscribe();
    // Alone it is answered with an error of the call.
    const alone = await send(port, 'bad', 1);
    expect([alone.acks, alone.nacks]).toEqual([COUNT - 1, [String(BAD)]]);
    await until('the others in the files', () => numbersIn(directory).size === COUNT - 1, 30_000);
    expect([...numbersIn(directory)].sort(([a], [b]) => a - b)).toEqual(others.map((n) => [n, 1]));
  });
});
