import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { delay, lastValueFrom, Subject, takeUntil, tap, timer, toArray } from 'rxjs';
import { drainOn } from '../../operators/index.js';
import {
  type DeadLetter,
  type DeadLetterFilter,
  deadLetterFolder,
  deadLetterQueue,
  dropDeadLetters,
  readDeadLetters,
  replayDeadLetters,
} from '../../src/dead-letters/index.js';
import { flow } from '../../src/flow/flow.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
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

describe('moving the messages of a queue to a root', () => {
  const IDS = [0, 1, 2, 3, 4, 5];

  function queued(messageId: (n: number) => string | undefined): MemoryAmqp {
    const broker = new MemoryAmqp();
    broker.createQueue('dead');
    for (const n of IDS) broker.send('dead', [`{"id":${n}}`], { messageId: messageId(n) });
    return broker;
  }

  /** Moves them; dies at a call of the file system, 0 for none, with all connections. Tells how many calls it took. */
  async function take(broker: MemoryAmqp, fs: MemoryFileSystem, at = 0, when: 'before' | 'after' = 'before') {
    const { files, crashed$, calls } = crashingFiles(fs, at, when);
    const sink = fileSink<DeadLetter>(files, { root: BAD, format: jsonLines() });
    let left = broker.ready('dead').length;
    const all$ = new Subject<void>();
    const arrived = () => {
      left -= 1;
      if (left === 0) all$.next();
    };
    const letters$ = deadLetterQueue(broker, { queue: 'dead' }).through((deliveries$) =>
      deliveries$.pipe(tap(arrived)),
    );
    const stop$ = left === 0 ? timer(0) : all$.pipe(delay(0));
    const moving$ = flow('take', letters$, sink.write()).pipe(drainOn(stop$), takeUntil(crashed$));
    await lastValueFrom(moving$, { defaultValue: undefined });
    broker.cut();
    return calls();
  }

  it.each([
    ['with ids', (n: number) => `m-${n}`],
    ['without ids', () => undefined],
  ])(
    'loses none, whatever call it dies at: %s',
    async (_, messageId) => {
      const calls = await take(queued(messageId), memoryFileSystem());
      expect(calls).toBeGreaterThanOrEqual(3);
      for (let at = 1; at <= calls; at += 1) {
        for (const when of ['before', 'after'] as const) {
          const fs = memoryFileSystem();
          const broker = queued(messageId);
          await take(broker, fs, at, when);
          await take(broker, fs);
          expect([broker.ready('dead'), broker.unacked('dead')]).toEqual([[], 0]);
          const stored = await lastValueFrom(readDeadLetters(deadLetterFolder(fs, { root: BAD })).pipe(toArray()));
          const waiting = stored.filter(({ state }) => state === 'waiting').map(({ letter: { value } }) => value);
          expect([at, when, [...new Set(waiting)].sort()]).toEqual([at, when, IDS.map((n) => `{"id":${n}}`)]);
          if (messageId(0) !== undefined) expect([at, when, waiting.length]).toEqual([at, when, IDS.length]);
        }
      }
    },
    60_000,
  );
});
