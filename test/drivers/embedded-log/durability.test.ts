import { appendFile, mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SourceError } from '../../../src/core/errors.js';
import { encodeFrames, MAGIC } from '../../../src/drivers/embedded-log/record-format.js';
import { numbered, Reading, Trial } from './trial.js';

const trial = new Trial();
afterEach(() => trial.clear());

const bytesOf = (value: string) => ({ key: null, value: Buffer.from(value) });

/** A folder whose topic `chat` has one append for each list of values; answers with its segment file. */
async function written(appends: readonly (readonly string[])[]): Promise<{ folder: string; file: string }> {
  const folder = await trial.folder();
  const file = join(folder, 'topics', 'chat', '0.log');
  await mkdir(join(folder, 'topics', 'chat'), { recursive: true });
  const frames = appends.map((values) => encodeFrames(values.map(bytesOf), 1));
  await writeFile(file, Buffer.concat([MAGIC, ...frames]));
  return { folder, file };
}

async function flip(file: string, position: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeUInt8((bytes[position] as number) ^ 0x40, position);
  await writeFile(file, bytes);
}

/** Opens the folder, and reads and appends as after any crash. */
async function valuesAfterReopening(folder: string, count: number): Promise<{ values: unknown; logEvents: string[] }> {
  const log = trial.log(folder);
  const reading = new Reading(log);
  await log.append('chat', ['next']);
  const values = await reading.until(count + 1);
  return { values, logEvents: reading.logEvents };
}

describe('embeddedLog, after a crash', () => {
  it('cuts an unfinished append off, wherever it broke off, and goes on after it', async () => {
    const whole = await written([['a', 'b'], ['c']]);
    const length = (await readFile(whole.file)).length;
    const lastLength = encodeFrames([bytesOf('c')], 1).length;
    for (let cut = 1; cut < lastLength; cut += 4) {
      const { folder, file } = await written([['a', 'b'], ['c']]);
      await truncate(file, length - cut);
      const { values, logEvents } = await valuesAfterReopening(folder, 2);
      expect(values).toEqual(['a', 'b', 'next']);
      expect(logEvents).toEqual(['RXF_KAFKA_TORN_APPEND']);
      await trial.clear();
    }
  });

  it('cuts the whole records of an unfinished append too: all of it is there, or none', async () => {
    const { folder, file } = await written([['a'], ['b', 'c', 'd']]);
    await truncate(file, (await readFile(file)).length - 1);
    expect((await valuesAfterReopening(folder, 1)).values).toEqual(['a', 'next']);
  });

  it('cuts zeros off: a file that grew without its bytes', async () => {
    const { folder, file } = await written([['a']]);
    await appendFile(file, Buffer.alloc(5_000));
    expect((await valuesAfterReopening(folder, 1)).values).toEqual(['a', 'next']);
    const begun = await written([['a'], ['b'.repeat(50)]]);
    const handle = await open(begun.file, 'r+');
    await handle.write(Buffer.alloc(20), 0, 20, (await handle.stat()).size - 20);
    await handle.close();
    await appendFile(begun.file, Buffer.alloc(100));
    expect((await valuesAfterReopening(begun.folder, 1)).values).toEqual(['a', 'next']);
  });

  it('takes a file that ends within its magic bytes as empty', async () => {
    const { folder, file } = await written([]);
    await truncate(file, 3);
    expect((await valuesAfterReopening(folder, 0)).values).toEqual(['next']);
  });

  it('says nothing where nothing was cut', async () => {
    const { folder } = await written([['a', 'b'], ['c']]);
    expect(await valuesAfterReopening(folder, 3)).toEqual({ values: ['a', 'b', 'c', 'next'], logEvents: [] });
  });
});

describe('embeddedLog, damage', () => {
  const frame = encodeFrames([bytesOf('abc')], 1).length;

  it.each([
    ['a length', 0],
    ['a body check', 5],
    ['a head check', 9],
    ['a value', frame - 1],
  ])('in the middle, in %s, is named with file and offset, and nothing is changed', async (_what, at) => {
    const { folder, file } = await written([['abc'], ['abc'], ['abc']]);
    await flip(file, MAGIC.length + frame + at);
    const before = await readFile(file);
    const failure = await new Reading(trial.log(folder)).ended();
    expect(failure).toBeInstanceOf(SourceError);
    expect(failure).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL', details: { file, offset: 1 } });
    expect(String(failure)).toContain(`record 1, at byte ${MAGIC.length + frame}`);
    expect(await readFile(file)).toEqual(before);
  });

  it('that comes while the log is open is found when reading', async () => {
    const folder = await trial.folder();
    const log = trial.log(folder);
    await log.append('chat', ['abc', 'abc', 'abc']);
    await flip(join(folder, 'topics', 'chat', '0.log'), MAGIC.length + frame + frame - 1);
    const reading = new Reading(log, { maxPartitionBytes: 1 });
    expect(await reading.ended()).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL', details: { offset: 1 } });
    expect(reading.values).toEqual(['abc']);
  });

  it('of another kind of file, or a missing partition, is rejected', async () => {
    const { folder, file } = await written([]);
    await writeFile(file, 'something else');
    expect(await new Reading(trial.log(folder)).ended()).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL' });
    const other = await written([]);
    await writeFile(join(other.folder, 'topics', 'chat', '2.log'), MAGIC);
    expect(String(await new Reading(trial.log(other.folder)).ended())).toContain('2 partitions but no 1.log');
  });

  it.each(['', 'nonsense', '[]', '{"version":2,"groups":{}}', '{"version":1,"groups":{"g":{"chat/0":-1}}}'])(
    'of the committed offsets (%j) is named',
    async (text) => {
      const { folder } = await written([['a']]);
      await writeFile(join(folder, 'offsets.json'), text);
      const failure = await new Reading(trial.log(folder)).ended();
      expect(failure).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL' });
      expect(String(failure)).toContain('offsets.json');
    },
  );
});

describe('embeddedLog, appends', () => {
  it('answers each only when its records are in the file, also when hundreds come at once', async () => {
    const folder = await trial.folder();
    const log = trial.log(folder);
    await log.append('chat', ['first']);
    const file = join(folder, 'topics', 'chat', '0.log');
    await Promise.all(
      numbered(300).map(async (value) => {
        await log.append('chat', [value, `${value}!`]);
        expect((await readFile(file)).includes(`${value}!`)).toBe(true);
      }),
    );
    await log.close();
    const expected = ['first', ...numbered(300).flatMap((value) => [value, `${value}!`])];
    expect(await new Reading(trial.log(folder)).until(601)).toEqual(expected);
  });

  it('keeps more than one write takes', async () => {
    const log = trial.log(await trial.folder());
    const large = 'x'.repeat(3 * 2 ** 20);
    await Promise.all([log.append('chat', [large]), log.append('chat', [large]), log.append('chat', ['end'])]);
    expect((await new Reading(log).until(3)).map((value) => value?.length)).toEqual([large.length, large.length, 3]);
  });
});

describe('embeddedLog, what it opens', () => {
  it('is synced with the names of all folders above it before it is read: visible is not durable', async () => {
    const { folder } = await written([['a']]);
    const handle = await open(folder, 'r');
    await handle.close();
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    const sync = jest.spyOn(prototype, 'sync');
    const datasync = jest.spyOn(prototype, 'datasync');
    try {
      await trial.log(folder).recordCount('chat');
      // Every folder above `topics`, twice those above the log's own, and `topics` itself.
      const above = folder.split('/').filter(Boolean).length;
      expect(sync).toHaveBeenCalledTimes(above + (above + 1) + 1);
      expect(datasync).toHaveBeenCalledTimes(1);
      datasync.mockRejectedValue(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }));
      const other = await written([['a']]);
      await expect(trial.log(other.folder).recordCount('chat')).rejects.toMatchObject({
        code: 'RXF_KAFKA_UNREACHABLE',
        message: expect.stringContaining('EIO'),
      });
    } finally {
      jest.restoreAllMocks();
    }
  });
});
