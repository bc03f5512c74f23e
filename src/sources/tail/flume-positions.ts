import { ConnectError, describeError } from '../../core/errors.js';
import type { LocalFileStats } from '../../ports/local-files.js';

/** How far the TAILDIR source of Flume was in a file. */
export interface FlumePosition {
  readonly inode: string;
  /** The next byte to read. */
  readonly pos: number;
  /** Where the file was. */
  readonly file: string;
}

/** What is kept of Flume's positions in the own position file, until each is used or set aside. */
export interface KeptImports {
  /** When Flume last wrote its file, in nanoseconds since 1970. */
  readonly writtenNs: string;
  readonly positions: readonly FlumePosition[];
}

/** Reads Flume's position file. Throws `RXF_TAIL_DAMAGED`. */
export function flumePositionsOf(bytes: Uint8Array | null, path: string): readonly FlumePosition[] {
  try {
    if (bytes === null) throw new Error('there is no such file');
    // An inode may be beyond what a number holds exactly.
    const text = Buffer.from(bytes)
      .toString()
      .replace(/"inode"\s*:\s*(-?\d+)/g, (_, digits: string) => `"inode":"${BigInt.asUintN(64, BigInt(digits))}"`);
    const read: unknown = JSON.parse(text);
    if (!Array.isArray(read)) throw new Error('it is no list');
    const odd = read.findIndex((one) => !isPosition(one));
    if (odd >= 0) throw new Error(`entry ${odd + 1} has no \`inode\`, \`pos\` and \`file\``);
    return read;
  } catch (cause) {
    throw new ConnectError(
      'RXF_TAIL_DAMAGED',
      `The positions of Flume in ${path} (\`importPositions\`) cannot be used: ${describeError(cause)}. Nothing was read. Give the ` +
        '`positionFile` of the stopped TAILDIR source; to read all files as `startAt` says, leave `importPositions` out.',
      { cause, details: { path } },
    );
  }
}

function isPosition(one: unknown): one is FlumePosition {
  const { inode, pos, file } = (one ?? {}) as Partial<FlumePosition>;
  return typeof inode === 'string' && typeof file === 'string' && Number.isSafeInteger(pos) && Number(pos) >= 0;
}

/**
 * The positions of Flume that are not used yet, by inode.
 *
 * Bounds: as many as Flume's file has.
 */
export class FlumePositions {
  readonly #writtenNs: bigint;
  readonly #byInode: Map<string, FlumePosition>;

  constructor({ writtenNs, positions }: KeptImports = { writtenNs: '0', positions: [] }) {
    this.#writtenNs = BigInt(writtenNs);
    this.#byInode = new Map(positions.map((position) => [position.inode, position]));
  }

  /** Undefined where all are used. */
  get kept(): KeptImports | undefined {
    if (this.#byInode.size === 0) return undefined;
    return { writtenNs: String(this.#writtenNs), positions: [...this.#byInode.values()] };
  }

  of({ ino }: LocalFileStats): FlumePosition | undefined {
    return this.#byInode.get(String(ino));
  }

  used({ inode }: FlumePosition): void {
    this.#byInode.delete(inode);
  }

  /** Sets those aside whose inode no file has, and whose path is not hidden; returns them. */
  keepOf(inodes: ReadonlySet<string>, isHidden: (file: string) => boolean): FlumePosition[] {
    const gone = [...this.#byInode.values()].filter(({ inode, file }) => !inodes.has(inode) && !isHidden(file));
    for (const position of gone) this.used(position);
    return gone;
  }

  /**
   * Why a position is not of this file, whose inode it has: inodes are used again. `before` is the byte before it, undefined at the
   * beginning. Undefined where it is believed.
   */
  whyNot(
    { pos, file }: FlumePosition,
    path: string,
    stats: LocalFileStats,
    before: number | undefined,
  ): string | undefined {
    const { size, birthtimeNs } = stats;
    if (pos > size)
      return `it has ${size} bytes, fewer than the ${pos} that Flume has read: it was cut, or is another file`;
    if (birthtimeNs > this.#writtenNs) return 'it was made after Flume last wrote its position file';
    if (file !== path && birthtimeNs === 0n)
      return `Flume knew it as ${file}, and its file system does not say when it was made`;
    // Flume stops behind a line, or at the end of a file that has been idle.
    if (before !== undefined && before !== 0x0a && pos !== size) return `no line begins at byte ${pos}`;
    return undefined;
  }
}
