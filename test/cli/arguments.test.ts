import { describe, expect, it } from '@jest/globals';
import { readArguments } from '../../src/cli/arguments.js';

describe('readArguments', () => {
  it('reads a run with its defaults and options', () => {
    const plain = { verb: 'run', file: 'flow.ts', untilIdleMs: null, drainTimeoutMs: 60_000 };
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

  it.each([
    [[], 'a command is missing'],
    [['walk'], 'there is no command `walk`'],
    [['run'], '`run` needs the file of a flow'],
    [['run', 'a.ts', 'b.ts'], 'got also `b.ts`'],
    [['run', 'a.ts', '--until-idle', 'soon'], 'got `soon`'],
    [['run', 'a.ts', '--drain-timeout', '0'], 'got `0`'],
    [['run', 'a.ts', '--fast'], "'--fast'"],
  ])('says what is wrong with %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});
