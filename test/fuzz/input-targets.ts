import { DecodeError } from '../../src/core/errors.js';
import { Bunzip2, Bzip2Fault } from '../../src/formats/inflate/bunzip2.js';
import { BodyError, valuesOf } from '../../src/sources/http/request-body.js';
import { LengthFramer } from '../../src/sources/listening/frames.js';
import { parseSyslog } from '../../src/sources/syslog/parse-syslog.js';
import { RelpFrames, relpFrame } from '../../src/sources/syslog/relp-frames.js';
import { syslogFramer } from '../../src/sources/syslog/syslog-framer.js';
import type { Random } from './random.js';
import type { Target } from './run.js';

const MAX_BYTES = 1_000;
const NOW = Date.UTC(2026, 10, 27);

function message(random: Random): string {
  const data = random.chance(2) ? '-' : `[a@1 b="${random.text().replaceAll(/["\\\]]/g, '\\$&')}"]`;
  const text = random.text();
  return random.chance(2)
    ? `<${random.below(192)}>1 2026-11-27T10:00:00.123Z host app ${random.below(9_999)} - ${data} ${text}`
    : `<${random.below(192)}>Nov 27 10:00:00 host app[${random.below(9_999)}]: ${text}`;
}

/** All frames of some bytes; those of no framing are what a decoder may say of them. */
function framesOf<F>(framer: { push(chunk: Uint8Array): void; next(): F | undefined }, bytes: Uint8Array): F[] {
  const frames: F[] = [];
  framer.push(bytes);
  try {
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) frames.push(frame);
  } catch (error) {
    if (error instanceof Error && /frame/.test(error.message))
      throw new DecodeError('RXF_DECODE_SYNTAX', error.message);
    throw error;
  }
  return frames;
}

/** Of Python's `bz2`: nothing, a letter, a text that repeats, each byte, 300,000 zeros, letters at random. */
const BZIP2 = [
  'QlpoMRdyRThQkAAAAAA=',
  'QlpoMTFBWSZTWRmTm2sAAAABACAAIAAhGEaC7kinChIDMnNtYA==',
  'QlpoMTFBWSZTWcTFkhwAAHeRgEAAAwYSQCAAMQwIClRPUepwTBNEwTRPRPhNE/F3JFOFCQxMWSHA',
  'QlpoMTFBWSZTWba17pUAAAB/////////////////////////////////////////////sADFUgAAAAAAAAAAAAAAAAAAAAABMAmAAAAAAAAAAAAAAEwABMAEmAAmAAJgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAkwAEwABMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPwCAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4SFhoeIiYqLjI2Oj5CRkpWWl5iZmpucnZ6foKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr/AwcLDxMXGxcbHyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9F3JFOFCQtrXulQ=',
  'QlpoMTFBWSZTWd9HTW8AAkxAgMAABAAACCAAMMwFKaYURsRRHi7kinChIb6Omt4=',
  'QlpoMTFBWSZTWcD4RwkAAIlBAGAQOAAwANqoNT8VAYAJU/JKOwHE/Ww42ZGmtIZco4l1RKyYIYJLNM+694B69PbiI4qQqXEuNUtbOfTeVFDULp0No5VJGJMaWtFNEazSuyorW8mCG22E2MI0KMRp645edidFaijei/F3JFOFCQwPhHCQ',
].map((text) => Buffer.from(text, 'base64'));

function bunzip2(bytes: Buffer): Buffer {
  const inflater = new Bunzip2();
  const blocks: Buffer[] = [];
  try {
    inflater.push(bytes);
    for (let block = inflater.next(); block !== undefined; block = inflater.next()) blocks.push(block);
    inflater.end();
  } catch (error) {
    if (error instanceof Bzip2Fault) throw new DecodeError('RXF_DECODE_SYNTAX', error.message);
    throw error;
  }
  return Buffer.concat(blocks);
}

function httpBody(kind: 'flume' | 'json', type: string, bytes: Buffer) {
  try {
    return valuesOf(kind, type, bytes, 100);
  } catch (error) {
    if (error instanceof BodyError) throw new DecodeError('RXF_DECODE_SHAPE', error.message);
    throw error;
  }
}

/** What listens for others, or reads files of others: whatever they have is read, or rejected. */
export const INPUT_TARGETS: readonly Target[] = [
  {
    name: 'syslog',
    sample: (random) => Buffer.from(message(random)),
    decode: (bytes) => parseSyslog({ bytes, isCut: false }, NOW),
  },
  {
    name: 'syslog-frames',
    sample: (random) => Buffer.concat(random.list(4, () => Buffer.from(message(random))).map(counted)),
    decode: (bytes) => framesOf(syslogFramer('auto', MAX_BYTES), bytes),
  },
  {
    name: 'relp',
    sample: (random) =>
      Buffer.concat(random.list(4, () => relpFrame(random.below(1e9), 'syslog', 'a'.repeat(random.below(40))))),
    decode: (bytes) => framesOf(new RelpFrames(MAX_BYTES), bytes),
  },
  {
    name: 'length-prefixed',
    sample: (random) => Buffer.concat([Buffer.of(0, 0, 0, 3), random.bytes(3)]),
    decode: (bytes) => framesOf(new LengthFramer(MAX_BYTES), bytes),
  },
  {
    name: 'http-body',
    sample: (random) =>
      Buffer.from(JSON.stringify(random.list(4, () => ({ headers: { a: random.text() }, body: random.text() })))),
    decode: (bytes) => httpBody('flume', '', bytes),
  },
  {
    name: 'http-lines',
    sample: (random) => Buffer.from(random.list(4, () => JSON.stringify({ a: random.text() })).join('\n')),
    decode: (bytes) => httpBody('json', 'application/x-ndjson', bytes),
  },
  {
    name: 'bzip2',
    sample: (random) => Buffer.concat([random.pick(BZIP2), ...random.list(2, () => random.pick(BZIP2))]),
    decode: bunzip2,
  },
];

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}
