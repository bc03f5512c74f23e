import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';

/**
 * So many whole numbers of `width` bits, in runs between two bytes. hyparquet believes the length of each run, which a damaged byte makes as
 * long as memory, so the lengths are added up before.
 *
 * Source: Apache Parquet format 2.11, "Run Length Encoding / Bit-Packing Hybrid".
 */
export function readRuns(bytes: Uint8Array, from: number, end: number, width: number, count: number): number[] {
  if (width > 32) throw new Error(`numbers of ${width} bits`);
  const lastByte = checkRuns(bytes, from, end, width, count);
  const out = new Array<number>(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, lastByte);
  readRleBitPackedHybrid({ view, offset: from }, width, out, end - from);
  return out;
}

/** Where the runs end that hold so many numbers. */
function checkRuns(bytes: Uint8Array, from: number, end: number, width: number, count: number): number {
  if (from > end || end > bytes.length) throw new Error('its runs end behind the page');
  const cut = () => new Error('a run is longer than its page');
  let at = from;
  for (let left = count; left > 0; ) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || at > end || shift > 28) throw cut();
      header += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const isPacked = header % 2 === 1;
    const length = Math.floor(header / 2);
    const values = isPacked ? length * 8 : length;
    if (length === 0 || values > left + (isPacked ? 7 : 0)) throw new Error('a run has more values than its page');
    at += isPacked ? length * width : (width + 7) >> 3;
    if (at > end) throw cut();
    left -= values;
  }
  return at;
}
