import { lastValueFrom, tap } from 'rxjs';
import { shownText } from '../../core/text.js';
import {
  type DeadLetterState,
  type DeadLetterStore,
  readDeadLetters,
  type StoredDeadLetter,
} from '../../dead-letters/index.js';
import type { CommandContext } from '../command.js';
import type { DlqAsked } from './asked.js';
import { redacted } from './redacted.js';

/** Dead letters with one cause, of one operator. */
export interface DlqGroup {
  readonly code: string;
  readonly flow: string | null;
  readonly operator: string | null;
  readonly counts: Record<DeadLetterState, number>;
  /** When the first and the last of them were set aside. */
  first: string;
  last: string;
  /** One of them; one that waits, if any does. */
  example: { readonly place: string; readonly message: string; readonly stream: string; readonly offset: number };
}

/** What `rxflume dlq list --json` prints. */
export interface DlqList {
  readonly where: string;
  readonly counts: Record<DeadLetterState, number>;
  readonly groups: readonly DlqGroup[];
  readonly unreadable: {
    readonly count: number;
    readonly examples: readonly { readonly place: string; readonly problem: string }[];
  };
}

const MAX_GROUPS = 1_000;
const MAX_EXAMPLES = 10;

/** Prints the dead letters by cause. */
export async function list(store: DeadLetterStore, asked: DlqAsked, { out }: CommandContext): Promise<number> {
  const found = await listOf(store, asked);
  out.write(asked.isJson ? `${JSON.stringify(found)}\n` : textOf(found));
  return 0;
}

async function listOf(store: DeadLetterStore, { filter, redact }: DlqAsked): Promise<DlqList> {
  const counts = noCounts();
  const groups = new Map<string, DlqGroup>();
  const unreadable = { count: 0, examples: [] as { place: string; problem: string }[] };
  const note = (place: string, problem: string) => {
    unreadable.count += 1;
    if (unreadable.examples.length < MAX_EXAMPLES) unreadable.examples.push({ place, problem });
  };
  const count = (stored: StoredDeadLetter) => {
    const { letter, state } = stored;
    counts[state] += 1;
    const name = JSON.stringify([letter.code, letter.flow, letter.operator]);
    const group = groups.get(name) ?? groupOf(stored, redact);
    if (groups.size < MAX_GROUPS) groups.set(name, group);
    if (state === 'waiting' && group.counts.waiting === 0) group.example = exampleOf(stored, redact);
    group.counts[state] += 1;
    if (letter.setAsideAt < group.first) group.first = letter.setAsideAt;
    if (letter.setAsideAt > group.last) group.last = letter.setAsideAt;
  };
  await lastValueFrom(readDeadLetters(store, { filter, unreadable: note }).pipe(tap(count)), {
    defaultValue: undefined,
  });
  const sorted = [...groups.values()].sort((a, b) => b.counts.waiting - a.counts.waiting);
  return { where: store.name, counts, groups: sorted, unreadable };
}

function groupOf(stored: StoredDeadLetter, redact: readonly string[]): DlqGroup {
  const { code, flow, operator, setAsideAt } = stored.letter;
  const counts = noCounts();
  return { code, flow, operator, counts, first: setAsideAt, last: setAsideAt, example: exampleOf(stored, redact) };
}

function exampleOf({ place, letter }: StoredDeadLetter, redact: readonly string[]): DlqGroup['example'] {
  const { message, stream, offset } = redacted(letter, redact);
  return { place, message, stream, offset };
}

function noCounts(): Record<DeadLetterState, number> {
  return { waiting: 0, replaying: 0, replayed: 0, dropped: 0, duplicate: 0 };
}

function textOf({ where, counts, groups, unreadable }: DlqList): string {
  const lines = [`${where}: ${countsText(counts) || 'no dead letters'}.`];
  for (const { code, flow, operator, counts: own, first, last, example } of groups) {
    const by = flow === null ? '' : `, flow ${flow}${operator === null ? '' : ` at ${operator}`}`;
    lines.push('', `${code}${by}: ${countsText(own)}`, `  set aside ${first}${first === last ? '' : ` to ${last}`}`);
    lines.push(`  such as ${example.place}, ${example.stream} offset ${example.offset}`, `  ${example.message}`);
  }
  if (unreadable.count > 0) {
    lines.push('', `No dead letters, and left out: ${unreadable.count} lines.`);
    for (const { place, problem } of unreadable.examples) lines.push(`  ${place}: ${problem}`);
  }
  return `${lines.map(shownText).join('\n')}\n`;
}

function countsText(counts: Record<DeadLetterState, number>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}
