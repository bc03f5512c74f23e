import { describeValue, SinkError } from '../../../core/errors.js';
import { isWellFormed } from '../../../core/text.js';
import { MAX_NAME_BYTES } from '../../../ports/path-problem.js';
import { shortened } from '../shortened.js';

const MAX_BUCKET_BYTES = 2_048;
/** Control characters; and `:` and `\`, which HDFS rejects or other readers take for a separator. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE_IN_BUCKET = /[\u0000-\u001f\u007f:\\]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE_IN_PATH = /[\u0000-\u001f\u007f\\]/;

/**
 * Checks a bucket: the folder under the sink's root that a value belongs to, `/`-separated, the empty text for the root
 * itself. Values decide buckets, so they come from outside: nothing may leave the root, nor touch `_rxflume`.
 *
 * Fails: `SinkError` (`RXF_SINK_BUCKET`) that says what is wrong.
 */
export function checkBucket(bucket: unknown): asserts bucket is string {
  if (typeof bucket !== 'string') throw bucketError(bucket, `it is not a text but ${describeValue(bucket)}`);
  if (bucket === '') return;
  if (Buffer.byteLength(bucket) > MAX_BUCKET_BYTES)
    throw bucketError(bucket, `it is longer than ${MAX_BUCKET_BYTES} bytes`);
  if (UNSAFE_IN_BUCKET.test(bucket)) throw bucketError(bucket, 'it has a control character, a `:` or a `\\`');
  if (!isWellFormed(bucket)) throw bucketError(bucket, 'it has an unpaired surrogate');
  const problem = harmOf(bucket);
  if (problem !== null) throw bucketError(bucket, problem);
  if (bucket.split('/').some((segment) => Buffer.byteLength(segment) > MAX_NAME_BYTES))
    throw bucketError(bucket, `a segment is longer than ${MAX_NAME_BYTES} bytes`);
}

/**
 * Why a path below the root could do harm, null where it could not: it leaves the root, or touches what is the sink's own. What
 * is in the ledger is held to this alone: a path that no store can hold must not keep the stream from going on.
 */
export function harmOf(path: string): string | null {
  if (UNSAFE_IN_PATH.test(path)) return 'it has a control character or a `\\`';
  for (const segment of path.split('/')) {
    if (segment === '') return 'it has an empty segment, or starts or ends with `/`';
    if (segment === '.' || segment === '..') return `it has a segment \`${segment}\``;
    if (segment.startsWith('_rxflume')) return '`_rxflume` is where the sink keeps its own files';
  }
  return null;
}

/** The most bytes of a segment made here: it leaves room for a prefix such as `lang=`. */
const MAX_SEGMENT_BYTES = 200;
/** What marks a segment that was cut: a `%` is otherwise followed by two hexadecimal digits. */
const CUT = '%~';

/**
 * A text that is safe as one segment of a bucket, whatever it is, and no two texts the same: what a bucket must not hold, `/` and `%`
 * are percent-encoded, so is a leading `.` or `_`, which Hadoop's readers pass over; the empty text is `%00`. What has more
 * than 200 bytes then is cut, and ends in `%~` and a hash of the whole.
 *
 * ```ts
 * import { bucketSegment } from 'rxflume';
 *
 * bucketSegment('a/b'); // → 'a%2Fb'
 * bucketSegment('_hidden'); // → '%5Fhidden'
 * ```
 */
export function bucketSegment(value: string): string {
  if (value === '') return '%00';
  const pieces = [...value].map((char, at) => {
    const isHiding = at === 0 && (char === '.' || char === '_');
    return isHiding || UNSAFE_IN_BUCKET.test(char) || char === '/' || char === '%' || !isWellFormed(char)
      ? percent(char)
      : char;
  });
  return shortened(pieces, MAX_SEGMENT_BYTES, CUT);
}

/** The bytes of a character in hexadecimal; an unpaired surrogate as if it had a form of three bytes. */
function percent(char: string): string {
  const code = char.charCodeAt(0);
  const bytes = code < 0x80 ? [code] : [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
  return bytes.map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

/** Why a bucket is not safe; nacks the value that it was made from. */
export function bucketError(bucket: unknown, why: string, cause?: unknown): SinkError {
  return new SinkError(
    'RXF_SINK_BUCKET',
    `The bucket ${describeValue(bucket)} is not valid: ${why}. Make \`path\` give safe segments, such as with bucketSegment(value).`,
    {
      details: { bucket: typeof bucket === 'string' ? bucket.slice(0, 200) : describeValue(bucket) },
      ...(cause !== undefined && { cause }),
    },
  );
}
