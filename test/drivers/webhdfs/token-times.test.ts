import { describe, expect, it } from '@jest/globals';
import { lastDateOf, timesOf } from '../../../src/drivers/webhdfs/token-times.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the times of a delegation token', () => {
  it('renews it after three quarters of what is left', () => {
    expect(timesOf(0, DAY, 7 * DAY, 0)).toEqual({ renewAt: 18 * HOUR, expiresAt: DAY, isLast: false });
  });

  it('replaces it at once when a renewal reaches its end, so that a new file has the last interval left', () => {
    const now = 6 * DAY;
    expect(timesOf(now, DAY, DAY, 0)).toEqual({ renewAt: now, expiresAt: 7 * DAY, isLast: true });
  });

  it('replaces one that cannot be renewed after half of its life, not at each use', () => {
    expect(timesOf(100, DAY, DAY, 0)).toMatchObject({ renewAt: 100 + (DAY - 100) / 2, isLast: true });
  });

  it('never renews after it expires', () => {
    for (const leftMs of [1, 1_000, DAY]) {
      for (const toEndMs of [leftMs, leftMs + 500, 7 * DAY]) {
        const { renewAt, expiresAt } = timesOf(5, leftMs, toEndMs, 0);
        expect(renewAt).toBeLessThanOrEqual(expiresAt);
      }
    }
  });
});

/** Hadoop's variable length, of 0 to 127, or of a positive number of eight bytes or fewer. */
function vlong(value: number): Buffer {
  if (value <= 127) return Buffer.from([value]);
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([256 - 112 - bytes.length]), bytes]);
}

function tokenUntil(maxDate: number): string {
  const text = (value: string) => Buffer.concat([vlong(value.length), Buffer.from(value)]);
  const names = [text('flume'), text('flume@RXFLUME.TEST'), text('')];
  const dates = [vlong(1_795_841_589_803), vlong(maxDate), vlong(4), vlong(300)];
  const identifier = Buffer.concat([Buffer.from([0]), ...names, ...dates]);
  return Buffer.concat([vlong(identifier.length), identifier, text('password'), text('HDFS')]).toString('base64url');
}

describe('the last date in a token', () => {
  it('is read', () => {
    expect(lastDateOf(tokenUntil(1_796_446_389_803))).toBe(1_796_446_389_803);
  });

  it('is null where the token has another form, however it is cut', () => {
    const whole = Buffer.from(tokenUntil(1_796_446_389_803), 'base64url');
    for (let length = 0; length < 45; length++)
      expect(lastDateOf(whole.subarray(0, length).toString('base64url'))).toBeNull();
    for (const other of ['', 'sEcReT-token', '____', 'AQID']) expect(lastDateOf(other)).toBeNull();
  });
});
