import { lastValueFrom, toArray } from 'rxjs';
import { shownText } from '../../core/text.js';
import {
  type DeadLetterStore,
  type PreviewedDeadLetter,
  previewDeadLetters,
  type ReplayedDeadLetters,
  replayDeadLetters,
  replayGuarantee,
} from '../../dead-letters/index.js';
import type { Flow } from '../../flow/flow.js';
import type { CommandContext } from '../command.js';
import { flowOf } from '../flow-of.js';
import type { DlqAsked } from './asked.js';
import { edited } from './edit.js';
import { redacted } from './redacted.js';

/** Those that are printed one by one, as text. */
const MAX_SHOWN = 20;

/** Replays dead letters, or says what would become of them. */
export async function replay(store: DeadLetterStore, asked: DlqAsked, context: CommandContext): Promise<number> {
  const { out } = context;
  const flow = await flowOf(asked.file ?? '', context);
  if (flow === undefined) return 2;
  const edit = asked.isEdited ? await edited(store, asked, context) : undefined;
  if (edit === null) {
    out.write('Nothing was changed, and nothing is replayed.\n');
    return 0;
  }
  const options = {
    filter: { ...asked.filter, ...(edit && { places: edit.places }) },
    ...(edit && { edits: edit.edits }),
    ...(asked.at !== undefined && { at: asked.at }),
  };
  if (asked.isDryRun)
    return preview(await lastValueFrom(previewDeadLetters(store, flow, options).pipe(toArray())), asked, context);
  const replayed = await lastValueFrom(replayDeadLetters(store, flow, { ...options, takeOver: asked.takesOver }));
  const guarantee = replayGuarantee(flow);
  out.write(
    asked.isJson
      ? `${JSON.stringify({ ...replayed, guarantee: guarantee.level })}\n`
      : replayedText(replayed, guarantee, flow),
  );
  const stay = Object.values(replayed.left).reduce((sum, count) => sum + count, 0);
  return replayed.setAside + replayed.gone + stay > 0 ? 3 : 0;
}

function replayedText(
  { replayed, setAside, gone, left }: ReplayedDeadLetters,
  { level, because }: Flow['guarantee'],
  { name }: Flow,
): string {
  const how = level === 'exactly-once' ? 'exactly once' : `at least once, since ${because.join('; ')}`;
  const lines = [`Replayed ${replayed} dead letters through ${name}, ${how}.`];
  if (setAside > 0) lines.push(`${setAside} of them failed again, and are dead letters again.`);
  if (gone > 0) lines.push(`${gone} of a replay that was interrupted are not stored any more.`);
  for (const [reason, count] of Object.entries(left)) lines.push(`${count} stay: ${reason}.`);
  return `${lines.map(shownText).join('\n')}\n`;
}

function preview(previewed: readonly PreviewedDeadLetter[], asked: DlqAsked, { out }: CommandContext): number {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of previewed) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const shown = previewed.map(({ letter, ...one }) => {
    const { message } = redacted({ ...letter, message: one.message ?? '' }, asked.redact);
    return { ...one, ...(one.message !== undefined && { message }) };
  });
  if (asked.isJson) out.write(`${JSON.stringify({ outcomes, letters: shown })}\n`);
  else {
    const summary = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
    const others = shown.filter(({ outcome }) => outcome !== 'stored');
    const lines = [
      `Of ${previewed.length} dead letters: ${summary.join(', ') || 'none'}. Nothing was written.`,
      ...others
        .slice(0, MAX_SHOWN)
        .map(({ place, outcome, message }) => `  ${place} ${outcome}${message ? `: ${message}` : ''}`),
      ...(others.length > MAX_SHOWN ? [`  and ${others.length - MAX_SHOWN} more; \`--json\` has all`] : []),
    ];
    out.write(`${lines.map(shownText).join('\n')}\n`);
  }
  return previewed.every(({ outcome }) => outcome === 'stored' || outcome === 'dropped') ? 0 : 3;
}
