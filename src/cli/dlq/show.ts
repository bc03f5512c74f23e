import { lastValueFrom, take, toArray } from 'rxjs';
import { shownText } from '../../core/text.js';
import { type DeadLetterStore, readDeadLetters } from '../../dead-letters/index.js';
import type { CommandContext } from '../command.js';
import type { DlqAsked } from './asked.js';
import { redacted } from './redacted.js';

/** Prints one dead letter fully. */
export async function show(store: DeadLetterStore, asked: DlqAsked, { out, err }: CommandContext): Promise<number> {
  const { place = '', redact, isJson } = asked;
  const [found] = await lastValueFrom(readDeadLetters(store, { filter: { places: [place] } }).pipe(take(1), toArray()));
  if (found === undefined) {
    err.write(
      `rxflume: ${shownText(`There is no dead letter ${place} in ${store.name}. \`rxflume dlq list\` names some.`)}\n`,
    );
    return 1;
  }
  const letter = redacted(found.letter, redact);
  if (isJson) {
    out.write(`${JSON.stringify({ place, state: found.state, letter })}\n`);
    return 0;
  }
  const { value, headers, causes, ...rest } = letter;
  const facts = Object.entries({ place, state: found.state, ...rest }).map(([name, of]) => `${name}: ${of ?? '-'}`);
  const more = [
    ...causes.map(({ code, message }) => `cause: ${code}: ${message}`),
    ...headers.map(
      (header) => `header: ${header.name}: ${header.value ?? '-'}${header.encoding === 'base64' ? ' (base64)' : ''}`,
    ),
  ];
  out.write(
    `${[...facts, ...more].map(shownText).join('\n')}\n\n${(value ?? '').split('\n').map(shownText).join('\n')}\n`,
  );
  return 0;
}
