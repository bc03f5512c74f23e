/** A record as the topic has it, and as it must be in the lake: once. */
export interface Landed {
  readonly n: number;
  readonly stream: string;
  readonly offset: number;
}

export interface Verdict {
  /** In the topic, and not in the lake. */
  readonly lost: readonly Landed[];
  /** More than once in the lake. */
  readonly duplicated: readonly Landed[];
  /** Lines of the lake that are no record of the topic. */
  readonly foreign: readonly string[];
}

/** Holds the lines of the lake against the records of the topic, by stream, offset and number. */
export function judge(records: readonly Landed[], lines: Iterable<string>): Verdict {
  const byPosition = new Map(records.map((record) => [positionOf(record), record]));
  const times = new Map<string, number>();
  const foreign: string[] = [];
  for (const line of lines) {
    const landed = parse(line);
    const position = landed === null ? '' : positionOf(landed);
    if (landed === null || byPosition.get(position)?.n !== landed.n) foreign.push(line);
    else times.set(position, (times.get(position) ?? 0) + 1);
  }
  return {
    lost: records.filter((record) => !times.has(positionOf(record))),
    duplicated: records.filter((record) => (times.get(positionOf(record)) ?? 0) > 1),
    foreign,
  };
}

function parse(line: string): Landed | null {
  try {
    return JSON.parse(line) as Landed | null;
  } catch {
    return null;
  }
}

function positionOf({ stream, offset }: Landed): string {
  return `${stream} ${offset}`;
}

/** The files whose name says that they hold a record: its bucket, its partition, offsets around its own. */
export function filesOf({ n, stream, offset }: Landed, files: readonly string[]): string[] {
  const partition = stream.slice(stream.lastIndexOf('/') + 1);
  return files.filter((file) => {
    const [, bucket, part, first, last] = /\/mod=(\d)\/[^/]*~(\d+)\+(\d{16})\+(\d{16})/.exec(file) ?? [];
    return Number(bucket) === n % 3 && part === partition && Number(first) <= offset && offset <= Number(last);
  });
}
