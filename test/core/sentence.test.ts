import { describe, expect, it, test } from '@jest/globals';
import { sentence, withoutStop } from '../../src/core/sentence.js';

describe('sentence', () => {
  test.each([
    ['no stop', 'the disk is full', 'The disk is full.'],
    ['one stop', 'The disk is full.', 'The disk is full.'],
    ['two stops', 'The disk is full..', 'The disk is full.'],
    ['spaced stops', 'The disk is full. .', 'The disk is full.'],
    ['a colon', 'The disk is full:', 'The disk is full.'],
    ['a comma', 'The disk is full, ', 'The disk is full.'],
    ['a line feed', 'The disk is full\n', 'The disk is full.'],
    ['a carriage return', 'The disk is full.\r\n', 'The disk is full.'],
    ['a question', 'is this the port of a broker?', 'Is this the port of a broker?'],
    ['an ellipsis', 'Expected {"a":1…', 'Expected {"a":1…'],
    ['a full stop in quotes', 'It said "No."', 'It said "No."'],
    ['a quoted name', 'Correct `nameNodes`', 'Correct `nameNodes`.'],
    ['a bracket', 'it failed (EIO)', 'It failed (EIO).'],
    ['a name first', 'kafka:chat/3 has ended', 'kafka:chat/3 has ended.'],
    ['a file first', 'flow.ts has no default export', 'flow.ts has no default export.'],
    ['an option first', '`topics` is empty', '`topics` is empty.'],
    ['no ASCII letter first', 'übertragen', 'Übertragen.'],
  ])('%s', (_, text, expected) => {
    expect(sentence(text)).toBe(expected);
    expect(sentence(text, 'start again')).toBe(`${expected} Start again.`);
    expect(sentence('Cannot write', text)).toBe(`Cannot write. ${expected}`);
  });

  it('leaves out empty parts', () => {
    expect(sentence('', ' ', 'It failed', '')).toBe('It failed.');
    expect(sentence()).toBe('');
  });

  it('gives a reason for the middle of a sentence', () => {
    expect(['full.', 'full..\n', 'full:', 'full', 'full?'].map(withoutStop)).toEqual([
      'full',
      'full',
      'full',
      'full',
      'full?',
    ]);
  });
});
