import type { Line, LineEnd } from './lines.js';

export interface LineGroupLimits {
  /** Whether a line begins a group; where it is undefined, only `flush` ends one. */
  readonly isStart: ((line: Buffer) => boolean) | undefined;
  readonly lineEnd: LineEnd;
  /** The most lines and bytes of one group; a larger one is given in several. */
  readonly maxLines: number;
  readonly maxBytes: number;
}

const BREAKS: Readonly<Record<LineEnd, Buffer>> = {
  lf: Buffer.from('\n'),
  'utf-16le': Buffer.from([0x0a, 0]),
  'utf-16be': Buffer.from([0, 0x0a]),
};

/**
 * Joins lines that belong together, such as a stack trace: a group ends before the next line that begins one, or when `flush` is
 * called since nothing more has come for a while. Between its lines is a line feed, whatever they ended with.
 *
 * Bounds: one group, of at most `maxLines` and `maxBytes`, unless one line alone has more.
 */
export class LineGroups {
  readonly #limits: LineGroupLimits;
  #parts: Buffer[] = [];
  #bytes = 0;
  #lines = 0;
  #size = 0;
  #isInLine = false;
  #isOverlong = false;

  constructor(limits: LineGroupLimits) {
    this.#limits = limits;
  }

  /** How many bytes of the input the group that is under way has. */
  get pending(): number {
    return this.#size;
  }

  /** The group that this line ends, as one line; the line itself is in the next. */
  add(line: Line): Line | undefined {
    const done = this.#lines > 0 && this.#endsBefore(line) ? this.flush() : undefined;
    if (this.#lines > 0 && !this.#isInLine) this.#append(BREAKS[this.#limits.lineEnd]);
    if (!this.#isInLine) this.#lines += 1;
    this.#append(line.bytes);
    this.#size += line.size;
    this.#isInLine = line.kind === 'piece';
    this.#isOverlong = line.kind === 'overlong';
    return done;
  }

  /** The group that is under way, as far as it has come; nothing where there is none. */
  flush(): Line | undefined {
    if (this.#lines === 0) return undefined;
    const [first = Buffer.alloc(0)] = this.#parts;
    const bytes = this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    const kind = this.#isOverlong ? 'overlong' : this.#isInLine ? 'piece' : 'whole';
    const group: Line = { bytes, size: this.#size, kind };
    this.reset();
    return group;
  }

  /** Forgets the group that is under way. */
  reset(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#lines = 0;
    this.#size = 0;
    this.#isInLine = false;
    this.#isOverlong = false;
  }

  #endsBefore(line: Line): boolean {
    const { isStart, maxLines, maxBytes } = this.#limits;
    if (this.#isOverlong || line.kind === 'overlong') return true;
    if (this.#bytes + line.bytes.length > maxBytes) return true;
    if (this.#isInLine) return false;
    return this.#lines >= maxLines || isStart?.(line.bytes) === true;
  }

  #append(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }
}
