import { describe, expect, it } from '@jest/globals';
import { filesOf, judge, type Landed } from '../../chaos/verdict.js';

const record = (n: number, partition: number, offset: number): Landed => ({
  n,
  stream: `kafka:numbers/${partition}`,
  offset,
});

describe('the verdict of a chaos run', () => {
  const records = [record(0, 0, 0), record(1, 1, 0), record(2, 0, 1), record(3, 1, 1)];

  it('finds nothing where each record landed once', () => {
    const lines = records.map((one) => JSON.stringify(one)).reverse();
    expect(judge(records, lines)).toEqual({ lost: [], duplicated: [], foreign: [] });
  });

  it('finds what is lost, duplicated and foreign', () => {
    const landed = [record(0, 0, 0), record(2, 0, 1), record(2, 0, 1), record(7, 1, 1), record(9, 5, 0)];
    const lines = [...landed.map((one) => JSON.stringify(one)), '{"n":', 'null'];
    const { lost, duplicated, foreign } = judge(records, lines);
    expect(lost).toEqual([record(1, 1, 0), record(3, 1, 1)]);
    expect(duplicated).toEqual([record(2, 0, 1)]);
    expect(foreign).toEqual(lines.slice(3));
  });

  it('takes a number that is twice in the topic for two records', () => {
    const twice = [record(5, 0, 0), record(5, 0, 1)];
    expect(
      judge(
        twice,
        twice.map((one) => JSON.stringify(one)),
      ),
    ).toEqual({ lost: [], duplicated: [], foreign: [] });
  });

  it('names the files that hold a record: by bucket, partition and offsets', () => {
    const file = (bucket: number, partition: number, first: number, last: number) =>
      `/lake/x/mod=${bucket}/kafka+numbers~${partition}+${String(first).padStart(16, '0')}+${String(last).padStart(16, '0')}.jsonl.gz`;
    const files = [file(0, 1, 0, 9), file(1, 1, 0, 4), file(1, 1, 3, 9), file(1, 0, 0, 9), file(1, 1, 6, 9)];
    expect(filesOf(record(4, 1, 4), files)).toEqual([files[1], files[2]]);
  });
});
