import { DecodeError } from '../../src/core/errors.js';
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

/** What listens for others: whatever they send is read, or rejected. */
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
    decode: (bytes) => {
      try {
        return valuesOf('flume', '', bytes, 100);
      } catch (error) {
        if (error instanceof BodyError) throw new DecodeError('RXF_DECODE_SHAPE', error.message);
        throw error;
      }
    },
  },
];

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}
