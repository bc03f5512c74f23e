import { expect, it } from '@jest/globals';
import { OptionError } from '../../../../src/core/errors.js';
import { timePattern } from '../../../../src/sinks/files/buckets/time-pattern.js';

const at = (text: string) => Date.parse(`${text}Z`);

it.each([
  ['dt={yyyy}-{MM}-{dd}', 'dt=2026-03-02'],
  ['{yyyy}/{MM}/{dd}/{HH}/{mm}', '2026/03/02/17/45'],
  ['hour={HH}', 'hour=17'],
  ['plain', 'plain'],
  ['', ''],
])('%s is %s', (pattern, bucket) => expect(timePattern(pattern)(at('2026-03-02T17:45:59.999'))).toBe(bucket));

it('changes with the smallest part it has, to the millisecond, forth and back', () => {
  const all = ['{dd}', '{dd}{HH}', '{dd}{HH}{mm}'].map(timePattern);
  const steps = [
    '2026-03-02T17:45:59.999',
    '2026-03-02T17:46:00',
    '2026-03-02T18:00:00',
    '2026-03-03T00:00:00',
    '2026-03-02T17:45:00',
  ];
  expect(steps.map((step) => all.map((bucket) => bucket(at(step))))).toEqual([
    ['02', '0217', '021745'],
    ['02', '0217', '021746'],
    ['02', '0218', '021800'],
    ['03', '0300', '030000'],
    ['02', '0217', '021745'],
  ]);
  const months = ['{yyyy}', '{MM}'].map(timePattern);
  expect(months.map((bucket) => bucket(at('2026-12-31T23:59:59.999')))).toEqual(['2026', '12']);
  expect(months.map((bucket) => bucket(at('2027-01-01T00:00:00')))).toEqual(['2027', '01']);
});

it('rejects a part it does not know, and says which it does', () => {
  expect(() => timePattern('{yyyy}-{ss}')).toThrow(OptionError);
  expect(() => timePattern('{yyyy}-{ss}')).toThrow(
    'Expected `path` to have only the parts {yyyy} {MM} {dd} {HH} {mm}, got `{ss}`',
  );
  expect(() => timePattern('{}')).toThrow('got `{}`');
});
