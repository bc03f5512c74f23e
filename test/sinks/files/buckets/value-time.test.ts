import { describe, expect, it } from '@jest/globals';
import { deadLetter } from '../../../../operators/index.js';
import { Monitor } from '../../../../src/core/monitor.js';
import { jsonLines } from '../../../../src/formats/json-lines.js';
import { type TimeOptions, timeOf } from '../../../../src/sinks/files/buckets/value-time.js';
import { fileSink } from '../../../../src/sinks/files/file-sink.js';
import { FILE_SINK_DEFAULTS, type FileSinkOptions } from '../../../../src/sinks/files/options.js';
import { memoryFileSystem } from '../../../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../../support/virtual-time.js';
import { collect, stored } from '../collecting.js';

const NOW = Date.UTC(2026, 2, 2, 12);
const times: Required<TimeOptions> = FILE_SINK_DEFAULTS.times;
const of = (timestamp: number | undefined, range = times) =>
  timeOf({ stream: 'kafka:chat/3', offset: 7, epoch: 0, byteLength: 1, timestamp }, range, () => NOW);

describe('the time a value is filed by', () => {
  it.each([undefined, -1])('is that of arrival where the source has none: %s', (none) => expect(of(none)).toBe(NOW));

  it.each([0, NOW, Date.UTC(9999, 11, 31, 23, 59, 59, 999)])('is the producer’s: %d', (time) =>
    expect(of(time)).toBe(time),
  );

  it.each([
    [NOW * 1_000, 'microseconds'],
    [NOW * 1_000_000, 'nanoseconds'],
  ])('is none where it is %d: it looks like %s', (time, unit) => {
    const call = () => of(time);
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_SINK_TIME', retryable: false }));
    expect(call).toThrow(`kafka:chat/3 offset 7 cannot be filed by its time: ${time} is not from 1970`);
    expect(call).toThrow(`It looks like ${unit}`);
  });

  it.each([-2, -NOW, Number.NaN, Number.POSITIVE_INFINITY])('is none where it is %d', (time) => {
    expect(() => of(time)).toThrow(expect.objectContaining({ code: 'RXF_SINK_TIME' }));
  });

  it('may be held to a range, which distinguishes seconds from milliseconds', () => {
    const range = { ...times, earliestMs: Date.UTC(2020, 0, 1) };
    expect(of(NOW, range)).toBe(NOW);
    expect(() => of(Math.floor(NOW / 1_000), range)).toThrow('It looks like seconds');
  });
});

describe('a value whose time is no time', () => {
  const PATHS: [string, NonNullable<FileSinkOptions<string>['path']>][] = [
    ['a pattern', 'dt={yyyy}-{MM}-{dd}'],
    ['a function', (_value, _delivery, at) => `dt=${at().toISOString().slice(0, 10)}`],
  ];

  it.each(PATHS)('is set aside alone by %s, its letter filed by the time of setting aside', (_, path) =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat', 1);
      const bad = [NOW * 1_000, NOW * 1_000_000, -5].map((timestamp, n) => ({ value: `bad${n}`, timestamp }));
      kafka.produce('chat', 0, [{ value: 'a', timestamp: NOW }, ...bad, { value: 'b', timestamp: -1 }]);
      const fs = memoryFileSystem();
      const letters = fileSink(fs, {
        root: '/bad',
        path: 'dt={yyyy}-{MM}-{dd}',
        format: jsonLines(),
        roll: { intervalMs: 50 },
        monitor: new Monitor(),
      });
      const run = collect(kafka, fs, { sink: { path }, through: deadLetter(letters.write()) });
      at(500, () => {
        run.subscription?.unsubscribe();
        expect([run.error, stored(fs)]).toEqual([undefined, ['b', 'a']]);
        const lines = Object.entries(fs.files()).filter(([name]) => name.startsWith('/bad/dt=1970-01-01/'));
        const reported = lines.flatMap(([, bytes]) => Buffer.from(bytes).toString().trim().split('\n'));
        expect(reported.map((line) => JSON.parse(line) as unknown)).toMatchObject(
          bad.map(({ value }) => ({ value, code: 'RXF_SINK_TIME' })),
        );
      });
    }),
  );

  it('is stored where `path` does not ask for the time', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat', 1);
      kafka.produce('chat', 0, [{ value: 'a', timestamp: NOW * 1_000_000 }]);
      const fs = memoryFileSystem();
      const run = collect(kafka, fs, { sink: { path: (value) => `of=${value}` } });
      at(300, () => {
        run.subscription?.unsubscribe();
        expect(stored(fs)).toEqual(['a']);
      });
    }));

  it.each([
    [{ earliestMs: Number.NaN }, 'times.earliestMs'],
    [{ latestMs: 8.64e15 + 1 }, 'times.latestMs'],
    [{ earliestMs: 10, latestMs: 9 }, 'no earlier than `times.earliestMs`'],
    [{ earliest: 1 }, 'earliest'],
  ])('needs a range that is one: %j', (range, message) => {
    const call = () => fileSink(memoryFileSystem(), { root: '/lake', format: jsonLines(), times: range as object });
    expect(call).toThrow(message);
  });
});
