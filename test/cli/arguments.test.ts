import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { commandOf, readArguments } from '../../src/cli/arguments.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { helpOf, helpOfAll } from '../../src/cli/help.js';
import { root } from '../docs/markdown.js';

describe('readArguments', () => {
  it('reads a run with its defaults and options', () => {
    const plain = {
      verb: 'run',
      file: 'flow.ts',
      untilIdleMs: null,
      drainTimeoutMs: 60_000,
      metrics: null,
      console: null,
    };
    expect(readArguments(['run', 'flow.ts'])).toEqual(plain);
    expect(readArguments(['run', '--until-idle', '500', 'flow.ts', '--drain-timeout=9'])).toEqual({
      ...plain,
      untilIdleMs: 500,
      drainTimeoutMs: 9,
    });
    expect([readArguments(['-h']), readArguments(['run', '--version'])]).toEqual([
      { verb: 'help' },
      { verb: 'version' },
    ]);
  });

  it('reads several files, or processes, as a run that keeps processes', () => {
    const plain = { processes: 1, isWatched: false, maxMemoryMib: undefined, threads: undefined };
    expect(readArguments(['run', 'a.ts', 'b.ts'])).toMatchObject({ ...plain, files: ['a.ts', 'b.ts'] });
    const given = ['--processes', '4', '--watch', '--max-memory-mib', '512', '--threads=2'];
    const asked = { files: ['a.ts'], processes: 4, isWatched: true, maxMemoryMib: 512, threads: 2 };
    expect(readArguments(['run', 'a.ts', ...given])).toMatchObject(asked);
  });

  it('reads a check, and a ledger with its defaults and options', () => {
    expect(readArguments(['check', 'flow.ts'])).toEqual({ verb: 'check', files: ['flow.ts'], isJson: false });
    expect(readArguments(['check', 'a.ts', 'b.ts', '--json'])).toMatchObject({ files: ['a.ts', 'b.ts'], isJson: true });
    const plain = { verb: 'ledger', root: '/lake', mode: 'webhdfs', user: undefined, stream: undefined, isJson: false };
    expect(readArguments(['ledger', '/lake'])).toEqual(plain);
    const given = ['--user', 'flume', '--stream=kafka:chat/3', '--json', '--mode', 'httpfs'];
    expect(readArguments(['ledger', ...given, 'webhdfs://nn/lake'])).toEqual({
      verb: 'ledger',
      root: 'webhdfs://nn/lake',
      mode: 'httpfs',
      user: 'flume',
      stream: 'kafka:chat/3',
      isJson: true,
    });
  });

  it('reads where a ledger is to be moved on to', () => {
    const asked = readArguments(['ledger', '/lake', '--stream', 'kafka:chat/3', '--skip-to', '5000']);
    expect(asked).toMatchObject({ verb: 'ledger', stream: 'kafka:chat/3', skipTo: 5_000 });
  });

  it('reads a plan with its defaults, numbers with their units and points', () => {
    expect(readArguments(['plan', 'flow.ts'])).toEqual({
      ...{ verb: 'plan', file: 'flow.ts', sample: undefined, ratePerSecond: undefined, recordBytes: undefined },
      ...{ partitions: undefined, backlogRecords: undefined, headroomSeconds: undefined, points: [], records: 10_000 },
      ...{ withinMs: 60_000, isMeasuringWrites: false, scratch: undefined, isJson: false },
    });
    const given = ['--rate', '50000/s', '--bytes=200', '--headroom', '6h', '--within', '2m', '--points', '1:100,2:190'];
    expect(
      readArguments(['plan', 'a.ts', ...given, '--sample', 'topic@70', '--measure-writes', '--json']),
    ).toMatchObject({
      ...{ sample: { from: 'topic', offset: 70 }, ratePerSecond: 50_000, recordBytes: 200, headroomSeconds: 21_600 },
      ...{ withinMs: 120_000, isMeasuringWrites: true, isJson: true },
      points: [
        { n: 1, perSecond: 100 },
        { n: 2, perSecond: 190 },
      ],
    });
    expect(readArguments(['plan', 'a.ts', '--sample', './topics.txt'])).toMatchObject({
      sample: { from: 'file', file: './topics.txt' },
    });
  });

  it.each(COMMANDS.map(({ name }) => name))('has a help of %s, with its example and exit codes', (verb) => {
    expect(readArguments(['help', verb])).toEqual({ verb: 'help', command: verb });
    const help = helpOf(commandOf(verb));
    expect(help).toMatch(new RegExp(`^Usage: rxflume ${verb} [\\s\\S]+\\nExample: rxflume ${verb} .+\\n$`));
    expect(help).toMatch(/\n\n[A-Z].+\.\n.*\nExit codes:\n {2}0 .+\n {2}2 invalid arguments\n/s);
    for (const { name } of COMMANDS) if (name !== verb) expect(help).not.toContain(`rxflume ${name} `);
    for (const option of Object.keys(commandOf(verb).options))
      expect(help).toMatch(new RegExp(`\\n {2}--${option} .*\\S`));
  });

  it.each(COMMANDS.map(({ name }) => name))('has exit codes of %s that the reference has too', (verb) => {
    const sections = readFileSync(`${root}docs/reference/cli.md`, 'utf8').split(/^## /m);
    const section = sections.find((one) => new RegExp(`^${verb}( pull)?\\n`).test(one)) ?? '';
    const told = [...section.matchAll(/\bexit(?: codes?)? (\d(?:, (?:or )?\d)*)/gi)].flatMap(([, codes]) =>
      codes?.match(/\d/g),
    );
    const known = commandOf(verb).exitCodes.match(/(?<=^|, )\d(?= )/g) ?? [];
    expect([...new Set(told)].sort()).toEqual([...known, '2'].sort());
  });

  it('gives an option of two commands the same form in both', () => {
    const forms = new Map<string, string>();
    for (const { name, options } of COMMANDS) {
      for (const [option, { type }] of Object.entries(options)) {
        expect(`${name} --${option}: ${forms.get(option) ?? type}`).toBe(`${name} --${option}: ${type}`);
        forms.set(option, type);
      }
    }
  });

  it('reads a graph in each form', () => {
    const forms = [[], ['--mermaid'], ['--json']].map((args) => readArguments(['graph', 'a.ts', ...args]));
    expect(forms).toEqual(['text', 'mermaid', 'json'].map((form) => ({ verb: 'graph', file: 'a.ts', form })));
  });

  it('names every command and option in its help', () => {
    const help = helpOfAll(COMMANDS);
    for (const { usage, options } of COMMANDS) {
      expect(help).toContain(`rxflume ${usage[0]}`);
      for (const option of Object.keys(options)) expect(help).toContain(`\n  --${option} `);
    }
    for (const word of ['rxflume help <command>', 'RXFLUME_DELEGATION_TOKEN', '--version'])
      expect(help).toContain(word);
  });

  it.each([
    [[], 'expected a command: run, check, doctor, graph, plan, ledger, schema, alerts'],
    [['walk'], 'unknown command `walk`; expected run, check'],
    [['chekc', 'a.ts'], 'unknown command `chekc`; did you mean `check`?'],
    [['help', 'grpah'], 'did you mean `graph`?'],
    [['run', 'a.ts', '--jsno'], "unknown option '--jsno'; did you mean"],
    [['run', 'a.ts', '--conosle'], 'did you mean `--console`?'],
    [['tap', 'chat', '--conosle', 'x'], 'did you mean `--console`?'],
    [['dlq', 'take', 'amqp://h', '/a'], '`dlq take` needs `--queue`'],
    [['dlq', 'take', 'amqp://h', '--queue', 'q'], '`dlq take` needs the root that they are moved to'],
    [['dlq', 'list', '/a', '--queue', 'q'], '`dlq list` has no option `--queue`; `dlq take` has'],
    [['dlq', 'take', 'amqp://h', '/a', '--queue', 'q', '--code', 'X'], 'has no option `--code`'],
    [['dlq', 'repaly', '/a', 'flow.ts'], 'did you mean `replay`?'],
    [['alerts', 'tets', 'a.ts'], 'did you mean `test`?'],
    [['ledger', '/a', '--jsno'], "unknown option '--jsno'; did you mean `--json`?"],
    [['graph', 'a.ts', '--json', '--mermaid'], 'either `--mermaid` or `--json`'],
    [['run'], '`run` needs the file of a flow'],
    [['rewind', 'chat'], '`rewind` needs `--to <offset or time>`'],
    [['rewind', 'chat', '--to', '2026-11-27T08:00:00'], 'got `2026-11-27T08:00:00`'],
    [['run', '--watch'], '`run` needs the file of a flow'],
    [['run', 'a.ts', 'b.ts', '--flow', 'x'], '`--flow` is for one file'],
    [['run', 'a.ts', '--processes', '0'], 'whole number from 1 to 256, got `0`'],
    [['run', 'a.ts', '--threads', 'many'], 'got `many`'],
    [['graph', 'a.ts', 'b.ts'], 'also got `b.ts`'],
    [['run', 'a.ts', '--until-idle', 'soon'], 'got `soon`'],
    [['run', 'a.ts', '--drain-timeout', '0'], 'got `0`'],
    [['run', 'a.ts', '--fast'], "'--fast'"],
    [['run', 'a.ts', '--json'], '`run` has no option `--json`'],
    [['check'], '`check` needs the file of a flow'],
    [['check', 'a.ts', '--until-idle', '5'], '`check` has no option `--until-idle`'],
    [['ledger'], '`ledger` needs the root of a file sink'],
    [['ledger', '/a', '/b'], 'also got `/b`'],
    [['ledger', '/a', '--mode', 'ftp'], 'got `ftp`'],
    [['ledger', '/a', '--user', ''], 'expected `--user` to be a name'],
    [['ledger', '/a', '--skip-to', '5'], '`--skip-to` needs `--stream`'],
    [['ledger', '/a', '--stream', 's', '--skip-to', '0'], 'got `0`'],
    [['ledger', '/a', '--stream', 's', '--skip-to', '1e3'], 'got `1e3`'],
    [['run', 'a.ts', '--skip-to', '5'], '`run` has no option `--skip-to`'],
    [['plan', 'a.ts', '--rate', '-5'], "'--rate"],
    [['plan', 'a.ts', '--rate', 'NaN'], 'got `NaN`'],
    [['plan', 'a.ts', '--rate', '5/min'], 'got `5/min`'],
    [['plan', 'a.ts', '--bytes', '1e99'], 'got `1e99`'],
    [['plan', 'a.ts', '--partitions', '0'], 'got `0`'],
    [['plan', 'a.ts', '--partitions', '1.5'], 'a whole number from 1'],
    [['plan', 'a.ts', '--records', '2000000'], 'from 1 to 1000000'],
    [['plan', 'a.ts', '--headroom', '6'], 'a duration such as'],
    [['plan', 'a.ts', '--within', '1ms'], 'from 1s to 1h'],
    [['plan', 'a.ts', '--points', '1:0'], 'got `1:0`'],
    [['plan', 'a.ts', '--points', '0:5'], 'got `0:5`'],
    [['plan', 'a.ts', '--sample', ''], 'got an empty string'],
    [['plan', 'a.ts', '--sample', 'topic@99999999999999999999'], 'a safe integer'],
    [['plan', 'a.ts', '--measure-writes'], 'needs `--sample`'],
    [['plan', 'a.ts', '--scratch', 'tmp'], 'an absolute path'],
    [['plan', 'a.ts', '--stream', 's'], '`plan` has no option `--stream`'],
    [['alerts', 'test'], '`alerts test` needs a file'],
    [['alerts', 'tests', 'a.ts'], 'got `tests`'],
    [['alerts', 'test', 'a.ts', '--from', '/lake'], '`alerts test` has no option `--from`'],
    [['alerts', 'backtest', 'a.ts'], '`alerts backtest` needs `--from`'],
    [['toString', '/a'], 'unknown command `toString`'],
  ])('says what is wrong with %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});
