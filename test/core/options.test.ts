import { describe, expect, it } from '@jest/globals';
import { OptionError } from '../../src/core/errors.js';
import * as options from '../../src/core/options.js';

const { expectFunction, expectKnown, expectMs, expectOneOf, expectOption, expectText, expectWhole } = options;

function rejection(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (error instanceof OptionError && error.code === 'RXF_OPTION_INVALID') return error.message;
    throw error;
  }
  return '';
}

describe('checks of options', () => {
  it.each<[string, () => void, string]>([
    ['any', () => expectOption('a.b', null, false, 'odd'), 'Expected `a.b` to be odd, got `null` (null).'],
    ['whole', () => expectWhole('n', 1.5, 1), 'Expected `n` to be a whole number >= 1, got `1.5` (number).'],
    ['whole', () => expectWhole('n', 2 ** 53, 1), 'got `9007199254740992` (number).'],
    ['whole', () => expectWhole('n', '3', 1), 'got `"3"` (string).'],
    ['whole', () => expectWhole('n', 3n, 1), 'got `3` (bigint).'],
    ['whole', () => expectWhole('n', 11, 1, 10), 'Expected `n` to be a whole number from 1 to 10, got `11`'],
    ['ms', () => expectMs('t', -1), 'Expected `t` to be a number of milliseconds from 0 to 2147483647, got `-1`'],
    ['ms', () => expectMs('t', Number.NaN), 'got `NaN` (number).'],
    ['ms', () => expectMs('t', Number.POSITIVE_INFINITY), 'got `Infinity` (number).'],
    ['ms', () => expectMs('t', 0, 1), 'from 1 to'],
    ['text', () => expectText('s', ''), 'Expected `s` to be a non-empty string, got `""` (string).'],
    ['function', () => expectFunction('f', {}), 'Expected `f` to be a function, got `Object` (object).'],
    ['one of', () => expectOneOf('o', 'c', ['a', 'b']), "Expected `o` to be one of 'a', 'b', got `\"c\"` (string)."],
    ['known', () => expectKnown('x options', { a: 1, b: 2 }, ['a']), 'only known options (a), got `b`.'],
    ['known', () => expectKnown('x', { attempts: 1 }, ['maxAttempts']), 'got `attempts`, which is now `maxAttempts`'],
    ['known', () => expectKnown('x', { lingerMs: 1 }, ['chunk']), 'got `lingerMs`, which is now `chunk.maxWaitMs`'],
    ['known', () => expectKnown('x', { timeLimitMs: 1 }, ['requestTimeoutMs']), 'which is now `requestTimeoutMs`'],
    ['known', () => expectKnown('x', { content: 1 }, ['a']), 'only known options (a), got `content`.'],
    ['known', () => expectKnown('x options', 5, ['a']), 'Expected `x options` to be an object of options, got `5`'],
    ['known', () => expectKnown('x options', null, ['a']), 'got `null` (null).'],
  ])('reject a wrong %s', (_, check, message) => {
    expect(rejection(check)).toContain(message);
  });

  it('take what is right, and the ends of each range', () => {
    expectOption('a', 1, true, 'odd');
    expectWhole('n', 1, 1);
    expectWhole('n', 10, 1, 10);
    expectWhole('n', Number.MAX_SAFE_INTEGER, 0);
    expectMs('t', 0);
    expectMs('t', 0.5);
    expectMs('t', 2 ** 31 - 1);
    expectText('s', ' ');
    expectFunction('f', () => undefined);
    expectOneOf('o', 'a', ['a']);
    expectKnown('x', {}, []);
    expect(rejection(() => expectKnown('x', { a: undefined }, ['a']))).toBe('');
  });
});
