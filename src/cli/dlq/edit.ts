import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, lastValueFrom, take, toArray } from 'rxjs';
import { describeError, OptionError } from '../../core/errors.js';
import { type DeadLetterStore, readDeadLetters } from '../../dead-letters/index.js';
import type { CommandContext } from '../command.js';
import type { DlqAsked } from './asked.js';

/** The most that are opened in an editor at once. */
const MAX_EDITED = 1_000;

/** What was edited: which letters are meant, and those that differ now; null where nothing was changed. */
export interface Edited {
  readonly places: readonly string[];
  readonly edits: Readonly<Record<string, unknown>>;
}

/**
 * Opens the letters that wait in `$VISUAL` or `$EDITOR`, as a JSON array. One that is taken out of it is not replayed.
 *
 * Fails: `OptionError` where there is no editor, it fails, or what it leaves is not such an array; the file then stays, and is named.
 */
export async function edited(store: DeadLetterStore, asked: DlqAsked, { env }: CommandContext): Promise<Edited | null> {
  const editor = env.VISUAL || env.EDITOR;
  if (!editor) throw wrong('There is no editor: set EDITOR, such as `EDITOR=vi`.');
  const waiting$ = readDeadLetters(store, { filter: asked.filter }).pipe(filter(({ state }) => state === 'waiting'));
  const letters = await lastValueFrom(waiting$.pipe(take(MAX_EDITED + 1), toArray()));
  if (letters.length > MAX_EDITED) throw wrong(`More than ${MAX_EDITED} dead letters fit. Choose fewer to edit them.`);
  if (letters.length === 0) return { places: [], edits: {} };
  const folder = await mkdtemp(join(tmpdir(), 'rxflume-dlq-'));
  const file = join(folder, 'dead-letters.json');
  const before = `${JSON.stringify(
    letters.map(({ place, letter }) => ({ place, ...letter })),
    null,
    2,
  )}\n`;
  await writeFile(file, before, { mode: 0o600 });
  await runEditor(editor, file);
  const after = await readFile(file, 'utf8');
  if (after === before) {
    await rm(folder, { recursive: true });
    return null;
  }
  const known = new Map(letters.map(({ place, letter }) => [place, JSON.stringify(letter)]));
  const edits: Record<string, unknown> = Object.create(null);
  const places: string[] = [];
  for (const { place, ...letter } of arrayOf(after, file)) {
    const was = typeof place === 'string' ? known.get(place) : undefined;
    if (typeof place !== 'string' || was === undefined || places.includes(place))
      throw wrong(
        `\`place\` ${JSON.stringify(place)} is none of the letters that were opened, or is there twice. The file is ${file}.`,
      );
    places.push(place);
    if (JSON.stringify(letter) !== was) edits[place] = letter;
  }
  await rm(folder, { recursive: true });
  return { places, edits };
}

function arrayOf(text: string, file: string): readonly Record<string, unknown>[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw wrong(`What was edited is not JSON: ${describeError(error)}. Nothing was replayed. The file is ${file}.`);
  }
  const isList = Array.isArray(read) && read.every((one) => typeof one === 'object' && one !== null);
  if (!isList)
    throw wrong(`What was edited is not an array of dead letters. Nothing was replayed. The file is ${file}.`);
  return read as Record<string, unknown>[];
}

/** An editor may be given with arguments, so a shell reads it, as git does. */
function runEditor(editor: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit' });
    child.on('error', (error) => reject(wrong(`Cannot start \`${editor}\`: ${describeError(error)}.`)));
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(wrong(`\`${editor}\` ended with exit code ${code}. Nothing was replayed. The file is ${file}.`));
    });
  });
}

function wrong(message: string): OptionError {
  return new OptionError('RXF_OPTION_INVALID', message);
}
