/** How bad it is, from nothing to what makes all else doubtful: this installation itself. */
export type Level = 'ok' | 'warning' | 'problem' | 'environment';

/** What a check has decided. */
export interface Finding {
  /** The check, by a name that stays. */
  readonly check: string;
  readonly level: Level;
  readonly text: string;
  /** What to do; of every finding that is not well. */
  readonly fix?: string;
  /** What it belongs to, where that is more than its group. */
  readonly path?: string;
}

/** Findings of one part: the installation, the source, the sink. */
export interface Group {
  readonly name: string;
  readonly findings: readonly Finding[];
}

const LEVELS: readonly Level[] = ['ok', 'warning', 'problem', 'environment'];
const EXIT_CODES = { ok: 0, warning: 0, problem: 1, environment: 3 } as const;

export function ok(check: string, text: string): Finding {
  return { check, level: 'ok', text };
}

export function bad(level: Exclude<Level, 'ok'>, check: string, text: string, fix: string, path?: string): Finding {
  return { check, level, text, fix, ...(path !== undefined && { path }) };
}

/** The worst of all findings. */
export function worstOf(groups: readonly Group[]): Level {
  const all = groups.flatMap(({ findings }) => findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[Math.max(0, ...all)] as Level;
}

/** What the command exits with: warnings never fail, and a wrong installation has a code of its own. */
export function exitCodeOf(groups: readonly Group[]): 0 | 1 | 3 {
  return EXIT_CODES[worstOf(groups)];
}
