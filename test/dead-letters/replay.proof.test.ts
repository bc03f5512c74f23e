import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lastValueFrom, takeUntil, toArray } from 'rxjs';
import {
  type DeadLetterFilter,
  deadLetterFolder,
  dropDeadLetters,
  readDeadLetters,
  replayDeadLetters,
} from '../../src/dead-letters/index.js';
import type { MemoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { crashingFiles } from './crashing-files.js';
import { BAD, chat, idsIn, letter, put } from './letters.js';

/** A call of the command that dies at a step of its I/O; 0 for none. Tells how many steps it took. */
async function replay(
  fs: MemoryFileSystem,
  {
    at = 0,
    when = 'before' as 'before' | 'after',
    rejected = [] as readonly number[],
    filter = {} as DeadLetterFilter,
  } = {},
): Promise<number> {
  const { files, crashed$, calls } = crashingFiles(fs, at, when);
  const store = deadLetterFolder(files, { root: BAD });
  await lastValueFrom(replayDeadLetters(store, chat(files, rejected), { filter }).pipe(takeUntil(crashed$)), {
    defaultValue: undefined,
  });
  return calls();
}

const LETTERS = [letter(0), letter(1), letter(1, { message: 'a second time' }), letter(2), letter(3)];

async function filled(): Promise<MemoryFileSystem> {
  const fs = memoryFileSystem();
  await put(fs, `${BAD}/a.jsonl`, LETTERS.slice(0, 3));
  await put(fs, `${BAD}/b.jsonl`, LETTERS.slice(3));
  return fs;
}

describe('a replay that is killed', () => {
  // A flow that is corrected after a crash accepts what it has set aside before.
  it.each([
    ['rejects it again', [2]],
    ['was corrected', []],
  ])('at any step of its I/O stores each record once and loses none, where the flow then %s', async (_, rejected) => {
    const steps = await replay(await filled(), { rejected: [2] });
    expect(steps).toBeGreaterThan(25);
    for (let at = 1; at <= steps; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const fs = await filled();
        await replay(fs, { at, when, rejected: [2] });
        await replay(fs, { rejected });
        await replay(fs);
        expect([at, when, idsIn(fs)]).toEqual([at, when, [0, 1, 2, 3]]);
        await replay(fs);
        expect([at, when, idsIn(fs)]).toEqual([at, when, [0, 1, 2, 3]]);
      }
    }
  });

  it('twice in a row stores each record once', async () => {
    const steps = await replay(await filled());
    for (let at = 1; at <= steps; at += 3) {
      for (let second = 1; second <= steps; second += 5) {
        const fs = await filled();
        await replay(fs, { at, when: 'after' });
        await replay(fs, { at: second, when: 'after' });
        await replay(fs);
        expect([at, second, idsIn(fs)]).toEqual([at, second, [0, 1, 2, 3]]);
      }
    }
  });
});

const anyFilter = fc.oneof(
  fc.record({ contains: fc.integer({ min: 0, max: 9 }).map((id) => `"id":${id}`) }),
  fc.record({ code: fc.constantFrom('RXF_DECODE_SHAPE', 'RXF_SINK_TIME') }),
  fc.record({ stream: fc.constantFrom('kafka:chat/0', 'kafka:chat/1', 'kafka:*') }),
  fc.constant({}),
);

describe('any calls with any filters and any crashes', () => {
  it('lose no record and store none twice; what is dropped is stored by none', async () => {
    const aLetter = fc.record({
      offset: fc.integer({ min: 0, max: 9 }),
      code: fc.constantFrom('RXF_DECODE_SHAPE', 'RXF_SINK_TIME'),
    });
    const aCall = fc.record({
      filter: anyFilter,
      at: fc.integer({ min: 0, max: 60 }),
      when: fc.constantFrom('before' as const, 'after' as const),
      rejected: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
      isDrop: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(aLetter, { maxLength: 5 }), { maxLength: 4 }),
        fc.array(aCall, { maxLength: 5 }),
        async (files, calls) => {
          const fs = memoryFileSystem();
          const ids = new Set<number>();
          for (const [at, letters] of files.entries()) {
            const written = letters.map(({ offset, code }) =>
              letter(offset, { code, stream: `kafka:chat/${offset % 2}` }),
            );
            await put(fs, `${BAD}/dt=${at}/x.jsonl`, written);
            for (const { offset } of letters) ids.add(offset);
          }
          if (files.length === 0) return;
          const store = deadLetterFolder(fs, { root: BAD });
          const dropped = new Set<number>();
          for (const { isDrop, filter, ...how } of calls) {
            if (!isDrop) await replay(fs, { ...how, filter });
            else {
              await lastValueFrom(dropDeadLetters(store, { filter }));
              const all = await lastValueFrom(readDeadLetters(store).pipe(toArray()));
              for (const one of all) if (one.state === 'dropped') dropped.add(one.letter.offset);
            }
            const now = idsIn(fs);
            expect(new Set(now).size).toBe(now.length);
          }
          for (let turn = 0; turn < 4; turn += 1) await replay(fs);
          const left = await lastValueFrom(readDeadLetters(store).pipe(toArray()));
          expect(left.filter(({ state }) => state === 'waiting' || state === 'replaying')).toEqual([]);
          expect(idsIn(fs)).toEqual([...ids].filter((id) => !dropped.has(id)).sort((a, b) => a - b));
        },
      ),
      { numRuns: 60 },
    );
  });
});
