/**
 * What the page and the server say to each other about stored dead letters, below `api/flows/<flow>/dead-letters`:
 *
 * | request | answer |
 * |---|---|
 * | `GET ?code=…&contains=…&since=…&stream=…&place=…` | `DeadLetterList` |
 * | `POST /preview` `DeadLetterRequest` | `DeadLetterPreview`; writes nothing |
 * | `POST /replay`, `POST /drop` `DeadLetterRequest` with `confirm` | `CommandDone` |
 */

type State = 'waiting' | 'replaying' | 'replayed' | 'dropped' | 'duplicate';

/** Which dead letters of the flow are meant: those that fit all that is given. */
export interface DeadLetterQuery {
  readonly code?: string;
  readonly contains?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly stream?: string;
  readonly places?: readonly string[];
}

/** Dead letters of one cause, that one operator set aside. */
export interface DeadLetterGroup {
  readonly code: string;
  readonly operator: string | null;
  readonly waiting: number;
  /** Those that were replayed or dropped included. */
  readonly total: number;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
}

/** A dead letter as the page shows it. */
export interface ShownDeadLetter {
  /** Such as `dt=2026-03-02/bad.jsonl#12`. */
  readonly place: string;
  readonly state: State;
  readonly code: string;
  readonly message: string;
  readonly stream: string;
  readonly offset: number;
  readonly operator: string | null;
  readonly attempt: number;
  readonly setAsideAt: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly encoding: 'utf8' | 'base64' | 'json' | 'none';
  /** It is longer than is shown. */
  readonly cut: boolean;
  /** Values of fields were replaced by `[redacted]`. */
  readonly redacted: boolean;
}

export interface DeadLetterList {
  /** Where they are stored. */
  readonly where: string;
  readonly counts: Readonly<Record<State, number>>;
  /** Most waiting first, 1,000 at most. */
  readonly groups: readonly DeadLetterGroup[];
  /** The first 50 that wait; none where the console is read-only, since they show values. */
  readonly letters: readonly ShownDeadLetter[];
  /** Lines that are no dead letter. */
  readonly unreadable: number;
  /** There are more than were read. */
  readonly cut: boolean;
}

/** What of a record is replayed in another form. What is left out stays as it is. */
export interface DeadLetterEdit {
  readonly value?: string;
  readonly key?: string;
}

export interface DeadLetterRequest {
  readonly filter: DeadLetterQuery;
  /** By place. */
  readonly edits?: Readonly<Record<string, DeadLetterEdit>>;
  readonly confirm?: true;
}

/** What the flow of today would do with them. */
export interface DeadLetterPreview {
  /** How many, by what becomes of them, such as `stored` and `set aside`. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first 50, those that would not be stored first. */
  readonly letters: readonly {
    readonly place: string;
    readonly outcome: string;
    readonly operator: string | null;
    readonly values: number;
    readonly code?: string;
    readonly message?: string;
  }[];
  /** Only the first 1,000 were tried. */
  readonly cut: boolean;
}
