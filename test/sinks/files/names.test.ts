import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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

  it('are where the documents say', () => {
    expect(names.temporaryFolder('/lake', STREAM)).toBe('/lake/_rxflume/tmp/kafka+chat~3');
    expect(names.temporaryFolder('/lake', STREAM, 0)).toBe('/lake/_rxflume/tmp/kafka+chat~3/0000000000000000');
    expect(names.temporaryPath('/lake', STREAM, 1_200, 'k3x9q2ab-0', 2)).toBe(
      '/lake/_rxflume/tmp/kafka+chat~3/0000000000001200/k3x9q2ab-0-2',
    );
    expect(names.ledgerPath('/lake', STREAM, 1_200)).toBe('/lake/_rxflume/ledger/kafka+chat~3/0000000000001200');
    const file = { stream: STREAM, first: 1_200, last: 5_311, writer: 'k3x9q2ab', number: 0, file: 2 };
    const name = 'kafka+chat~3+0000000000001200+0000000000005311+k3x9q2ab-0-2.jsonl.gz';
    expect(names.finalName(file, 'jsonl.gz')).toBe(name);
    expect(names.finalName(file, '')).toBe(name.slice(0, -'.jsonl.gz'.length));
    expect(names.finalPath('/lake', 'dt=2026-03-02/lang=zh', name)).toBe(`/lake/dt=2026-03-02/lang=zh/${name}`);
    expect(names.finalPath('/lake', '', name)).toBe(`/lake/${name}`);
    const temporary = names.temporaryPath('/lake', STREAM, 1_200, 'k3x9q2ab-0', 2);
    expect(names.quarantinePath('/lake', STREAM, temporary)).toBe(
      '/lake/_rxflume/quarantine/kafka+chat~3/k3x9q2ab-0-2',
    );
  });

  it.each([
    ['a Kafka topic of 249 characters', `kafka:${'t'.repeat(249)}/0`, 255 + 2],
    ['33 Cyrillic characters', `amqp:${'Ж'.repeat(33)}`, 203],
    ['22 Chinese characters', `amqp:${'语'.repeat(22)}`, 203],
    ['66 spaces', `amqp:${' '.repeat(66)}`, 203],
    ['255 Chinese characters', `amqp:${'语'.repeat(85)}`, 770],
  ])('fit into 255 bytes, of %s', (_, stream, whole) => {
    expect(names.streamSegment(stream, 10_000)).toHaveLength(whole);
    for (const extension of ['', 'jsonl', 'jsonl.gz', 'x'.repeat(64)]) {
      for (const number of [0, Number.MAX_SAFE_INTEGER]) {
        const id = { stream, first: 0, last: Number.MAX_SAFE_INTEGER, writer: 'k3x9q2ab', number, file: 9_999 };
        const name = names.finalName(id, extension);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(names.isNameOf(stream, name)).toBe(true);
        expect(names.isNameOf(`${stream}x`, name)).toBe(false);
        expect(names.isNameOf(stream.slice(0, -1), name)).toBe(false);
      }
    }
    expect(Buffer.byteLength(names.streamSegment(stream))).toBeLessThanOrEqual(255);
  });

  it('are cut so that no two streams have the same, and no character is cut in two', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '=', 'Ж', '🎉', ':', '+', '~'), minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(texts, texts, fc.integer({ min: 40, max: 255 }), (one, other, most) => {
        const [a, b] = [names.streamSegment(one, most), names.streamSegment(other, most)];
        expect(a.length).toBeLessThanOrEqual(most);
        expect(a === b).toBe(one === other);
        if (!a.includes('==')) expect(names.streamOfSegment(a)).toBe(one);
        expect(a.replace(/=[0-9a-f]{2}|==[0-9a-f]{32}$/g, '')).toMatch(/^[A-Za-z0-9._+~-]*$/);
      }),
      { numRuns: 500 },
    );
  });
});
