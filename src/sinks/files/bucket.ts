import { describeValue, SinkError } from '../../core/errors.js';

/** The most bytes of a path segment that HDFS and local file systems take. */
const MOST_SEGMENT_BYTES = 255;
const MOST_BUCKET_BYTES = 2_048;
/** Control characters; and `:` and `\`, which HDFS refuses or other readers take for a separator. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const REFUSED = /[\u0000-\u001f\u007f:\\]/;

/**
 * Checks a bucket: the folder under the sink's root that a value belongs to, `/`-separated, the empty text for the root
 * itself. Values decide buckets, so they come from outside: nothing may leave the root, nor touch `_rxflume`.
 *
 * Fails: `SinkError` (`RXF_SINK_BUCKET`) that says what is wrong.
 */
export function checkBucket(bucket: unknown): asserts bucket is string {
  if (typeof bucket !== 'string') throw bucketError(bucket, `it is not a text but ${describeValue(bucket)}`);
  if (bucket === '') return;
  if (Buffer.byteLength(bucket) > MOST_BUCKET_BYTES)
    throw bucketError(bucket, `it is longer than ${MOST_BUCKET_BYTES} bytes`);
  if (REFUSED.test(bucket)) throw bucketError(bucket, 'it has a control character, a `:` or a `\\`');
  for (const segment of bucket.split('/')) {
    if (segment === '') throw bucketError(bucket, 'it has an empty segment, or starts or ends with `/`');
    if (segment === '.' || segment === '..') throw bucketError(bucket, `it has a segment \`${segment}\``);
    if (segment.startsWith('_rxflume')) throw bucketError(bucket, '`_rxflume` is where the sink keeps its own files');
    if (Buffer.byteLength(segment) > MOST_SEGMENT_BYTES)
      throw bucketError(bucket, `a segment is longer than ${MOST_SEGMENT_BYTES} bytes`);
  }
}

/** A text that is safe as one segment of a bucket: what is refused, `/` and `%` are percent-encoded, the empty text is `%00`. */
export function bucketSegment(value: string): string {
  if (value === '') return '%00';
  const encoded = [...value].map((char) => (REFUSED.test(char) || char === '/' || char === '%' ? percent(char) : char));
  const isReserved = value === '.' || value === '..' || value.startsWith('_');
  return isReserved ? percent(value.charAt(0)) + encoded.slice(1).join('') : encoded.join('');
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;
}

function bucketError(bucket: unknown, why: string): SinkError {
  return new SinkError(
    'RXF_SINK_BUCKET',
    `The bucket ${describeValue(bucket)} is refused: ${why}. Make \`path\` give safe segments, such as with bucketSegment(value).`,
    { details: { bucket: typeof bucket === 'string' ? bucket.slice(0, 200) : describeValue(bucket) } },
  );
}
