import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, of, throwError } from 'rxjs';
import { readArguments } from '../../src/cli/arguments.js';
import { judge } from '../../src/cli/doctor/checks/judge.js';
import { durationText } from '../../src/cli/doctor/duration-text.js';
import { bad, exitCodeOf, type Finding, ok } from '../../src/cli/doctor/finding.js';
import { gather } from '../../src/cli/doctor/gather.js';
import { checkInstallation, type Installation } from '../../src/cli/doctor/installation.js';
import { reportJson, reportText } from '../../src/cli/doctor/report.js';
import { fits } from '../../src/cli/doctor/version-range.js';
import type { Fact, FactOf } from '../../src/delivery/probe.js';
import { fitting } from './json-schema.js';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const brief = (findings: readonly Finding[]) => findings.map(({ check, level, text }) => `${level} ${check}: ${text}`);
const judged = (...facts: Fact[]) => judge(facts, NOW, 1);

const endpoint = (address: string, more: Partial<FactOf<'endpoint'>> = {}): Fact => ({
  ...{ kind: 'endpoint', role: 'broker', address, fix: 'start it', outcome: { isReached: true, ms: 2 } },
  ...more,
});
const lost = { isReached: false, stage: 'connection', reason: 'refused' } as const;

describe('addresses', () => {
  it('of the options: one is enough, so another that is down is a warning', () => {
    expect(brief(judged(endpoint('a:1'), endpoint('b:1', { outcome: lost })))).toEqual([
      'ok endpoint: broker a:1 answers, in 2 ms',
      'warning endpoint: broker b:1 cannot be reached: refused (another one is)',
    ]);
    expect(judged(endpoint('b:1', { outcome: lost }))).toMatchObject([{ level: 'problem', fix: 'start it' }]);
  });

  it('that a server named must be reached, though others are', () => {
    const unknown = { isReached: false, stage: 'name', reason: 'ENOTFOUND' } as const;
    expect(judged(endpoint('a:1'), endpoint('x:1', { namedBy: 'broker 1', outcome: unknown }))[1]).toEqual({
      check: 'endpoint',
      level: 'problem',
      text: 'broker x:1 has a name that this machine does not know: ENOTFOUND',
      path: 'named by broker 1',
      fix: 'start it',
    });
  });

  it.each([
    [-DAY, 30 * DAY, 'ok', 'is valid until 2023-12-14'],
    [-DAY, 3 * DAY + 2 * HOUR, 'warning', 'ends on 2023-11-18, in 3 d 2 h'],
    [-9 * DAY, -HOUR, 'problem', 'has ended on 2023-11-14'],
    [HOUR, DAY, 'problem', 'is not valid yet'],
  ])('have a certificate from %d to %d ms: %s', (from, to, level, text) => {
    const certificate = { subject: 'k1', validFromMs: NOW + from, validToMs: NOW + to };
    const [, finding] = judged(endpoint('k1:9093', { outcome: { isReached: true, ms: 1, certificate } }));
    expect(finding).toMatchObject({ level, text: `The certificate of broker k1:9093 (k1) ${text}` });
  });
});

describe('streams', () => {
  const stream = (more: Partial<FactOf<'stream'>>): Fact => ({
    ...{ kind: 'stream', stream: 'chat/0', first: 10, end: 110, next: 60, retentionMs: 10 * HOUR },
    ...more,
  });
  const left = (ms: number) => stream({ nextWrittenMs: NOW - 10 * HOUR + ms });

  it.each([
    [6 * HOUR, []],
    [
      3 * HOUR + 20 * 60_000,
      ['warning retention: chat/0: you lose data in 3 h 20 min, unless it is read (the topic keeps records for 10 h)'],
    ],
    [
      30 * 60_000,
      ['problem retention: chat/0: you lose data in 30 min, unless it is read (the topic keeps records for 10 h)'],
    ],
    [
      0,
      [
        'problem retention: chat/0: you lose data at any moment; the next record is older than is kept (the topic keeps records for 10 h)',
      ],
    ],
  ])('whose next record is kept for %d ms more', (ms, expected) => {
    expect(brief(judged(left(ms)))).toEqual(['ok lag: 1 partition, 50 records to read', ...expected]);
  });

  it('that lost records unread, or whose log is another', () => {
    expect(brief(judged(stream({ next: 4 })))[1]).toBe(
      'problem retention: chat/0: 6 records from offset 4 on are deleted, and were not read',
    );
    expect(brief(judged(stream({ next: 111 })))[1]).toContain(
      'the group goes on at offset 111, but the log ends at 110',
    );
  });

  it('without a position, and with records of the future', () => {
    expect(brief(judged(stream({ next: undefined, futureFrom: 12 })))).toEqual([
      'ok lag: 1 partition, 100 records to read; in 1 the group has not begun',
      'warning clock: chat/0: the record at offset 12 has a time more than a minute ahead of this machine',
    ]);
  });

  it('of which many have the same trouble: five are shown', () => {
    const many = Array.from({ length: 12 }, (_, at) => stream({ stream: `chat/${11 - at}`, next: 1 }));
    const shown = brief(judged(...many)).slice(1);
    expect(shown).toHaveLength(5);
    expect(shown[0]).toContain('chat/0:');
    expect(shown[4]).toMatch(/chat\/4: .*; and 7 more like this$/);
  });

  it('shared by more processes than there are', () => {
    const group = (members: number): Fact => ({ kind: 'group', name: 'g', members, streams: 3 });
    expect(brief(judged(group(3)))).toEqual([
      'ok processes: Group g: 3 processes now, of at most 3 that partitions are there for',
    ]);
    expect(brief(judged(group(5)))).toEqual([
      'warning processes: Group g: 5 processes for 3 partitions: 2 have nothing to do',
    ]);
  });
});

describe('storage', () => {
  const space = (free: number): Fact => ({
    kind: 'space',
    of: 'the quota of /lake',
    unit: 'bytes',
    free,
    total: 1_024,
    fix: 'more',
  });

  it('is full, nearly full, or not', () => {
    expect(brief(judged(space(0), space(20), space(512)))).toEqual([
      'problem space: The quota of /lake: 0 B of 1.0 KiB left',
      'warning space: The quota of /lake: 20 B of 1.0 KiB left',
      'ok space: The quota of /lake: 512 B of 1.0 KiB left',
    ]);
  });

  it('gets small files by its settings, for as many streams as there are', () => {
    const roll = (bytes: number, intervalMs: number): Fact => ({ kind: 'roll', bytes, intervalMs });
    const level = (fact: Fact, streams: number) => judge([fact], NOW, streams)[0]?.level;
    expect(level(roll(2 ** 27, 300_000), 12)).toBe('ok');
    expect(level(roll(2 ** 20, 300_000), 12)).toBe('warning');
    expect(level(roll(2 ** 27, 60_000), 6)).toBe('ok');
    expect(brief(judge([roll(2 ** 27, 60_000)], NOW, 12))).toEqual([
      'warning small-files: Up to 17,280 files a day: a file of each partition every 1 min (`roll.intervalMs`), and 12 partitions',
    ]);
  });
});

describe('clocks, rights and what is not known', () => {
  it.each([
    [1_500, 'ok', 'The clocks of nn and of this machine agree'],
    [-9_000, 'warning', "The clock of nn is 9 s behind this machine's"],
    [400_000, 'problem', "The clock of nn is 6 min 40 s ahead of this machine's"],
  ])('%d ms ahead: %s', (aheadMs, level, text) => {
    expect(judged({ kind: 'clock', of: 'nn', aheadMs, roundTripMs: 1_000 })).toMatchObject([{ level, text }]);
  });

  it('has the rights of a thing in a line, and each that is lacking by itself', () => {
    const right = (action: string, error?: unknown): Fact => ({
      kind: 'right',
      action,
      on: '/lake',
      fix: 'chown',
      ...(error !== undefined && { error }),
    });
    expect(judged(right('write'), right('read'), right('rename', new Error('denied.')))).toEqual([
      ok('rights', 'May write, read: /lake'),
      bad('problem', 'rights', 'Cannot rename: denied', 'chown', '/lake'),
    ]);
    const unknown: Fact = { kind: 'unknown', what: 'it', error: 'no answer', fix: 'look' };
    expect(judged(unknown)).toEqual([bad('warning', 'unknown', 'Cannot tell about it: no answer', 'look')]);
  });
});

describe('gather', () => {
  const fact: Fact = { kind: 'server', role: 'a', version: '1' };

  it('has what was found until the time is over, what failed, and what came of the cleaning', async () => {
    const whole = await gather(() => of(fact), 50);
    expect(whole).toEqual([fact]);
    const failed = await gather(() => throwError(() => new Error('no')), 50);
    expect(failed).toMatchObject([{ kind: 'unknown', what: 'all of this part' }]);
    const cleaned: Fact = { kind: 'right', action: 'remove', on: 'x', fix: '' };
    const late = await gather(({ atEnd }) => {
      atEnd(() => of(cleaned));
      atEnd(() => EMPTY);
      return NEVER;
    }, 20);
    expect(late).toMatchObject([{ kind: 'unknown', error: { message: 'it was cut off before its end' } }, cleaned]);
  });
});

describe('an installation', () => {
  const own = { name: 'rxflume', version: '1.0.0', folder: '/a/rxflume' };
  const rxjs = { name: 'rxjs', version: '7.8.2', folder: '/a/rxjs' };
  const peer = { name: 'rxjs', range: '^7.8.0', isOptional: false, found: rxjs, ofFlow: rxjs };
  const well: Installation = { node: '20.19.0', nodeRange: '>=20.19', own, ofFlow: own, peers: [peer] };
  const bads = (changes: Partial<Installation>) =>
    brief(checkInstallation({ ...well, ...changes })).filter((text) => !text.startsWith('ok'));

  it('is well, or has a Node, a package or a copy that is wrong', () => {
    expect(bads({})).toEqual([]);
    expect(bads({ node: '18.20.1' })).toEqual(['environment node: Node 18.20.1 is not supported (>=20.19)']);
    const others = { ...own, folder: '/b/rxflume' };
    expect(bads({ ofFlow: others })).toEqual([expect.stringContaining('There are two copies of rxflume')]);
    const two = { ...peer, ofFlow: { ...rxjs, folder: '/b/rxjs' } };
    expect(bads({ peers: [two] })).toEqual([expect.stringContaining('There are two copies of rxjs')]);
    const old = { ...rxjs, version: '6.6.7' };
    expect(bads({ peers: [{ ...peer, found: old }] })).toEqual([
      'environment packages: rxjs 6.6.7 is not what rxflume works with (^7.8.0)',
    ]);
    expect(bads({ peers: [{ ...peer, found: undefined }] })).toHaveLength(1);
    expect(bads({ peers: [{ ...peer, found: undefined, isOptional: true }] })).toEqual([]);
  });

  it.each([
    ['20.19.0', '>=20.19', true],
    ['20.18.9', '>=20.19', false],
    ['7.8.2', '^7.8.0', true],
    ['8.0.0', '^7.8.0', false],
    ['0.17.0', '0.17.0', true],
    ['0.17.1', '0.17.0', false],
    ['0.2.9', '^0.2.1', true],
    ['0.3.0', '^0.2.1', false],
    ['0.0.2', '^0.0.1', false],
    ['1.2.9', '~1.2.3', true],
    ['1.3.0', '~1.2.3', false],
    ['2.5.0', '>=1 <3', true],
    ['3.0.0', '>=1 <3', false],
    ['8.1.0', '^7 || ^8', true],
    ['1.0.0', '*', true],
    ['none', '*', false],
  ])('%s in %s: %s', (version, range, isFit) => {
    expect(fits(version, range)).toBe(isFit);
  });
});

describe('the report', () => {
  const groups = [
    { name: 'Source kafkaSource', findings: [ok('lag', 'little'), bad('warning', 'x', 'be\u001bware', 'do')] },
    { name: 'Sink fileSink', findings: [bad('problem', 'rights', 'Cannot write', 'chown', '/lake')] },
  ];

  it('has a mark for each finding, its path and its fix', () => {
    expect(reportText({ file: 'flow.ts', flow: 'chat', groups })).toBe(
      'chat  flow.ts\n\nSource kafkaSource\n  ✓ little\n  ⚠ be\\x1bware\n    → do\n\nSink fileSink\n  ✗ Cannot write\n    └ /lake\n    → chown\n\n' +
        '1 problem, 1 warning.\n',
    );
    expect(reportText({ file: 'flow.ts', flow: 'chat', groups: [] })).toBe('chat  flow.ts\n\n\nAll is well.\n');
  });

  it('exits by the worst: warnings never fail, and a wrong installation has its own code', () => {
    const exit = (...findings: Finding[]) =>
      exitCodeOf([
        { name: 'a', findings },
        { name: 'b', findings: [ok('x', '')] },
      ]);
    expect([exit(), exit(bad('warning', 'x', '', '')), exit(bad('problem', 'x', '', ''))]).toEqual([0, 0, 1]);
    expect(exit(bad('problem', 'x', '', ''), bad('environment', 'x', '', ''))).toBe(3);
  });

  it('as JSON fits its schema, and every finding that is not well has its fix', () => {
    const json = fitting('doctor', reportJson({ file: 'flow.ts', flow: 'chat', groups }));
    expect(json).toMatchObject({ level: 'problem', exitCode: 1 });
    const findings = [{ check: 'x', level: 'problem', text: '' }];
    expect(() => fitting('doctor', JSON.stringify({ ...json, groups: [{ name: 'a', findings }] }))).toThrow();
  });
});

it('tells durations by their two largest units', () => {
  const texts = [0, 999, 1_000, 61_000, 12_000_000, 90_000_000, 86_400_000].map(durationText);
  expect(texts).toEqual(['0 ms', '999 ms', '1 s', '1 min 1 s', '3 h 20 min', '1 d 1 h', '1 d']);
});

it('reads its arguments', () => {
  const plain = { verb: 'doctor', file: 'flow.ts', isDeep: false, record: undefined, withinMs: 30_000, isJson: false };
  expect(readArguments(['doctor', 'flow.ts'])).toEqual(plain);
  expect(readArguments(['doctor', 'flow.ts', '--deep', '--record=a.jsonl', '--within', '5s', '--json'])).toEqual({
    ...{ ...plain, isDeep: true, record: 'a.jsonl', withinMs: 5_000, isJson: true },
  });
  expect(() => readArguments(['doctor', 'flow.ts', '--record', 'a'])).toThrow('`--record` needs `--deep`');
  expect(() => readArguments(['doctor', 'flow.ts', '--within', '5'])).toThrow('expected `--within` to be a duration');
  expect(() => readArguments(['doctor', 'flow.ts', '--deeep'])).toThrow('did you mean `--deep`?');
});
