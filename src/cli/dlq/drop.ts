import { filter, lastValueFrom, reduce } from 'rxjs';
import { type DeadLetterStore, dropDeadLetters, readDeadLetters } from '../../dead-letters/index.js';
import type { CommandContext } from '../command.js';
import type { DlqAsked } from './asked.js';

/** Drops dead letters; without a confirmation it counts them. */
export async function drop(store: DeadLetterStore, asked: DlqAsked, { out, err }: CommandContext): Promise<number> {
  const { filter: given, isConfirmed, isJson } = asked;
  if (!isConfirmed) {
    const waiting$ = readDeadLetters(store, { filter: given }).pipe(filter(({ state }) => state === 'waiting'));
    const count = await lastValueFrom(waiting$.pipe(reduce((sum) => sum + 1, 0)));
    err.write(`rxflume: ${count} dead letters of ${store.name} would be dropped. Pass \`--yes\` to drop them.\n`);
    return 2;
  }
  const dropped = await lastValueFrom(dropDeadLetters(store, { filter: given }));
  out.write(
    isJson
      ? `${JSON.stringify({ dropped })}\n`
      : `Dropped ${dropped} dead letters of ${store.name}. Their lines stay.\n`,
  );
  return 0;
}
