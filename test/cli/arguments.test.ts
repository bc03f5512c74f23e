import { describe, expect, it } from '@jest/globals';
import { HELP, readArguments } from '../../src/cli/arguments.js';

describe('readArguments', () => {
  it('reads a run with its defaults and options', () => {
    const plain = { verb: 'run', file: 'flow.ts', untilIdleMs: null, drainTimeoutMs: 60_000, metrics: null };
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

  it('reads a check, and a ledger with its defaults and options', () => {
    expect(readArguments(['check', 'flow.ts'])).toEqual({ verb: 'check', file: 'flow.ts' });
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

  it('names every command and option in its help', () => {
    for (const word of ['run <file>', 'check <file>', 'ledger <root>', '--until-idle', '--drain-timeout', '--stream']) {
      expect(HELP).toContain(word);
    }
    for (const word of ['--user', '--mode', '--json', '--skip-to', 'RXFLUME_DELEGATION_TOKEN'])
      expect(HELP).toContain(word);
  });

  it.each([
    [[], 'expected a command: run, check or ledger'],
    [['walk'], 'unknown command `walk`'],
    [['run'], '`run` needs the file of a flow'],
    [['run', 'a.ts', 'b.ts'], 'also got `b.ts`'],
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
    [['toString', '/a'], 'unknown command `toString`'],
  ])('says what is wrong with %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});
