import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { NEVER, Subject } from 'rxjs';
import { CommitError, type RxflumeError } from '../../../src/core/errors.js';
import { embeddedLog } from '../../../src/drivers/embedded-log/index.js';
import type { PartitionOffset } from '../../../src/ports/kafka-consumer.js';
import { aWhile, numbered, Reading, Trial } from './trial.js';

const trial = new Trial();
afterEach(() => trial.clear());

describe('embeddedLog, reading', () => {
  it('hands over what was appended, with key, time and stream, and what is appended later', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', ['a', null, new Uint8Array([98])], 'who');
    const reading = new Reading(log);
    expect(await reading.until(3)).toEqual(['a', null, 'b']);
    expect(reading.assigned).toEqual([{ epoch: 1, partitions: [{ topic: 'chat', partition: 0 }] }]);
    expect(reading.batches[0]).toMatchObject({ epoch: 1, nextOffset: 3, highWatermark: 3, byteLength: 11 });
    const [record] = reading.batches[0]?.records ?? [];
    expect(record).toMatchObject({ stream: 'kafka:chat/0', offset: 0, epoch: 1, timestamp: 1_000, byteLength: 4 });
    expect(record?.key?.toString()).toBe('who');
    await log.append('chat', ['live']);
    expect(await reading.until(4)).toEqual(['a', null, 'b', 'live']);
  });

  it('is cold: nothing is opened before the first use', async () => {
    const folder = join(await trial.folder(), 'later');
    const connection = trial.log(folder).connect({} as never, {} as never);
    await expect(readFile(folder)).rejects.toThrow('ENOENT');
    expect(connection).toBeDefined();
  });

  it('hands nothing over before `assigned` has answered, and starts where it says', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', numbered(5));
    const starts = new Subject<readonly PartitionOffset[]>();
    const reading = new Reading(log, { starts });
    await reading.joined();
    await aWhile();
    expect(reading.assigned).toHaveLength(1);
    expect(reading.batches).toEqual([]);
    starts.next([{ topic: 'chat', partition: 0, offset: 3 }]);
    expect(await reading.until(2)).toEqual(['m3', 'm4']);
  });

  it('goes on from the commit after a restart, and from the start for another group', async () => {
    const folder = await trial.folder();
    const before = trial.log(folder);
    await before.append('chat', numbered(5));
    const first = new Reading(before);
    await first.until(5);
    await first.commit(2);
    await first.close();
    expect(first.isComplete).toBe(true);
    await before.close();

    const after = trial.log(folder);
    await after.append('chat', ['new']);
    expect(await new Reading(after).until(4)).toEqual(['m2', 'm3', 'm4', 'new']);
    expect(await new Reading(after, { groupId: 'other' }).until(6)).toEqual([...numbered(5), 'new']);
  });

  it('starts at the end with `latest`', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', numbered(3));
    const reading = new Reading(log, { startAt: 'latest' });
    await reading.joined();
    await log.append('chat', ['new']);
    expect(await reading.until(1)).toEqual(['new']);
  });

  it('keeps a batch within `maxPartitionBytes`; a larger record comes alone', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', ['x'.repeat(400), 'y'.repeat(400), 'z'.repeat(5_000), 'a']);
    const reading = new Reading(log, { maxPartitionBytes: 1_000 });
    await reading.until(4);
    expect(reading.batches.map(({ records }) => Array.from(records, ({ offset }) => offset))).toEqual([
      [0, 1],
      [2],
      [3],
    ]);
  });

  it('lets the loop turn between batches', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', numbered(20));
    let turns = 0;
    const seen: number[] = [];
    const reading = new Reading(log, {
      maxPartitionBytes: 1,
      onBatch: () => {
        seen.push(turns);
        setImmediate(() => {
          turns += 1;
        });
      },
    });
    await reading.until(20);
    expect(new Set(seen).size).toBe(20);
  });

  it('finds any offset in a log with many marks', async () => {
    const log = trial.log(await trial.folder());
    const values = numbered(3_000).map((value) => value.padEnd(100 + (Number(value.slice(1)) % 7) * 40));
    await log.append('chat', values);
    for (const offset of [0, 1, 299, 1_234, 2_998, 2_999]) {
      const at = new Reading(log, { maxPartitionBytes: 1, starts: [[{ topic: 'chat', partition: 0, offset }]] });
      expect((await at.until(1))[0]).toBe(values[offset]);
      at.connection.unsubscribe();
    }
  });
});

describe('embeddedLog, steering', () => {
  it('pauses and resumes one partition', async () => {
    const log = trial.log(await trial.folder(), { topics: ['chat', 'other'] });
    const reading = new Reading(log, { topics: ['chat', 'other'] });
    await reading.joined();
    reading.consumer.pause([{ topic: 'chat', partition: 0 }]);
    await log.append('chat', ['held']);
    await log.append('other', ['free']);
    expect(await reading.until(1)).toEqual(['free']);
    await aWhile();
    expect(reading.values).toEqual(['free']);
    reading.consumer.resume([{ topic: 'chat', partition: 0 }]);
    expect(await reading.until(2)).toEqual(['free', 'held']);
  });

  it('reads on from where a seek says, forwards and back, also from within a batch', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', numbered(4));
    let hasSought = false;
    const reading = new Reading(log, {
      maxPartitionBytes: 1,
      onBatch: (batch, consumer) => {
        if (hasSought || batch.nextOffset !== 2) return;
        hasSought = true;
        consumer.seek({ topic: 'chat', partition: 0, offset: 0 });
      },
    });
    expect(await reading.until(6)).toEqual(['m0', 'm1', 'm0', 'm1', 'm2', 'm3']);
    reading.consumer.seek({ topic: 'chat', partition: 0, offset: 3 });
    expect((await reading.until(7)).at(-1)).toBe('m3');
  });

  it('fails with RXF_KAFKA_DATA_LOST where it is to start past the end', async () => {
    const log = trial.log(await trial.folder(), { topics: ['chat'] });
    const reading = new Reading(log, { starts: [[{ topic: 'chat', partition: 0, offset: 7 }]] });
    expect(await reading.ended()).toMatchObject({ code: 'RXF_KAFKA_DATA_LOST' });
  });

  it('ignores a commit of another epoch, or after the member has left', async () => {
    const folder = await trial.folder();
    const log = trial.log(folder);
    await log.append('chat', numbered(3));
    const reading = new Reading(log);
    await reading.until(3);
    await reading.commit(1);
    await reading.commit(3, 2);
    await reading.commit(3, 0);
    reading.connection.unsubscribe();
    await reading.commit(2);
    const file = JSON.parse(await readFile(join(folder, 'offsets.json'), 'utf8'));
    expect(file).toEqual({ version: 1, groups: { lake: { 'chat/0': 1 } } });
    expect(await new Reading(log).until(2)).toEqual(['m1', 'm2']);
  });

  it('makes commits durable in order, also many at once', async () => {
    const folder = await trial.folder();
    const log = trial.log(folder);
    await log.append('chat', numbered(50));
    const reading = new Reading(log);
    await reading.until(50);
    await Promise.all(numbered(50).map((_, index) => reading.commit(index + 1)));
    expect(JSON.parse(await readFile(join(folder, 'offsets.json'), 'utf8')).groups.lake['chat/0']).toBe(50);
  });

  it('answers a commit that cannot be written with CommitError', async () => {
    const folder = await trial.folder();
    const log = trial.log(folder);
    await log.append('chat', numbered(2));
    const reading = new Reading(log);
    await reading.until(2);
    await mkdir(join(folder, 'offsets.json.next'));
    const failure = await reading.commit(1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommitError);
    await rm(join(folder, 'offsets.json.next'), { recursive: true });
    await reading.commit(2);
  });

  it('hands nothing over after unsubscribing, and frees the group', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', numbered(10));
    const reading = new Reading(log, {
      maxPartitionBytes: 1,
      onBatch: ({ nextOffset }) => nextOffset === 3 && reading.connection.unsubscribe(),
    });
    await reading.until(3);
    await log.append('chat', ['late']);
    await aWhile();
    expect(reading.values).toHaveLength(3);
    expect(await new Reading(log).until(11)).toHaveLength(11);
  });

  it('rejects a second member of a group', async () => {
    const log = trial.log(await trial.folder(), { topics: ['chat'] });
    new Reading(log);
    const failure = (await new Reading(log).ended()) as RxflumeError;
    expect(failure).toMatchObject({ name: 'ConnectError', code: 'RXF_KAFKA_UNREACHABLE', retryable: true });
  });

  it('closes once and twice, from any state', async () => {
    const log = trial.log(await trial.folder(), { topics: ['chat'] });
    const reading = new Reading(log, { starts: NEVER });
    await reading.joined();
    await reading.close();
    await reading.close();
    expect(reading.isComplete).toBe(true);
  });

  it('ends its connections when the log is closed, and opens again when used again', async () => {
    const log = trial.log(await trial.folder());
    await log.append('chat', ['a']);
    const reading = new Reading(log);
    await reading.until(1);
    const closing = log.close();
    await log.append('chat', ['b']);
    await closing;
    expect(await reading.ended()).toMatchObject({ code: 'RXF_KAFKA_LOST', retryable: true });
    expect(await new Reading(log).until(2)).toEqual(['a', 'b']);
  });
});

describe('embeddedLog, topics', () => {
  it('names the topics there are when one is missing', async () => {
    const log = trial.log(await trial.folder(), { topics: ['chat', 'audit'] });
    const failure = (await new Reading(log, { topics: ['chat', 'chatt'] }).ended()) as RxflumeError;
    expect(failure).toMatchObject({ name: 'ConnectError', code: 'RXF_KAFKA_TOPIC_MISSING' });
    expect(failure.message).toContain('no topic chatt. It has chat, audit.');
    expect((await new Reading(log, { topics: /^x/g }).ended()) as RxflumeError).toMatchObject({
      code: 'RXF_KAFKA_TOPIC_MISSING',
    });
  });

  it('reads all topics a pattern matches, whatever its flags', async () => {
    const log = trial.log(await trial.folder());
    for (const topic of ['chat-de', 'chat-fr', 'other']) await log.append(topic, [topic]);
    const reading = new Reading(log, { topics: /^chat-/g });
    expect([...(await reading.until(2))].sort()).toEqual(['chat-de', 'chat-fr']);
    await aWhile();
    expect(reading.values).toHaveLength(2);
  });

  it('puts a key always into the same of N partitions, and keeps N at the next open', async () => {
    const folder = await trial.folder();
    const log = trial.log(folder, { partitions: 4 });
    for (let index = 0; index < 40; index += 1) await log.append('chat', [`k${index % 10}`], `k${index % 10}`);
    for (let index = 0; index < 4; index += 1) await log.append('chat', ['keyless']);
    await log.close();
    const again = trial.log(folder, { partitions: 1 });
    const reading = new Reading(again);
    await reading.until(44);
    expect(reading.assigned[0]?.partitions).toHaveLength(4);
    const homes = new Map<string, Set<number>>();
    for (const { partition, value } of reading.batches.flatMap(({ records }) => [...records])) {
      homes.set(String(value), (homes.get(String(value)) ?? new Set()).add(partition));
    }
    expect(homes.get('keyless')?.size).toBe(4);
    homes.delete('keyless');
    expect(homes.size).toBe(10);
    expect([...homes.values()].every((partitions) => partitions.size === 1)).toBe(true);
    expect(await again.recordCount('chat')).toBe(44);
    expect(await again.recordCount('none')).toBe(0);
  });

  it('makes a topic once when appends come at the same time, and uses no half-made one', async () => {
    const folder = await trial.folder();
    await mkdir(join(folder, 'topics', '~chat'), { recursive: true });
    await writeFile(join(folder, 'topics', '~chat', '0.log'), 'half');
    const log = trial.log(folder);
    await Promise.all(numbered(20).map((value) => log.append('chat', [value])));
    expect(await new Reading(log).until(20)).toEqual(numbered(20));
  });
});

describe('embeddedLog, options', () => {
  it.each([
    [{}, 'folder'],
    [{ folder: '' }, 'folder'],
    [{ folder: 'x', partitions: 0 }, 'partitions'],
    [{ folder: 'x', topics: ['../x'] }, 'topics'],
    [{ folder: 'x', topics: 'chat' }, 'topics'],
    [{ folder: 'x', now: 1 }, 'now'],
    [{ folder: 'x', partition: 1 }, 'partition'],
  ])('are checked at the call: %j', (options, name) => {
    expect(() => embeddedLog(options as never)).toThrow(name);
  });

  it('reject a topic name that leaves the folder, and a record too large', async () => {
    const log = trial.log(await trial.folder());
    await expect(log.append('../x', ['a'])).rejects.toMatchObject({ code: 'RXF_OPTION_INVALID' });
    await expect(log.append('.hidden', ['a'])).rejects.toMatchObject({ code: 'RXF_OPTION_INVALID' });
    await expect(log.append('chat', [new Uint8Array(17 * 2 ** 20)])).rejects.toMatchObject({
      code: 'RXF_OPTION_INVALID',
    });
  });
});
