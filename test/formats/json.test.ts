import { describe, expect, it } from '@jest/globals';
import * as t from 'io-ts';
import { z } from 'zod';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { json } from '../../src/formats/json.js';

function refusal(read: () => unknown): { code: string; message: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  return { code: '', message: '' };
}

describe('json', () => {
  it('reads bytes and text, in UTF-8', () => {
    const value = { a: ['é😀', 1, null] };
    const bytes = Buffer.from(`xx${JSON.stringify(value)}`);
    expect(json()(JSON.stringify(value))).toEqual(value);
    expect(json()(bytes.subarray(2))).toEqual(value);
    expect(json()(new Uint8Array(bytes).subarray(2))).toEqual(value);
    expect(json()('null')).toBe(null);
  });

  it.each([[null], [undefined], [''], [Buffer.alloc(0)]])('refuses %p as no value', (value) => {
    expect(refusal(() => json()(value as null))).toMatchObject({ code: 'RXF_DECODE_EMPTY' });
  });

  it.each(['{', 'undefined', '{"a":1}}', '\ufeff{}', ' '])('refuses %j as no JSON, and shows its start', (value) => {
    const { code, message } = refusal(() => json()(value));
    expect(code).toBe('RXF_DECODE_SYNTAX');
    expect(message).toContain(`it starts with ${JSON.stringify(value)}.`);
  });

  it('shows no more than the start of what is long, on one line, and keeps the cause', () => {
    const error = refusal(() => json()(`[1,\n${'x'.repeat(5_000)}`)) as DecodeError;
    expect(error.message.length).toBeLessThan(250);
    expect(error.message).not.toContain('\n');
    expect(error.cause).toMatchObject({ name: 'SyntaxError' });
    expect(error.details).toEqual({ length: 5_004 });
  });

  it('reads by a schema of any of the three forms', () => {
    const schemas = [
      t.type({ n: t.number }),
      z.object({ n: z.number() }),
      (value: unknown) => {
        if (typeof (value as { n: unknown }).n !== 'number')
          throw new DecodeError('RXF_DECODE_SHAPE', '`n` is no number.');
        return value as { n: number };
      },
    ];
    for (const schema of schemas) {
      const read = json<{ n: number }>(schema as z.ZodType<{ n: number }>);
      expect(read('{"n":1}')).toEqual({ n: 1 });
      expect(refusal(() => read('{"n":"x"}'))).toMatchObject({ code: 'RXF_DECODE_SHAPE' });
      expect(refusal(() => read('{'))).toMatchObject({ code: 'RXF_DECODE_SYNTAX' });
    }
  });

  it('refuses at the call a schema that is none', () => {
    expect(() => json({} as never)).toThrow(OptionError);
    expect(() => json(null as never)).toThrow('Expected `decoder` to be a function');
  });
});
