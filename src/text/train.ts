import { expectKnown, expectOneOf, expectOption, expectText, expectWhole, withDefaults } from '../core/options.js';
import { type Calibration, calibrate, probabilityOf } from './calibration.js';
import { evaluationOf, type Judged } from './evaluation.js';
import { checkTexts, distinctTexts, type LabelledText, labelsOf, type TextKind } from './labelled-text.js';
import { type Fitted, fitLogistic, randomOf, shuffle, type Vectors } from './logistic.js';
import { chosenMargin } from './margin.js';
import { modelBytes } from './model-file.js';
import { type DataCard, sentimentOf } from './model-parts.js';
import { type NGramForm, NGrams } from './n-grams.js';
import { TextModel } from './text-model.js';

export interface TrainTextModelOptions<K extends TextKind = TextKind> {
  /** `sentiment`: positive, neutral or negative. `topics`: any number of labels. */
  readonly kind: K;
  /** What is known of the texts; it is kept in the model. */
  readonly card: Pick<DataCard, 'source' | 'licence' | 'date' | 'limits'>;
  /** Into how many parts the texts are split for the evaluation and the calibration. Default 5. */
  readonly folds?: number;
  /** How often training goes through the texts. Default 5. */
  readonly epochs?: number;
  /** A label has 2^bits weights of 4 bytes, from 8 to 24. Default 18: 1 MiB. */
  readonly bits?: number;
  /** Of a longer text only the beginning is read, in UTF-16 units. Default 2,000. */
  readonly maxCharacters?: number;
  /** Without neutral texts: how far from 0.5 the probability of a neutral one may be. With some, it is chosen by them. Default 0.1. */
  readonly margin?: number;
  /** Of the order of texts: the same texts and options give the same model. Default 1. */
  readonly seed?: number;
}

/** The defaults of `trainTextModel`. */
export const TRAIN_TEXT_MODEL_DEFAULTS = {
  folds: 5,
  epochs: 5,
  bits: 18,
  maxCharacters: 2_000,
  margin: 0.1,
  seed: 1,
} as const satisfies Omit<TrainTextModelOptions, 'kind' | 'card'>;

/**
 * Trains a model on labelled texts, without duplicates. `card.evaluation` says how it does: each text is judged by a model trained on the
 * other folds, and calibrated on them.
 *
 * ```ts
 * import { trainTextModel } from 'rxflume/text';
 *
 * const texts = ['tea', 'coffee', 'cake', 'soup', 'bread', 'rice'].flatMap((dish) => [
 *   { text: `good ${dish}`, labels: ['positive'] },
 *   { text: `bad ${dish}`, labels: ['negative'] },
 * ]);
 * const card = { source: 'an example', licence: 'CC0', date: '2026-11-28', limits: 'twelve texts' };
 * const model = trainTextModel(texts, { kind: 'sentiment', card, margin: 0 });
 * model.classify('what a good pie').label; // → 'positive'
 * model.card.evaluation.texts; // → 12
 * ```
 *
 * Bounds: about 100 bytes for each character of the texts, and 12 bytes for each of 2^bits hashes while a label is trained.
 * Fails: `OptionError` at the call; `RXF_TEXT_DATA` for texts without the labels of its kind, or fewer than `folds` of a label.
 * Source: `fitLogistic`, `calibrate`.
 */
export function trainTextModel<K extends TextKind>(
  texts: readonly LabelledText[],
  options: TrainTextModelOptions<K>,
): TextModel<K> {
  const { kind, card, folds, epochs, bits, maxCharacters, margin, seed } = checkOptions(options);
  checkTexts(kind, texts);
  const { texts: distinct, duplicates, conflicts } = distinctTexts(texts);
  const labels = labelsOf(kind, distinct, folds);
  const form = { bits, maxCharacters };
  const vectors = vectorsOf(distinct, form);
  const foldOf = foldsOf(distinct.length, folds, seed);
  const own = labels.map((label) => Uint8Array.from(distinct, (one) => (one.labels.includes(label) ? 1 : 0)));
  // A neutral text says nothing of positive or negative.
  const isTrainedOn = (at: number) => kind === 'topics' || distinct[at]?.labels[0] !== 'neutral';
  const fittedOn = (isLabel: Uint8Array, isIn: (at: number) => boolean): Fitted => {
    const used = Int32Array.from(distinct.keys()).filter((at) => isTrainedOn(at) && isIn(at));
    return fitLogistic(vectors, used, isLabel, { size: 2 ** bits, epochs, seed });
  };

  /** Of each label and text, by the model that did not see it. */
  const held = own.map((isLabel) => {
    const scores = new Float64Array(distinct.length);
    for (let fold = 0; fold < folds; fold += 1) {
      const fitted = fittedOn(isLabel, (at) => foldOf[at] !== fold);
      for (let at = 0; at < scores.length; at += 1) if (foldOf[at] === fold) scores[at] = scoreOf(vectors, at, fitted);
    }
    return scores;
  });
  const calibrations = (isIn: (at: number) => boolean): Calibration[] =>
    own.map((isLabel, label) => {
      const used = [...distinct.keys()].filter((at) => isTrainedOn(at) && isIn(at));
      const scores = held[label] as Float64Array;
      return calibrate(
        used.map((at) => scores[at] as number),
        used.map((at) => isLabel[at] === 1),
      );
    });
  const probabilities = (at: number, of: readonly Calibration[]) =>
    held.map((scores, label) => probabilityOf(scores[at] as number, of[label] as Calibration));
  const marginOf = (of: readonly Calibration[], isIn: (at: number) => boolean) => {
    if (kind === 'topics') return 0;
    const used = [...distinct.keys()].filter(isIn);
    return chosenMargin(
      used.map((at) => ({ label: distinct[at]?.labels[0] as string, probability: probabilities(at, of)[0] as number })),
      margin,
    );
  };

  const judged = new Array<Judged>(distinct.length);
  for (let fold = 0; fold < folds; fold += 1) {
    const isOther = (at: number) => foldOf[at] !== fold;
    const of = calibrations(isOther);
    const own = marginOf(of, isOther);
    for (const [at, { labels: has }] of distinct.entries()) {
      if (isOther(at)) continue;
      const said = probabilities(at, of);
      const given =
        kind === 'sentiment'
          ? sentimentOf(said[0] as number, own)
          : labels.filter((_, label) => (said[label] as number) >= 0.5);
      judged[at] = { labels: has, given, probabilities: said };
    }
  }

  const fitted = own.map((isLabel) => fittedOn(isLabel, () => true));
  const final = calibrations(() => true);
  const head = {
    kind,
    form,
    labels,
    biases: fitted.map(({ bias }) => bias),
    calibrations: final,
    margin: marginOf(final, () => true),
    card: {
      source: card.source,
      licence: card.licence,
      date: card.date,
      limits: card.limits,
      texts: distinct.length,
      duplicates,
      conflicts,
      folds,
      evaluation: evaluationOf(kind, labels, judged),
    },
  };
  return new TextModel<K>(modelBytes({ head, weights: interleaved(fitted, 2 ** bits) }));
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<K extends TextKind>(given: TrainTextModelOptions<K>) {
  const options = withDefaults('trainTextModel options', TRAIN_TEXT_MODEL_DEFAULTS, given, ['kind', 'card']);
  expectOneOf('kind', options.kind, ['sentiment', 'topics']);
  expectKnown('card', options.card, ['source', 'licence', 'date', 'limits']);
  for (const name of ['source', 'licence', 'date'] as const) expectText(`card.${name}`, options.card[name]);
  expectOption('card.limits', options.card.limits, typeof options.card.limits === 'string', 'a string');
  expectWhole('folds', options.folds, 2, 100);
  expectWhole('epochs', options.epochs, 1, 1_000);
  expectWhole('bits', options.bits, 8, 24);
  expectWhole('maxCharacters', options.maxCharacters, 1, 1_000_000);
  expectOption('margin', options.margin, options.margin >= 0 && options.margin < 0.5, 'a number from 0 to below 0.5');
  expectWhole('seed', options.seed, 0, 2 ** 32 - 1);
  return options;
}

/** Each n-gram once, with its count over the root of how many there are: as `TextModel` scores. */
function vectorsOf(texts: readonly LabelledText[], form: NGramForm): Vectors {
  const nGrams = new NGrams(form);
  const starts = new Int32Array(texts.length + 1);
  const indices: Int32Array[] = [];
  const values: Float32Array[] = [];
  for (const [at, { text }] of texts.entries()) {
    const count = nGrams.cut(text);
    const sorted = nGrams.indices.slice(0, count).sort();
    const scale = 1 / Math.sqrt(Math.max(1, count));
    const own = new Float32Array(count);
    let distinct = 0;
    for (let n = 0; n < count; n += 1) {
      if (n === 0 || sorted[n] !== sorted[distinct - 1]) {
        sorted[distinct] = sorted[n] as number;
        distinct += 1;
      }
      own[distinct - 1] = (own[distinct - 1] as number) + scale;
    }
    starts[at + 1] = (starts[at] as number) + distinct;
    indices.push(sorted.slice(0, distinct));
    values.push(own.slice(0, distinct));
  }
  const all = {
    starts,
    indices: new Int32Array(starts.at(-1) as number),
    values: new Float32Array(starts.at(-1) as number),
  };
  for (let at = 0; at < texts.length; at += 1) {
    all.indices.set(indices[at] as Int32Array, starts[at]);
    all.values.set(values[at] as Float32Array, starts[at]);
  }
  return all;
}

function scoreOf({ starts, indices, values }: Vectors, at: number, { weights, bias }: Fitted): number {
  let score = bias;
  const to = starts[at + 1] as number;
  for (let n = starts[at] as number; n < to; n += 1) {
    score += (weights[indices[n] as number] as number) * (values[n] as number);
  }
  return score;
}

function foldsOf(count: number, folds: number, seed: number): Uint8Array {
  const order = Int32Array.from({ length: count }, (_, at) => at);
  shuffle(order, randomOf(seed + 1));
  const foldOf = new Uint8Array(count);
  for (const [at, text] of order.entries()) foldOf[text] = at % folds;
  return foldOf;
}

function interleaved(fitted: readonly Fitted[], size: number): Float32Array {
  const weights = new Float32Array(fitted.length * size);
  for (const [label, one] of fitted.entries()) {
    for (let index = 0; index < size; index += 1) weights[index * fitted.length + label] = one.weights[index] as number;
  }
  return weights;
}
