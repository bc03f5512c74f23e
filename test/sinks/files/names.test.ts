import { describe, expect, it } from '@jest/globals';
import * as names from '../../../src/sinks/files/names.js';

const STREAM = 'kafka:chat/3';

describe('names in the lake', () => {
  it('make any stream one segment', () => {
    expect(names.streamSegment(STREAM)).toBe('kafka+chat~3');
    expect(names.streamSegment('A-z_0.9')).toBe('A-z_0.9');
    expect(names.streamSegment('a b+c~d=é\n🎉')).toBe('a=20b=2bc=7ed=3d=c3=a9=0a=f0=9f=8e=89');
  });

  it('have offsets that sort as numbers do, and are read back', () => {
    expect([names.offsetText(0), names.offsetText(1_200)]).toEqual(['0000000000000000', '0000000000001200']);
    expect(names.offsetOfText('0000000000001200')).toBe(1_200);
    expect(names.offsetOfText(names.offsetText(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
    for (const wrong of ['', '1200', '00000000000012000', 'x000000000001200', '000000000000120x', '9999999999999999']) {
      expect([wrong, names.offsetOfText(wrong)]).toEqual([wrong, null]);
    }
  });

  it('stand where the documents say', () => {
    expect(names.temporaryFolder('/lake', STREAM)).toBe('/lake/_rxflume/tmp/kafka+chat~3');
    expect(names.temporaryFolder('/lake', STREAM, 0)).toBe('/lake/_rxflume/tmp/kafka+chat~3/0000000000000000');
    expect(names.temporaryPath('/lake', STREAM, 1_200, 'k3x9q2ab-0', 2)).toBe(
      '/lake/_rxflume/tmp/kafka+chat~3/0000000000001200/k3x9q2ab-0-2',
    );
    expect(names.ledgerPath('/lake', STREAM, 1_200)).toBe('/lake/_rxflume/ledger/kafka+chat~3/0000000000001200');
    const file = { stream: STREAM, first: 1_200, last: 5_311, writer: 'k3x9q2ab', number: 0, extension: 'jsonl.gz' };
    const name = 'kafka+chat~3+0000000000001200+0000000000005311+k3x9q2ab-0.jsonl.gz';
    expect(names.finalPath('/lake', 'dt=2026-03-02/lang=zh', file)).toBe(`/lake/dt=2026-03-02/lang=zh/${name}`);
    expect(names.finalPath('/lake', '', file)).toBe(`/lake/${name}`);
  });
});
