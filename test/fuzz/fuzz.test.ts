import { expect, it } from '@jest/globals';
import { DecodeError } from '../../src/core/errors.js';
import { fuzz, type Target } from './run.js';
import { TARGETS } from './targets.js';

it.each(TARGETS.map((target) => [target.name, target] as const))(
  '%s: a DecodeError or a value, whatever the bytes',
  async (_, target) => {
    const report = await fuzz(target, { seed: 7, inputs: 150, forMs: 5_000 });
    expect(report.inputs).toBeGreaterThan(20);
    expect(report.errors + report.values).toBe(report.inputs);
  },
);

it('would find a decoder that throws another error, changes a value, or rejects a valid one', async () => {
  const sound: Target = {
    name: 'sound',
    sample: (random) => random.bytes(9),
    decode: (bytes) => bytes.toString('hex'),
  };
  const limits = { seed: 1, inputs: 200, forMs: 5_000 };
  expect(await fuzz(sound, limits)).toMatchObject({ inputs: 200, errors: 0, values: 200 });
  const throws = (bytes: Buffer) => {
    if (bytes.length < 9) throw new RangeError('out of it');
  };
  await expect(fuzz({ ...sound, decode: throws }, limits)).rejects.toThrow('threw another error than a DecodeError');
  await expect(fuzz({ ...sound, encode: () => Buffer.from('other') }, limits)).rejects.toThrow(
    'that is another when it is encoded',
  );
  await expect(fuzz({ ...sound, problem: () => 'is odd' }, limits)).rejects.toThrow('is odd');
  const rejects = () => {
    throw new DecodeError('RXF_DECODE_SYNTAX', 'No.');
  };
  await expect(fuzz({ ...sound, decode: rejects }, limits)).rejects.toThrow('is valid, and was rejected');
});
