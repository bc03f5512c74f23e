import { describe, expect, it } from '@jest/globals';
import { messageFault } from './message-form.js';

describe('the form of a message', () => {
  it.each([
    ['Cannot read `a: it is gone.', 'an unclosed backtick'],
    ['Cannot read a: it is gone..', 'two full stops'],
    ['Cannot read a .', 'a space before a stop'],
    ['Cannot read [object Object].', 'an object as text'],
    ['Cannot read kafka:chat/undefined.', 'a missing value'],
    ['Cannot read from offset NaN.', 'a missing value'],
    ['Cannot read a: it is gone', 'no full stop'],
    ['Cannot read `a.`', 'no full stop'],
  ])('finds in %j %s', (message, fault) => {
    expect(messageFault(message)).toBe(fault);
  });

  it.each([
    'The bucket " //8HZ`0I/." is rejected: it has an empty segment, or ends with `/`.',
    'Expected `port` to be a whole number, got `undefined` (undefined).',
    'Nothing… See `a .. b`. It has "a  b", and ../ssl/record.c:350.',
    'Cannot write undefined (undefined) as JSON.',
  ])('accepts %j', (message) => {
    expect(messageFault(message)).toBeNull();
  });
});
