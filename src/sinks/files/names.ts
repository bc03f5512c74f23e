/** Where the sink keeps its own files, beside the buckets; readers such as Hive and Spark pass over names with `_`. */
export const OWN_FOLDER = '_rxflume';

/**
 * A stream's name as one path segment, and no two streams the same: `:` becomes `+`, `/` becomes `~`, other characters
 * than letters, digits, `.`, `_` and `-` become `=` and their UTF-8 bytes in hexadecimal.
 */
export function streamSegment(stream: string): string {
  return stream.replace(/[^A-Za-z0-9._-]/gu, (char) => {
    if (char === ':') return '+';
    if (char === '/') return '~';
    return [...Buffer.from(char)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join('');
  });
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

/** Where the entries of a stream stand. */
export function ledgerFolder(root: string, stream: string): string {
  return `${root}/${OWN_FOLDER}/ledger/${streamSegment(stream)}`;
}

/** Where the entry of the commit that begins there stands: `<root>/_rxflume/ledger/<stream>/<from>`. */
export function ledgerPath(root: string, stream: string, from: number): string {
  return `${ledgerFolder(root, stream)}/${offsetText(from)}`;
}

/**
 * Where a whole file stands: `<root>/<bucket>/<stream>+<first>+<last>+<writer>-<number>.<extension>`. The writer makes it a
 * name that no other file ever has: offsets alone may come again with other content (a topic made anew).
 */
export function finalPath(
  root: string,
  bucket: string,
  file: { stream: string; first: number; last: number; writer: string; number: number; extension: string },
): string {
  const { stream, first, last, writer, number, extension } = file;
  const name = `${streamSegment(stream)}+${offsetText(first)}+${offsetText(last)}+${writer}-${number}.${extension}`;
  return bucket === '' ? `${root}/${name}` : `${root}/${bucket}/${name}`;
}
