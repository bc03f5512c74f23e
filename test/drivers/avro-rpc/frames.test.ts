import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Frame, FrameFault, FrameReader, frameOf } from '../../../src/drivers/avro-rpc/frames.js';
import { leastCpuMs } from '../../support/cpu-time.js';

const int32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeInt32BE(value, at * 4);
  return bytes;
};

const wireOf = (serial: number, buffers: readonly Buffer[]) =>
  Buffer.concat([int32(serial, buffers.length), ...buffers.flatMap((one) => [int32(one.length), one])]);

/** All frames in pieces of a wire, and the most memory held between two pieces. */
function read(pieces: readonly Buffer[], maxBytes = 1_000_000) {
  const reader = new FrameReader(maxBytes);
  const frames: Frame[] = [];
  let mostHeld = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const { next, frame } = reader.read(piece, at);
      at = next;
      if (frame !== undefined) frames.push(frame);
    }
    mostHeld = Math.max(mostHeld, reader.heldBytes);
  }
  return { frames, mostHeld, isInside: reader.isInside };
}

describe('FrameReader', () => {
  it('finds every frame, however its buffers and the pieces of the wire are cut', () => {
    const buffers = fc.array(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 5 },
    );
    const frames = fc.array(fc.tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), buffers), { maxLength: 6 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat(60), { maxLength: 30 }), (sent, cuts) => {
        const wire = Buffer.concat(sent.map(([serial, parts]) => wireOf(serial, parts)));
        const pieces: Buffer[] = [];
        let from = 0;
        for (const cut of cuts) {
          pieces.push(wire.subarray(from, from + cut));
          from = Math.min(wire.length, from + cut);
        }
        pieces.push(wire.subarray(from));
        const got = read(pieces);
        expect(got.frames.map(({ serial, payload }) => [serial, payload.toString('hex')])).toEqual(
          sent.map(([serial, parts]) => [serial, Buffer.concat(parts).toString('hex')]),
        );
        expect(got.isInside).toBe(false);
      }),
    );
  });

  it('reads what frameOf writes, whatever the hint', () => {
    for (const hint of [0, 3, 1_000]) {
      const frame = frameOf(7, hint, (writer) => writer.fixed(Buffer.from('payload')));
      expect(read([frame]).frames).toEqual([{ serial: 7, payload: Buffer.from('payload') }]);
    }
  });

  it.each([
    ['one buffer of 2 GiB', [int32(1, 1, 2 ** 31 - 1)]],
    ['buffers without end', [int32(1, 2 ** 31 - 1)]],
    ['buffers that are too much together', [int32(1, 2, 600_000), Buffer.alloc(600_000), int32(600_000)]],
    ['a negative count', [int32(1, -1)]],
    ['a negative length', [int32(1, 1, -5)]],
    ['an HTTP request', [Buffer.from('GET / HTTP/1.1\r\nHost: agent\r\n\r\n')]],
  ])('rejects %s as soon as its lengths are there', (_, pieces) => {
    expect(() => read(pieces)).toThrow(FrameFault);
  });

  it('takes no memory for what was only announced', () => {
    const { mostHeld, isInside } = read([int32(1, 1, 900_000), Buffer.alloc(10)]);
    expect(isInside).toBe(true);
    expect(mostHeld).toBeLessThanOrEqual(65_536);
  });

  it('holds at most twice what has come of a frame', () => {
    const pieces = Array.from({ length: 200 }, () => Buffer.alloc(4_096));
    const { mostHeld } = read([int32(1, 1, 900_000), ...pieces]);
    expect(mostHeld).toBeLessThanOrEqual(900_000);
  });

  it('joins a frame of 16 MiB in small pieces in well under a second', async () => {
    const wire = wireOf(1, [Buffer.alloc(2 ** 24)]);
    const pieces = Array.from({ length: Math.ceil(wire.length / 4_096) }, (_, at) =>
      wire.subarray(at * 4_096, at * 4_096 + 4_096),
    );
    const join = () => expect(read(pieces, 2 ** 25).frames).toHaveLength(1);
    expect(await leastCpuMs(500, join)).toBeLessThan(500);
  });
});
