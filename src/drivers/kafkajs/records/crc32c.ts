/** Source: RFC 3720, B.4, the polynomial of Castagnoli, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** Four tables, so that four bytes are taken at a time. */
const TABLES = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  TABLES[byte] = crc;
}
for (let at = 256; at < TABLES.length; at += 1) {
  const before = TABLES[at - 256] as number;
  TABLES[at] = (before >>> 8) ^ (TABLES[before & 0xff] as number);
}

/** The CRC-32C of these bytes, as Kafka has it over a batch of records from its attributes on. */
export function crc32c(bytes: Buffer): number {
  const whole = bytes.length & ~3;
  let crc = -1;
  let at = 0;
  for (; at < whole; at += 4) {
    // `readInt32LE` checks its bounds each time, which doubles the cost.
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (TABLES[768 + (crc & 0xff)] as number) ^
      (TABLES[512 + ((crc >>> 8) & 0xff)] as number) ^
      (TABLES[256 + ((crc >>> 16) & 0xff)] as number) ^
      (TABLES[crc >>> 24] as number);
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ (TABLES[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
