import { afterAll, describe, expect, it, jest } from '@jest/globals';
import * as t from 'io-ts';
import { lastValueFrom, type Subscription } from 'rxjs';
import { decode, mapValue } from '../../operators/index.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { webhdfs } from '../../src/drivers/webhdfs/index.js';
import { flow } from '../../src/flow/flow.js';
import type { FlowControl } from '../../src/flow/flow-control.js';
import { controlOf } from '../../src/flow/running-flows.js';
import type { Tapped } from '../../src/flow/tap.js';
import { json } from '../../src/formats/json.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { nullSink } from '../../src/sinks/null/null-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import {
  brokers,
  committed,
  compare,
  createTopic,
  fresh,
  nameNode,
  produce,
  produceRaw,
  readNumbers,
  sleep,
} from './support.js';

jest.setTimeout(90_000);

const Numbered = t.type({ n: t.number, text: t.string });
const subscriptions: Subscription[] = [];

afterAll(() => {
  for (const subscription of subscriptions) subscription.unsubscribe();
});

/** A flow that rolls its files when it is told, and else not within the test. */
function start(topic: string) {
  const lake = fileSink<{ n: number }>(webhdfs({ nameNodes: [nameNode], user: 'flume' }), {
    root: `/lake/${topic}`,
    path: (value) => `mod=${value.n % 3}`,
    format: jsonLines(),
    roll: { intervalMs: 600_000 },
  });
  const ends: string[] = [];
  const whole = flow(
    topic,
    kafkaSource(kafkajs({ brokers }), { topics: [topic], groupId: `${topic}-group`, resumeFrom: lake.offsetStore }),
    decode(json(Numbered)),
    lake.write(),
  );
  subscriptions.push(
    whole.subscribe({ error: (error: Error) => ends.push(error.message), complete: () => ends.push('complete') }),
  );
  return { control: controlOf(topic) as FlowControl, ends };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 150; tries += 1) {
    if (holds()) return;
    await sleep(100);
  }
  throw new Error(`not within 15 s: ${what}`);
}

const readIn = (control: FlowControl) => [...control.positions()].reduce((sum, { read = 0 }) => sum + read, 0);

describe('the control of a flow, for real', () => {
  it('pauses, resumes, rolls, taps and locates, and each value is in one file at the end', async () => {
    const topic = fresh('control');
    await createTopic(topic);
    const { control, ends } = start(topic);
    const tapped: Tapped[] = [];
    const tap = control.tap(1, { redact: ['text'] }).subscribe((one) => tapped.push(one));
    await produce(topic, 0, 2_000);
    await until(() => readIn(control) === 2_000, 'all of the first is read');
    expect(tapped[0]?.text).toMatch(/^\{"n":\d+,"text":"\[redacted\]"\}$/);
    expect(tapped[0]?.stream).toMatch(new RegExp(`^kafka:${topic}/`));
    tap.unsubscribe();
    expect(control.locate(`kafka:${topic}/0`, 100)).toMatchObject({ state: 'in flight', at: 'the sink (2 fileSink)' });

    control.pause();
    await produce(topic, 2_000, 4_000);
    await sleep(3_000);
    expect([readIn(control), control.state, control.files.length]).toEqual([2_000, 'paused', 0]);
    expect(control.locate(`kafka:${topic}/0`, 700)).toMatchObject({ state: 'not read' });
    control.roll();
    await until(() => control.files.length === 12, 'three files of each of four partitions are committed');
    expect(control.files.reduce((sum, { values }) => sum + values, 0)).toBe(2_000);
    expect(control.locate(`kafka:${topic}/0`, 100).file).toMatch(`/lake/${topic}/mod=`);
    await until(() => control.locate(`kafka:${topic}/0`, 100).state === 'committed', 'the offsets are committed');
    expect(await committed(`${topic}-group`, topic)).toBe(2_000);

    control.resume();
    await until(() => readIn(control) === 4_000, 'what came during the pause is read');
    const drained = new Promise<void>((resolve, reject) => {
      control.drain().subscribe({ error: reject, complete: resolve });
    });
    await drained;
    expect(ends).toEqual(['complete']);
    expect(compare(await readNumbers(`/lake/${topic}`), 4_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(`${topic}-group`, topic)).toBe(4_000);
  });
});

describe('a reset, for real', () => {
  it('moves a paused flow to an offset and to a time, commits that as a member, and redelivers from there', async () => {
    const topic = fresh('reset');
    // Older records could be deleted by retention meanwhile.
    const began = Date.now() - 60_000;
    await createTopic(topic, 2);
    await produceRaw(
      topic,
      Array.from({ length: 100 }, (_, n) => ({ partition: n % 2, value: String(n), timestamp: String(began + n) })),
    );
    const values: number[] = [];
    const whole = flow(
      topic,
      kafkaSource(kafkajs({ brokers }), {
        topics: [topic],
        groupId: topic,
        commit: { count: 10, intervalMs: 100 },
      }),
      mapValue((bytes: Buffer | null) => {
        values.push(Number(bytes));
        return bytes;
      }),
      nullSink().write(),
    );
    const ends: string[] = [];
    subscriptions.push(whole.subscribe({ error: (error: Error) => ends.push(error.message) }));
    const control = controlOf(topic) as FlowControl;
    await until(() => values.length === 100, 'all is read');
    const isCommitted = () => control.resetPreview({ offset: 40 }).perStream.every(({ from }) => from !== undefined);
    await until(isCommitted, 'each partition has a commit');
    control.pause();
    const preview = control.resetPreview({ offset: 40 }).perStream;
    expect(preview.map(({ from, to, redelivered }) => [from, to, redelivered])).toEqual(
      preview.map(() => [expect.any(Number), 40, expect.any(Number)]),
    );
    const { message } = await lastValueFrom(control.reset({ offset: 40 }));
    expect(message).toMatch(/0 to 40/);
    expect([preview.length, await committed(topic, topic)]).toEqual([2, 80]);
    control.resume();
    await until(() => values.length === 100 + (50 - 40) * 2, 'the last ten of each are redelivered');

    control.pause();
    const offsets = await lastValueFrom(control.offsetsAt(began + 90));
    await lastValueFrom(control.reset({ offsets }));
    control.resume();
    await until(() => values.length === 130, 'those since the time are redelivered');
    expect(values.slice(-10).sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, n) => 90 + n));
    control.pause();
    await expect(lastValueFrom(control.reset({ offset: 99 }, [`kafka:${topic}/0`]))).resolves.toMatchObject({
      perStream: [{ to: 50 }],
    });
    expect(ends).toEqual([]);
  });
});
