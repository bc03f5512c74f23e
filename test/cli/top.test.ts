import { describe, expect, it } from '@jest/globals';
import { readArguments } from '../../src/cli/arguments.js';
import { afterKey, TOP_START, type TopState } from '../../src/cli/top/top-state.js';
import { topLines } from '../../src/cli/top/top-table.js';
import type { ConsoleSnapshot, FlowView } from '../../src/console/contract.js';

function flowOf(at: number): FlowView {
  const streams = [{ stream: `kafka:f${at}/0`, backlog: at * 10, paused: false }];
  const parts = [
    { kind: 'source', name: 'kafkaSource', about: '', perSecond: at * 1_000, inFlight: at },
    { kind: 'sink', name: '\u001b[31msink', about: '', perSecond: at },
  ] as const;
  return {
    name: `f${at}`,
    state: 'running',
    guarantee: '',
    why: '',
    warnings: [],
    parts,
    edges: [{ from: 0, to: 1, perSecond: at, bytesPerSecond: 2_048, tapped: false }],
    ...(at === 3 && { culprit: { part: 1, because: '' } }),
    streams,
    files: [],
    deadLetters: {},
    commands: [],
  };
}

const snapshot: ConsoleSnapshot = {
  atMs: 0,
  process: 'here',
  version: '1',
  readOnly: false,
  flows: Array.from({ length: 20 }, (_, at) => flowOf(at)),
  watchesAlerts: false,
  alerts: [],
  peers: [],
};
const keys = (...pressed: string[]): TopState | 'quit' =>
  pressed.reduce<TopState | 'quit'>((state, key) => (state === 'quit' ? state : afterKey(state, key, 5)), TOP_START);
const shown = (state: TopState | 'quit', rows = 8, columns = 200) =>
  topLines([snapshot], state as TopState, { columns, rows });
const names = (lines: readonly string[]) => lines.slice(2, -1).map((line) => line.split(' ', 1)[0]);

describe('what top shows', () => {
  it('is sorted by a column: text from A, numbers from the most, or the other way round', () => {
    expect(names(shown(keys()))).toEqual(['f0', 'f1', 'f10', 'f11', 'f12']);
    expect(names(shown(keys('s', 's', 's')))).toEqual(['f19', 'f18', 'f17', 'f16', 'f15']);
    expect(names(shown(keys('s', 's', 's', 'r')))).toEqual(['f0', 'f1', 'f2', 'f3', 'f4']);
    expect(shown(keys('s', 's', 's'))[1]).toMatch(/^flow +process +state +in\/s▼ +out\/s/);
    expect(shown(keys('S'))[1]).toMatch(/waits for▼$/);
  });

  it('is filtered by any text, as it is typed, and scrolled within what there is', () => {
    const filtered = shown(keys('/', 'F', '1', '\r'));
    expect([filtered[0], names(filtered)]).toEqual([
      'rxflume top  1 processes  11 flows  1–5  /F1',
      ['f1', 'f10', 'f11', 'f12', 'f13'],
    ]);
    expect(names(shown(keys('/', 'f', '3', '\u007f', '5', '\r')))).toEqual(['f5']);
    expect(names(shown(keys('/', 'x', '\u001b')))).toHaveLength(5);
    expect(names(shown(keys(' ', '\u001b[B', 'k', 'j')))).toEqual(
      ['f14', 'f15', 'f16', 'f17', 'f18'].map((_, at) => names(shown(TOP_START, 100))[at + 6]),
    );
    expect(names(shown(keys(...Array<string>(50).fill('\u001b[6~'))))).toEqual(['f5', 'f6', 'f7', 'f8', 'f9']);
    expect(names(shown(keys('\u001b[5~', '\u001b[A')))).toEqual(['f0', 'f1', 'f10', 'f11', 'f12']);
  });

  it('fits any screen, and obeys nothing that a name contains', () => {
    for (const [columns, rows] of [
      [10, 3],
      [1, 1],
      [80, 24],
    ] as const) {
      const lines = shown(TOP_START, rows, columns);
      expect(lines.length).toBeLessThanOrEqual(Math.max(4, rows));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
    expect(shown(TOP_START, 100).join('\n')).toContain('\\x1b[31msink');
    expect(shown(TOP_START, 100).join('\n')).not.toContain('\u001b');
    expect(topLines([], TOP_START, { columns: 80, rows: 24 })[0]).toBe('rxflume top  0 processes  0 flows');
  });

  it('has a row for each stream, and ends by q, Ctrl-C and Ctrl-D', () => {
    expect(shown(keys('t'))[0]).toContain('20 streams');
    expect(shown(keys('t'))[2]).toMatch(/^kafka:f0\/0 {3}f0 +here +0 +– +–/);
    expect([keys('q'), keys('\u0003'), keys('\u0004'), keys('/', '\u0003')]).toEqual(['quit', 'quit', 'quit', 'quit']);
    expect(keys('x', '\u001b[C')).toEqual(TOP_START);
    expect(keys('/', 'q')).toMatchObject({ filter: 'q' });
  });
});

describe('the arguments', () => {
  const console = (...args: string[]) => (readArguments(['run', 'f.ts', ...args]) as { console?: unknown }).console;

  it('of run --console need a password where others reach it, and name what it is called', () => {
    expect(console()).toBeNull();
    expect(console('--console')).toMatchObject({
      address: { host: '127.0.0.1', port: 9466 },
      readOnly: false,
      hosts: ['localhost', '127.0.0.1', '[::1]'],
    });
    for (const address of ['0.0.0.0:9466', '[::]:9466', '192.168.1.4:9466', 'collector:9466']) {
      expect(() => console('--console', address)).toThrow(
        /other machines reach `--console .*`: add `--console-password-file <file>`/,
      );
      expect(console('--console', address, '--console-trusted-header', 'x-user')).toMatchObject({
        trustedHeader: 'x-user',
      });
    }
    expect(
      console(
        '--console',
        '192.168.1.4:9466',
        '--console-password-file',
        'p',
        '--console-hosts',
        'a.example, B.example',
      ),
    ).toMatchObject({
      hosts: expect.arrayContaining(['192.168.1.4', 'a.example', 'b.example']),
    });
    expect(() => console('--console-read-only')).toThrow('`--console-read-only` needs `--console`');
  });

  it('of the commands that ask a console are checked', () => {
    expect(readArguments(['tap', 'chat', 'decode', '--every', '3'])).toMatchObject({
      flow: 'chat',
      edge: 'decode',
      everyN: 3,
    });
    expect(readArguments(['why', 'kafka:a@b/3@42'])).toMatchObject({ stream: 'kafka:a@b/3', offset: 42 });
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [['tap'], '`tap` needs the name of a flow'],
      [['tap', 'a', 'b', 'c'], 'also got `c`'],
      [['tap', 'a', '--every', '0'], 'got `0`'],
      [['why', 'kafka:chat/3'], 'expected a record such as kafka:chat/3@120345'],
      [['why', 'kafka:chat/3@99999999999999999'], 'expected a record'],
      [['top', 'chat'], '`top` takes no argument'],
      [['top', '--console=ftp://host'], 'to be a URL'],
      [['top', '--token-file', 'f'], '`--token-file` needs `--console`'],
    ];
    for (const [args, message] of wrong) expect(() => readArguments(args)).toThrow(message);
  });
});
