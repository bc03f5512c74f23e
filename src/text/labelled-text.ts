import { describeValue, OptionError } from '../core/errors.js';
import { foldedText } from './characters.js';

/** What a model is asked: the one sentiment of a text, or which of several topics it is about. */
export type TextKind = 'sentiment' | 'topics';

/** A text with what people say of it. */
export interface LabelledText {
  readonly text: string;
  /** Of a sentiment one of `positive`, `neutral` and `negative`; of topics any number, also none. */
  readonly labels: readonly string[];
}

/** What is left of labelled texts when none is there twice. */
export interface DistinctTexts {
  readonly texts: readonly LabelledText[];
  /** How many were left out since the same text with the same labels was there before. */
  readonly duplicates: number;
  /** How many were left out since the same text was there with other labels too. */
  readonly conflicts: number;
}

const SENTIMENTS = ['positive', 'neutral', 'negative'] as const;
const MAX_LABELS = 1_000;
const MAX_LABEL = 200;

/**
 * Removes duplicates, whatever their case, white space and width: a text in both halves of a split would be tested on what was learnt by
 * heart. A text that is there with different labels is left out, each time.
 *
 * ```ts
 * import { distinctTexts } from 'rxflume/text';
 *
 * const { texts, duplicates, conflicts } = distinctTexts([
 *   { text: 'Good tea', labels: ['positive'] },
 *   { text: 'good  tea', labels: ['positive'] },
 *   { text: 'ok', labels: ['positive'] },
 *   { text: 'OK', labels: ['negative'] },
 * ]);
 * texts.length; // → 1
 * duplicates; // → 1
 * conflicts; // → 2
 * ```
 */
export function distinctTexts(texts: readonly LabelledText[]): DistinctTexts {
  const known = new Map<
    string,
    { readonly first: LabelledText; readonly labels: string; count: number; differs: boolean }
  >();
  for (const one of texts) {
    const key = foldedText(one.text);
    const labels = [...new Set(one.labels)].sort().join('\n');
    const before = known.get(key);
    if (before === undefined) known.set(key, { first: one, labels, count: 1, differs: false });
    else {
      before.count += 1;
      before.differs ||= before.labels !== labels;
    }
  }
  const all = [...known.values()];
  const kept = all.filter(({ differs }) => !differs);
  return {
    texts: kept.map(({ first }) => first),
    duplicates: kept.reduce((sum, { count }) => sum + count - 1, 0),
    conflicts: all.filter(({ differs }) => differs).reduce((sum, { count }) => sum + count, 0),
  };
}

/**
 * Checks the labels of each text.
 *
 * Fails: `RXF_TEXT_DATA` for a text that has no labels of this kind, with its number.
 */
export function checkTexts(kind: TextKind, texts: readonly LabelledText[]): void {
  for (const [at, one] of texts.entries()) {
    if (typeof one?.text !== 'string' || !Array.isArray(one.labels) || one.labels.some((label) => !isLabel(label))) {
      const got = describeValue(one?.text === undefined ? one : one.labels?.find((label) => !isLabel(label)));
      throw dataError(`text ${at + 1} to have a \`text\`, and \`labels\` of 1 to ${MAX_LABEL} characters, got ${got}`);
    }
    const [label] = one.labels;
    if (kind === 'sentiment' && (one.labels.length !== 1 || !SENTIMENTS.includes(label as 'neutral'))) {
      const got = one.labels.length === 1 ? describeValue(label) : `${one.labels.length} labels`;
      throw dataError(`text ${at + 1} to have one label of ${SENTIMENTS.join(', ')}, got ${got}`);
    }
  }
}

/**
 * The labels of a model of these texts, in its order: of topics all that there are, sorted.
 *
 * Fails: `RXF_TEXT_DATA` for fewer than `least` texts with a label, or without it.
 */
export function labelsOf(kind: TextKind, texts: readonly LabelledText[], least: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const label of texts.flatMap(({ labels }) => [...new Set(labels)]))
    counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = kind === 'sentiment' ? ['negative', 'positive'] : [...counts.keys()].sort();
  if (labels.length === 0) throw dataError('texts with labels, got none');
  if (labels.length > MAX_LABELS) throw dataError(`at most ${MAX_LABELS} labels, got ${labels.length}`);
  for (const label of labels) {
    const count = counts.get(label) ?? 0;
    if (count < least) throw dataError(`at least ${least} different texts of \`${label}\`, got ${count}`);
    if (texts.length - count < least) {
      throw dataError(`at least ${least} different texts without \`${label}\`, got ${texts.length - count}`);
    }
  }
  return kind === 'sentiment' ? ['positive'] : labels;
}

function isLabel(label: unknown): boolean {
  return typeof label === 'string' && label.length > 0 && label.length <= MAX_LABEL;
}

function dataError(expected: string): OptionError {
  return new OptionError('RXF_TEXT_DATA', `Expected ${expected}. Correct the labelled texts.`);
}
