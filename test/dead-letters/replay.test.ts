import { describe, expect, it } from '@jest/globals';
import { EMPTY, firstValueFrom, ignoreElements, lastValueFrom, Subject, tap, throwError, toArray } from 'rxjs';
import { deadLetter } from '../../operators/dead-letter.js';
import { decode, filterValue, mapValue } from '../../operators/index.js';
import { SinkError } from '../../src/core/errors.js';
import {
  type DeadLetterFilter,
  deadLetterFolder,
  dropDeadLetters,
  previewDeadLetters,
  readDeadLetters,
  replayDeadLetters,
} from '../../src/dead-letters/index.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Sink } from '../../src/delivery/receipt.js';
import { flow } from '../../src/flow/flow.js';
import { json } from '../../src/formats/json.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { crashingFiles } from './crashing-files.js';
import { BAD, chat, idsIn, LAKE, letter, none, put, stored } from './letters.js';

async function setUp(letters: readonly object[] = [letter(0), letter(1), letter(2)]) {
  const fs = memoryFileSystem();
  await put(fs, `${BAD}/dt=1/a.jsonl`, letters);
  return { fs, store: deadLetterFolder(fs, { root: BAD }) };
}

const states = async (store: ReturnType<typeof deadLetterFolder>, filter: DeadLetterFilter = {}) =>
  (await lastValueFrom(readDeadLetters(store, { filter }).pipe(toArray()))).map(
    ({ place, state }) => `${place} ${state}`,
  );

describe('replayDeadLetters', () => {
  it('stores each in the sink of the flow, and nothing at a second call', async () => {
    const { fs, store } = await setUp();
    const first = await lastValueFrom(replayDeadLetters(store, chat(fs)));
    expect(first).toEqual({ replayed: 3, setAside: 0, gone: 0, left: {} });
    expect(idsIn(fs)).toEqual([0, 1, 2]);
    expect(await states(store)).toEqual([
      'dt=1/a.jsonl#1 replayed',
      'dt=1/a.jsonl#2 replayed',
      'dt=1/a.jsonl#3 replayed',
    ]);
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs)))).toMatchObject({ replayed: 0 });
    expect(idsIn(fs)).toEqual([0, 1, 2]);
  });

  it('stores each in the Kafka sink of the flow, within transactions, and nothing at a second call', async () => {
    // Reading letters takes time, in which a connection that nothing uses is closed.
    const fs = memoryFileSystem({ latencyMs: 1 });
    await put(fs, `${BAD}/dt=1/a.jsonl`, [letter(0), letter(1), letter(2)]);
    const store = deadLetterFolder(fs, { root: BAD });
    const kafka = new MemoryKafka();
    kafka.createTopic('copy', 1);
    const sink = kafkaSink<{ id: number }>(kafka, { topic: 'copy', encode: (value) => JSON.stringify(value) });
    const toKafka = flow(
      'chat',
      none,
      decode((bytes: Buffer) => json()(bytes) as { id: number }),
      sink.write(),
    );
    expect(await lastValueFrom(replayDeadLetters(store, toKafka))).toMatchObject({ replayed: 3, setAside: 0 });
    expect(await lastValueFrom(replayDeadLetters(store, toKafka))).toMatchObject({ replayed: 0 });
    expect(kafka.read('copy').map(({ value }) => String(value))).toEqual(['{"id":0}', '{"id":1}', '{"id":2}']);
  });

  it('sets aside again what fails again, with the next attempt and a link, and replays that later', async () => {
    const { fs, store } = await setUp();
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs, [1])))).toMatchObject({ replayed: 3, setAside: 1 });
    expect(idsIn(fs)).toEqual([0, 2]);
    const again = stored(fs, BAD).filter(({ replayOf }) => replayOf !== null);
    expect(again).toMatchObject([
      {
        stream: 'kafka:chat/0',
        offset: 1,
        attempt: 2,
        replayOf: 'dt=1/a.jsonl#2',
        message: expect.stringContaining('no 1'),
      },
    ]);
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs)))).toMatchObject({ replayed: 1, setAside: 0 });
    expect(idsIn(fs)).toEqual([0, 1, 2]);
  });

  it('leaves to the flow what it sets aside itself', async () => {
    const { fs, store } = await setUp();
    const own = fileSink<DeadLetter>(fs, { root: '/own', format: jsonLines() });
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs, [1], own.write())))).toMatchObject({ setAside: 1 });
    expect(stored(fs, '/own')).toMatchObject([
      { offset: 1, attempt: 2, flow: 'chat', operator: '1 decode', replayOf: 'dt=1/a.jsonl#2' },
    ]);
    expect(stored(fs, BAD)).toHaveLength(3);
  });

  it('replays what fits a filter, and the rest later', async () => {
    const { fs, store } = await setUp([letter(0), letter(1, { code: 'RXF_SINK_TIME' }), letter(2)]);
    const filter = { code: 'RXF_SINK_TIME' };
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs), { filter }))).toMatchObject({ replayed: 1 });
    expect(idsIn(fs)).toEqual([1]);
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs)))).toMatchObject({ replayed: 2 });
    expect(idsIn(fs)).toEqual([0, 1, 2]);
  });

  it('replays a record once that was set aside twice', async () => {
    const { fs, store } = await setUp([letter(0), letter(0, { message: 'other' }), letter(1)]);
    expect(
      await lastValueFrom(replayDeadLetters(store, chat(fs), { filter: { places: ['dt=1/a.jsonl#2'] } })),
    ).toMatchObject({
      replayed: 1,
    });
    expect(await states(store)).toEqual([
      'dt=1/a.jsonl#1 duplicate',
      'dt=1/a.jsonl#2 replayed',
      'dt=1/a.jsonl#3 waiting',
    ]);
    await lastValueFrom(replayDeadLetters(store, chat(fs)));
    expect(idsIn(fs)).toEqual([0, 1]);
  });

  it('gives the record its bytes, key, headers and time again', async () => {
    const header = { name: 'trace', value: '/w==', encoding: 'base64' } as const;
    const { store } = await setUp([
      letter(0, { key: 'a', keyEncoding: 'utf8', headers: [header], value: '/w==', encoding: 'base64' }),
    ]);
    const seen: unknown[] = [];
    const look: Sink<Buffer> = (deliveries) =>
      deliveries.pipe(
        tap((delivery) => {
          const { value, origin } = delivery;
          seen.push([...value], origin.timestamp, String(origin.key), origin.headerList);
          delivery.ack();
        }),
        ignoreElements(),
      );
    await lastValueFrom(replayDeadLetters(store, flow('chat', none, look), { at: 1 }));
    expect(seen).toEqual([[0xff], Date.UTC(2026, 2, 2, 10, 15), 'a', [['trace', Buffer.from([0xff])]]]);
  });

  it('lets each enter where it was set aside, and leaves what cannot enter', async () => {
    const value = { value: '{"id":7}', encoding: 'json', type: 'json' } as const;
    const { fs, store } = await setUp([
      letter(7, { ...value, operator: '2 deadLetter' }),
      letter(1, { flow: 'other' }),
      letter(2, { operator: null }),
      letter(3, { operator: '4 gone' }),
      letter(4, { type: 'other' }),
    ]);
    const lake = fileSink<{ id: number }>(fs, { root: LAKE, format: jsonLines() });
    const sink: Sink<DeadLetter> = () => EMPTY;
    const two = flow(
      'chat',
      none,
      decode(json()),
      deadLetter(sink),
      mapValue((one) => one as { id: number }),
      lake.write(),
    );
    expect(await lastValueFrom(replayDeadLetters(store, two))).toEqual({
      replayed: 1,
      setAside: 0,
      gone: 0,
      left: {
        'flow `other` set it aside': 1,
        'it was set aside in a branch of an operator': 1,
        'the flow has no operator `4 gone` any more': 1,
        'its value could not be written down, and cannot be had back': 1,
      },
    });
    expect(idsIn(fs)).toEqual([7]);
    expect((await states(store)).filter((one) => one.endsWith('waiting'))).toHaveLength(4);
  });

  it('replays what was edited instead, and rejects another change than of the record', async () => {
    const { fs, store } = await setUp([letter(0, { value: '{"id":' })]);
    const edit = letter(0, { value: '{"id":5}' });
    const place = 'dt=1/a.jsonl#1';
    const wrong = replayDeadLetters(store, chat(fs), { edits: { [place]: { ...edit, offset: 3 } } });
    await expect(lastValueFrom(wrong)).rejects.toThrow('`offset` was changed');
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs), { edits: { [place]: edit } }))).toMatchObject({
      replayed: 1,
    });
    expect(idsIn(fs)).toEqual([5]);
  });

  it('does not set aside what the storage rejects: it fails, and the next call stores all', async () => {
    const { fs, store } = await setUp();
    const denied = new SinkError('RXF_FILES_DENIED', 'denied');
    const { files } = crashingFiles(fs, 0, 'before');
    const writer = {
      write: () => throwError(() => denied),
      close: () => throwError(() => denied),
      abort: () => undefined,
    };
    const lake = { ...files, create: () => writer };
    await expect(lastValueFrom(replayDeadLetters(store, chat(lake)))).rejects.toMatchObject({
      code: 'RXF_SOURCE_NACKED',
    });
    expect(stored(fs, BAD)).toHaveLength(3);
    expect((await states(store)).every((one) => one.endsWith('replaying'))).toBe(true);
    expect(await lastValueFrom(replayDeadLetters(store, chat(fs)))).toMatchObject({ replayed: 3, setAside: 0 });
    expect(idsIn(fs)).toEqual([0, 1, 2]);
  });

  it('fails while another replay runs', async () => {
    const { fs, store } = await setUp();
    const held: Delivery<Buffer>[] = [];
    const begun = new Subject<void>();
    const holding: Sink<Buffer> = (deliveries) =>
      deliveries.pipe(
        tap((delivery) => held.push(delivery)),
        tap(() => begun.next()),
        ignoreElements(),
      );
    const began = firstValueFrom(begun);
    const first = lastValueFrom(replayDeadLetters(store, flow('chat', none, holding), { at: 1 }));
    await began;
    const second = replayDeadLetters(store, chat(fs));
    await expect(lastValueFrom(second)).rejects.toMatchObject({ code: 'RXF_DEAD_LETTERS_FENCED' });
    for (const delivery of held) delivery.ack();
    expect(await first).toMatchObject({ replayed: 3 });
    expect(idsIn(fs)).toEqual([]);
  });

  it('says that what it keeps is damaged, and replays nothing', async () => {
    const { fs, store } = await setUp();
    await put(fs, `${BAD}/_replays/0000000001.json`, [{ version: 2 }]);
    await expect(lastValueFrom(replayDeadLetters(store, chat(fs)))).rejects.toMatchObject({
      code: 'RXF_DEAD_LETTERS_DAMAGED',
    });
  });

  it('rejects a folder whose letters belong to one above it, or below', async () => {
    const { fs, store } = await setUp();
    await lastValueFrom(replayDeadLetters(store, chat(fs)));
    const part = deadLetterFolder(fs, { root: `${BAD}/dt=1` });
    await expect(lastValueFrom(replayDeadLetters(part, chat(fs)))).rejects.toThrow('are a part of those of /bad');
    const whole = deadLetterFolder(fs, { root: '/' });
    await expect(lastValueFrom(readDeadLetters(whole))).rejects.toThrow('were replayed by themselves');
  });
});

describe('dropDeadLetters', () => {
  it('marks what fits, which is then replayed by nothing', async () => {
    const { fs, store } = await setUp();
    expect(await lastValueFrom(dropDeadLetters(store, { filter: { contains: '"id":1' } }))).toBe(1);
    expect(await states(store)).toEqual(['dt=1/a.jsonl#1 waiting', 'dt=1/a.jsonl#2 dropped', 'dt=1/a.jsonl#3 waiting']);
    await lastValueFrom(replayDeadLetters(store, chat(fs)));
    expect(idsIn(fs)).toEqual([0, 2]);
    expect(await lastValueFrom(dropDeadLetters(store, { filter: {} }))).toBe(0);
  });
});

describe('previewDeadLetters', () => {
  it('says what the flow would do, and writes nothing', async () => {
    const { fs, store } = await setUp([letter(0), letter(1), letter(2), letter(3, { flow: 'other' })]);
    const lake = fileSink<unknown>(fs, {
      root: LAKE,
      format: jsonLines(),
      path: (value) => ((value as { id: number }).id === 4 ? '_rxflume' : ''),
    });
    const own = fileSink<DeadLetter>(fs, { root: '/own', format: jsonLines() });
    const checked = (bytes: Buffer) => {
      const value = json()(bytes) as { id: number };
      if (value.id === 1) throw new Error('still bad');
      return value;
    };
    const today = flow(
      'chat',
      none,
      decode(checked, { deadLetter: own.write() }),
      filterValue(({ id }) => id !== 2),
      lake.write(),
    );
    const before = Object.keys(fs.files());
    const seen = await lastValueFrom(previewDeadLetters(store, today).pipe(toArray()));
    expect(seen.map(({ outcome, operator, message }) => [outcome, operator, message ?? null])).toEqual([
      ['stored', '1 decode', null],
      ['set aside', '1 decode', expect.stringContaining('still bad')],
      ['dropped', '1 decode', null],
      ['cannot enter', null, 'flow `other` set it aside'],
    ]);
    expect(Object.keys(fs.files())).toEqual(before);
  });
});
