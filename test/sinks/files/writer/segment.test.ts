import { describe, expect, it } from '@jest/globals';
import { Monitor } from '../../../../src/core/monitor.js';
import { jsonLines } from '../../../../src/formats/json-lines.js';
import { CallTimer } from '../../../../src/lifecycle/call-timer.js';
import { MAX_ENTRY_BYTES, mostFileBytes } from '../../../../src/sinks/files/ledger/entry.js';
import { checkOptions, type RollOptions } from '../../../../src/sinks/files/options.js';
import { type ClosedSegment, Segment } from '../../../../src/sinks/files/writer/segment.js';
import { memoryFileSystem } from '../../../../src/testing/memory/memory-file-system.js';
import { RecordingAcker } from '../../../../src/testing/recording-acker.js';
import { inVirtualTime } from '../../../support/virtual-time.js';

function setting(roll: RollOptions = {}) {
  const reported: string[] = [];
  const fs = memoryFileSystem();
  const options = checkOptions<string>(fs, { root: '/lake', format: jsonLines(), roll });
  const segment = new Segment<string>(
    fs,
    options,
    { stream: 's', writer: 'w', number: 3, from: 10 },
    {
      writes: new CallTimer(new Monitor(), 'write', {}),
      full: () => reported.push('full'),
      failed: (error) => reported.push(`failed ${String(error)}`),
      opened: () => reported.push('opened'),
      closed: (files) => reported.push(`closed ${files}`),
    },
  );
  const acker = new RecordingAcker('s');
  const write = (offset: number, bucket = 'a', lastOffset?: number) =>
    segment.write(acker.deliver(`v${offset}`, { offset, lastOffset }), bucket);
  return { reported, fs, segment, acker, write };
}

describe('Segment', () => {
  it('asks to be rolled long before its entry has more bytes than are read back, and still takes what is late', () =>
    inVirtualTime(() => {
      const { reported, write } = setting();
      const longest = `${'x'.repeat(200)}/`.repeat(10);
      let files = 0;
      for (; !reported.includes('full') && files < 10_000; files += 1) write(10 + files, `${longest}${files}`);
      expect(files).toBeGreaterThan(2_000);
      expect(files * mostFileBytes('s', `${longest}${files}`)).toBeLessThan(MAX_ENTRY_BYTES * 0.51);
      const file = {
        temporary: `_rxflume/tmp/s/0/${'w'.repeat(30)}`,
        final: `${longest}0/${'n'.repeat(255)}`,
        bytes: 1e15,
        values: 1e15,
        first: 1e15,
        last: 1e15,
      };
      expect(JSON.stringify(file).length).toBeLessThan(mostFileBytes('s', `${longest}0`));
      write(10 + files, 'late');
    }));

  it('ends behind the highest offset written, in whatever order, and takes what lies within until it closes', () =>
    inVirtualTime((at) => {
      const { segment, write } = setting();
      expect(segment.cut).toBe(10);
      expect(segment.takes(10, 10)).toBe(false);
      write(10);
      expect(segment.cut).toBe(11);
      write(14, 'a', 16);
      write(12);
      expect(segment.cut).toBe(17);
      const asked: [number, number][] = [
        [10, 10],
        [16, 16],
        [9, 12],
        [16, 17],
      ];
      expect(asked.map(([offset, last]) => segment.takes(offset, last))).toEqual([true, true, false, false]);
      segment.close().subscribe();
      expect(segment.takes(10, 10)).toBe(false);
      at(1, () => segment.abort('over', false));
    }));

  it('opens a file for each bucket, once', () =>
    inVirtualTime((at) => {
      const { segment, write, reported } = setting();
      expect(segment.wouldOpen('a')).toBe(true);
      write(10, 'a');
      expect(['a', 'b'].map((bucket) => segment.wouldOpen(bucket))).toEqual([false, true]);
      write(11, 'b');
      write(12, 'a');
      expect(['a', 'b', 'c'].map((bucket) => segment.wouldOpen(bucket))).toEqual([false, false, true]);
      expect([segment.openFiles, reported]).toEqual([2, ['opened', 'opened']]);
      at(1, () => segment.abort('over', true));
    }));

  it('closes its files with where it begins and ends; its commit is sent once that is said', () =>
    inVirtualTime((at) => {
      const { segment, write, reported, acker } = setting();
      write(10, 'a');
      write(11, 'b');
      let closed: ClosedSegment | undefined;
      segment.close().subscribe((one) => {
        closed = one;
      });
      at(50, () => {
        expect(closed).toMatchObject({ number: 3, from: 10, cut: 12 });
        expect(closed?.files.map(({ bucket, values, first, last }) => [bucket, values, first, last])).toEqual([
          ['a', 1, 10, 10],
          ['b', 1, 11, 11],
        ]);
        expect(segment.isCommitSent).toBe(false);
        closed?.sent();
        expect(segment.isCommitSent).toBe(true);
        segment.abort('over', true);
        expect(reported).toEqual(['opened', 'opened', 'closed 2']);
        expect(acker.nacks).toEqual(['v10', 'v11']);
      });
    }));

  it('gives no file of which no value could be written', () =>
    inVirtualTime((at) => {
      const { segment, acker } = setting();
      const unwritable = acker.deliver(
        {
          toJSON: () => {
            throw new Error('no JSON');
          },
        } as unknown as string,
        { offset: 10, byteLength: 1 },
        'x',
      );
      expect(() => segment.write(unwritable, 'a')).toThrow();
      expect([segment.openFiles, segment.cut]).toEqual([1, 10]);
      let files: ClosedSegment['files'] | undefined;
      segment.close().subscribe((closed) => {
        files = closed.files;
      });
      at(50, () => expect(files).toEqual([]));
    }));

  it('is full when it is as old as it may be, whatever is written', () =>
    inVirtualTime((at) => {
      const { segment, write, reported } = setting({ intervalMs: 100, idleMs: 100 });
      write(10);
      at(99, () => expect(reported).toEqual(['opened']));
      at(101, () => expect(reported).toEqual(['opened', 'full']));
      at(150, () => segment.abort('over', true));
    }));

  it('is full after a whole idle time without a value, not at the first look', () =>
    inVirtualTime((at) => {
      const { segment, write, reported } = setting({ intervalMs: 1_000, idleMs: 100 });
      write(10);
      at(101, () => expect(reported).toEqual(['opened']));
      at(150, () => write(11));
      at(201, () => expect(reported).toEqual(['opened']));
      at(301, () => expect(reported).toEqual(['opened', 'full']));
      at(350, () => segment.abort('over', true));
    }));

  it('is full with so many values, and tells no more of time once it is about to close', () =>
    inVirtualTime((at) => {
      const { segment, write, reported } = setting({ count: 2, intervalMs: 100, idleMs: 10 });
      write(10);
      expect(reported).toEqual(['opened']);
      write(11);
      expect(reported).toEqual(['opened', 'full']);
      segment.hold();
      at(200, () => expect(reported).toEqual(['opened', 'full']));
      at(201, () => segment.abort('over', true));
    }));
});
