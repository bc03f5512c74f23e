import { describe, expect, it } from '@jest/globals';
import { ChildLife, RESTART_DELAY_MS, STEADY_AFTER_MS } from '../../src/cli/supervise/child-life.js';
import { type FlowPlace, postsOf } from '../../src/cli/supervise/roster.js';

const flow = (name: string, isShared = true, file = 'a.ts'): FlowPlace => ({ file, flow: name, isShared });

describe('the processes of flows', () => {
  it('are so many for each, with names of their own', () => {
    const names = (posts: ReturnType<typeof postsOf>) =>
      typeof posts === 'string' ? posts : posts.map(({ id }) => id);
    expect(names(postsOf([flow('chat'), flow('mail', true, 'b.ts')], 2))).toEqual([
      'chat-1',
      'chat-2',
      'mail-1',
      'mail-2',
    ]);
    expect(names(postsOf([flow('chat')], 1))).toEqual(['chat']);
  });

  it.each([
    [
      'two flows of one name in two files',
      [flow('chat'), flow('chat', true, 'b.ts')],
      1,
      /`chat` in a\.ts and in b\.ts/,
    ],
    ['two flows of one name in one file', [flow('chat'), flow('chat')], 1, /`chat` twice in a\.ts/],
    [
      'a source that is not divided',
      [flow('chat'), flow('logs', false)],
      2,
      /Flow `logs` of a\.ts can't run in 2 proc/,
    ],
  ])('are rejected for %s', (_, flows, processes, why) => {
    expect(postsOf(flows, processes)).toMatch(why);
  });

  it('may be of a source that is not divided, one process each', () => {
    expect(postsOf([flow('logs', false)], 1)).toHaveLength(1);
  });
});

describe('a process that is kept running', () => {
  const failed = { code: 1, signal: null, ranMs: 500 } as const;
  const delays = (life: ChildLife, exits: readonly Parameters<ChildLife['exited']>[0][]) =>
    exits.map((exit) => {
      const after = life.exited(exit);
      return after.next === 'start' ? after.afterMs : 'over';
    });

  it('is started again, later each time, up to a bound, and never given up', () => {
    const seen = delays(new ChildLife(), Array(100).fill(failed));
    expect(seen.slice(0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(seen.at(-1)).toBe(RESTART_DELAY_MS.most);
  });

  it('is started soon again where it had run for long', () => {
    const long = { ...failed, ranMs: STEADY_AFTER_MS };
    expect(delays(new ChildLife(), [failed, failed, failed, long, failed])).toEqual([
      1_000, 2_000, 4_000, 1_000, 2_000,
    ]);
  });

  it.each([
    ['drained by itself', { code: 0, signal: null, ranMs: 5 }, 0],
    ['had a file or option that is wrong', { code: 2, signal: null, ranMs: 5 }, 2],
  ] as const)('is over where it %s', (_, exit, code) => {
    expect(new ChildLife().exited(exit)).toEqual({ next: 'over', code });
  });

  it.each([
    ['drained', { code: 0, signal: null, ranMs: 5 }, 0],
    ['failed in its drain', failed, 1],
    ['had not begun', { code: null, signal: 'SIGTERM', ranMs: 5 }, 0],
    ['was killed', { code: null, signal: 'SIGKILL', ranMs: 5 }, 1],
  ] as const)('is over once it was stopped and %s', (_, exit, code) => {
    const life = new ChildLife();
    life.stop('stop');
    expect(life.exited(exit)).toEqual({ next: 'over', code });
  });

  it.each(['reload', 'memory'] as const)('starts anew at once after a drain for %s, even if that failed', (reason) => {
    const life = new ChildLife();
    life.stop(reason);
    expect(life.exited(failed)).toEqual({ next: 'start', afterMs: 0 });
    expect(life.exited(failed)).toEqual({ next: 'start', afterMs: 1_000 });
  });

  it('is over where it was stopped while it drained for a reload', () => {
    const life = new ChildLife();
    life.stop('reload');
    life.stop('stop');
    life.stop('memory');
    expect(life.exited({ code: 0, signal: null, ranMs: 5 })).toEqual({ next: 'over', code: 0 });
  });
});
