import { MAX_NAME_BYTES } from '../../ports/path-problem.js';
import { hashOf, shortened } from './shortened.js';

/** Where the sink keeps its own files, beside the buckets; readers such as Hive and Spark pass over names with `_`. */
export const OWN_FOLDER = '_rxflume';

/** What marks a stream's name that was cut: a `=` is otherwise followed by two hexadecimal digits. */
const CUT = '==';

/**
 * A stream's name as one path segment of at most `mostBytes`, and no two streams the same: `:` becomes `+`, `/` becomes `~`,
 * other characters than letters, digits, `.`, `_` and `-` become `=` and their UTF-8 bytes in hexadecimal. What is longer
 * then is cut, and ends in `==` and a hash of the whole.
 */
export function streamSegment(stream: string, mostBytes = MAX_NAME_BYTES): string {
  const pieces = [...stream].map((char) => {
    if (/[A-Za-z0-9._-]/.test(char)) return char;
    if (char === ':') return '+';
    if (char === '/') return '~';
    return [...Buffer.from(char)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return shortened(pieces, mostBytes, CUT);
}

/** As long as a path of the sink's own files below its root gets. */
export function longestOwnPath(root: string): string {
  return `${root}/${OWN_FOLDER}/quarantine/${'n'.repeat(MAX_NAME_BYTES)}/${offsetText(0)}/${'n'.repeat(40)}`;
}

/** The stream that a name made by `streamSegment` stands for; null where the name does not say, or is none. */
export function streamOfSegment(segment: string): string | null {
  try {
    const encoded = encodeURIComponent(segment).replaceAll('%3D', '%').replaceAll('%2B', ':').replaceAll('~', '/');
    const stream = decodeURIComponent(encoded);
    return streamSegment(stream) === segment ? stream : null;
  } catch {
    return null;
  }
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** An offset as text that sorts as the number does. */
export function offsetText(offset: number): string {
  return String(offset).padStart(16, '0');
}

/** The offset that a name made by `offsetText` stands for, or null. */
export function offsetOfText(name: string): number | null {
  const offset = /^\d{16}$/.test(name) ? Number(name) : Number.NaN;
  return Number.isSafeInteger(offset) ? offset : null;
}

/** Where a stream's temporary files are; below it a folder for each offset at which a commit is to begin. */
export function temporaryFolder(root: string, stream: string, from?: number): string {
  const folder = `${root}/${OWN_FOLDER}/tmp/${streamSegment(stream)}`;
  return from === undefined ? folder : `${folder}/${offsetText(from)}`;
}

/** Where a file is while it is written: `<root>/_rxflume/tmp/<stream>/<from>/<writer>-<number>`. */
export function temporaryPath(root: string, stream: string, from: number, writer: string, number: number): string {
  return `${temporaryFolder(root, stream, from)}/${writer}-${number}`;
}

/** Where the entries of a stream are. */
export function ledgerFolder(root: string, stream: string): string {
  return `${root}/${OWN_FOLDER}/ledger/${streamSegment(stream)}`;
}

/** Where the entry of the commit that begins there is: `<root>/_rxflume/ledger/<stream>/<from>`. */
export function ledgerPath(root: string, stream: string, from: number): string {
  return `${ledgerFolder(root, stream)}/${offsetText(from)}`;
}

/** What says that a stream was begun at 0, before anything of it is committed. */
export function beginningPath(root: string, stream: string): string {
  return `${ledgerFolder(root, stream)}/begun-at-0`;
}

/** Where files of a stream are kept that could not be made visible. */
export function quarantineFolder(root: string, stream: string): string {
  return `${root}/${OWN_FOLDER}/quarantine/${streamSegment(stream)}`;
}

/** Where a file is kept that cannot be made visible: under the name that it had while it was written. */
export function quarantinePath(root: string, stream: string, temporary: string): string {
  return `${quarantineFolder(root, stream)}/${nameOf(temporary)}`;
}

/** Where it is written why a file is in quarantine. */
export function reasonPath(quarantined: string): string {
  return `${quarantined}${REASON}`;
}

const REASON = '.json';

/** Whether a path in the quarantine is that of a reason. */
export function isReason(path: string): boolean {
  return path.endsWith(REASON);
}

/** What tells a file from all others. */
export interface FileId {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
  readonly writer: string;
  /** The segment's number, and the file's within it. */
  readonly number: number;
  readonly file: number;
}

/**
 * The name of a whole file, at most 255 bytes: `<stream>+<first>+<last>+<writer>-<number>-<file>.<extension>`. Writer and numbers
 * make it a name that no other file ever has, in whatever folder: offsets alone may be redelivered with other content (a topic
 * made anew), and what are two buckets to `path` may be one folder to the disk.
 */
export function finalName({ stream, first, last, writer, number, file }: FileId, extension: string): string {
  const end = extension === '' ? '' : `.${extension}`;
  const rest = `+${offsetText(first)}+${offsetText(last)}+${writer}-${number}-${file}${end}`;
  return `${streamSegment(stream, MAX_NAME_BYTES - Buffer.byteLength(rest))}${rest}`;
}

/** Whether a file's name says that it is of the stream, whole or cut. */
export function isNameOf(stream: string, name: string): boolean {
  const whole = streamSegment(stream, Number.MAX_SAFE_INTEGER);
  if (name.startsWith(`${whole}+`)) return true;
  const at = name.indexOf(`${CUT}${hashOf(whole)}+`);
  return at >= 0 && whole.startsWith(name.slice(0, at));
}

/** Where a whole file is: `<root>/<bucket>/<name>`. */
export function finalPath(root: string, bucket: string, name: string): string {
  return bucket === '' ? `${root}/${name}` : `${root}/${bucket}/${name}`;
}
