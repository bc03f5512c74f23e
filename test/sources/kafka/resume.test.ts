import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { ConnectError, SourceError } from '../../../src/core/errors.js';
import type { OffsetStore } from '../../../src/offsets/offset-store.js';
import { withRecoveryHint } from '../../../src/sources/kafka/resume.js';

const answer: OffsetStore = () => of(new Map());
const lost = (details: Record<string, unknown>) => new SourceError('RXF_KAFKA_DATA_LOST', 'Gone.', { details });
const retention = lost({ topic: 'chat', partition: 3, expected: 7, available: { first: 40, next: 90 } });
const shorter = lost({ topic: 'chat', partition: 3, expected: 99, available: { first: 40, next: 90 } });
const recreated = lost({ topic: 'chat', before: 'a', id: 'b' });
const embedded = lost({ stream: 'kafka:chat/3', offset: 9, next: 4 });

function hint(error: Error, resumeFrom?: OffsetStore): string {
  return (withRecoveryHint(error, { resumeFrom, groupId: 'g' }) as Error).message;
}

describe('what can be done where a log no longer holds a position', () => {
  it.each([
    ['chat:3', retention],
    ['chat:3', shorter],
    ['chat', recreated],
  ])('without a ledger the offsets of the group are reset: --topic %s', (where, error) => {
    const command = `--group g --topic ${where} --reset-offsets --to-earliest --execute.`;
    expect(hint(error)).toContain(command);
    // The sink's offsets are the group's.
    expect(
      hint(
        error,
        Object.assign(() => answer([]), { commit: () => [] }),
      ),
    ).toContain(command);
  });

  it('a function of their own is to be changed', () => {
    expect(hint(retention, answer)).toBe('Gone. `resumeFrom` supplied the offset: change it there.');
  });

  it.each([
    ['retention', retention, 'Gone. kafka:chat/3 from 40.'],
    ['a log that ends before the position', shorter, 'Gone. kafka:chat/3 from undefined.'],
    ['a topic that was created again', recreated, 'Gone. kafka:chat/0 from undefined.'],
    ['an embedded log', embedded, 'Gone. kafka:chat/3 from undefined.'],
  ])('the ledger is asked for %s, and no group is named', (_, error, message) => {
    const recoveryHint = (stream: string, first?: number) => `${stream} from ${first}`;
    expect(
      hint(
        error,
        Object.assign(() => answer([]), { recoveryHint }),
      ),
    ).toBe(message);
  });

  it('keeps the code and the details, and leaves other errors alone', () => {
    const other = new ConnectError('RXF_KAFKA_LOST', 'cut');
    expect(withRecoveryHint(other, { resumeFrom: undefined, groupId: 'g' })).toBe(other);
    expect(withRecoveryHint(embedded, { resumeFrom: undefined, groupId: 'g' })).toBe(embedded);
    expect(withRecoveryHint(retention, { resumeFrom: undefined, groupId: 'g' })).toMatchObject({
      code: 'RXF_KAFKA_DATA_LOST',
      details: retention.details,
      cause: retention,
    });
  });
});
