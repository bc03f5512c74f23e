import { describeError } from '../../core/errors.js';
import { defaultMonitor } from '../../core/monitor.js';
import { shownText } from '../../core/text.js';
import type { CommandContext } from '../command.js';
import { isOwn } from '../load-flow.js';
import type { DlqAsked } from './asked.js';
import { drop } from './drop.js';
import { list } from './list.js';
import { replay } from './replay.js';
import { show } from './show.js';
import { storeOf } from './store-of.js';
import { take } from './take.js';

/**
 * Does what is asked with dead letters.
 *
 * Fails: never; exit code 0 done, 1 it could not be, 2 wrong use, 3 some were set aside again or stay.
 */
export async function dlq(asked: DlqAsked, context: CommandContext): Promise<number> {
  const { err } = context;
  const warnings = defaultMonitor.logEvents$.subscribe(({ level, what, message }) => {
    if (level !== 'info') err.write(`rxflume: ${shownText(`${what}: ${message}`)}\n`);
  });
  try {
    if (asked.action === 'take') return await take(asked, context);
    const store = await storeOf(asked, context);
    if (asked.action === 'list') return await list(store, asked, context);
    if (asked.action === 'show') return await show(store, asked, context);
    return await (asked.action === 'drop' ? drop : replay)(store, asked, context);
  } catch (error) {
    err.write(`rxflume: ${isOwn(error) ? `${error.code}: ` : ''}${describeError(error)}\n`);
    return isOwn(error) && error.name === 'OptionError' ? 2 : 1;
  } finally {
    warnings.unsubscribe();
  }
}
