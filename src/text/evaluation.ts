import type { TextKind } from './labelled-text.js';
import { type Proportion, proportionOf } from './proportion.js';

/** How a model does on one label. */
export interface LabelEvaluation {
  readonly label: string;
  /** How many texts have it. */
  readonly count: number;
  /** The share that has it of those that the model gave it. */
  readonly precision: Proportion;
  /** The share that the model gave it of those that have it. */
  readonly recall: Proportion;
  readonly f1: number;
}

/** One tenth of the probabilities: those that are right say what happens. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** The mean of what the model said. */
  readonly probability: number;
  /** The share that has the label. */
  readonly share: number;
}

/** How a model does on labelled texts that it was not trained on. */
export interface TextEvaluation {
  readonly texts: number;
  /** The share of texts whose labels are all right: of sentiments, neutral is one of the three where texts have it. */
  readonly accuracy: Proportion;
  /** Of sentiments: positive or negative by the greater probability, of texts that are not neutral. */
  readonly polarity?: Proportion;
  /** Of sentiments: of texts that are not neutral and are not said to be, the share that is right. */
  readonly decided?: Proportion;
  readonly labels: readonly LabelEvaluation[];
  /** Of sentiments: how many texts of the row's label were given the column's, both in the order of `labels`. */
  readonly confusion?: readonly (readonly number[])[];
  /** The mean square of how far probabilities are from 0 and 1. 0 is best; always saying the base share is share × (1 − share). */
  readonly brier: number;
  /** The mean distance between what was said and what is, over `bins`. */
  readonly calibrationError: number;
  readonly bins: readonly CalibrationBin[];
}

/** A text with its labels, and what a model says of it. */
export interface Judged {
  readonly labels: readonly string[];
  readonly given: readonly string[];
  /** Of each label of the model. */
  readonly probabilities: readonly number[];
}

const BINS = 10;

/** Compares what a model says with what is. `labels`: those of the model. */
export function evaluationOf(kind: TextKind, labels: readonly string[], judged: readonly Judged[]): TextEvaluation {
  const isSentiment = kind === 'sentiment';
  const shown = isSentiment ? ['negative', 'neutral', 'positive'] : labels;
  const isRight = ({ labels: own, given }: Judged) =>
    own.length === given.length && own.every((one) => given.includes(one));
  const polar = judged.filter((one) => isSentiment && one.labels[0] !== 'neutral');
  const decided = polar.filter(({ given }) => given[0] !== 'neutral');
  return {
    texts: judged.length,
    accuracy: share(judged, isRight),
    ...(isSentiment && {
      polarity: share(polar, (one) => (one.probabilities[0] as number) >= 0.5 === (one.labels[0] === 'positive')),
      decided: share(decided, isRight),
    }),
    labels: shown.map((label) => labelEvaluation(label, judged)),
    ...(isSentiment && {
      confusion: shown.map((own) => {
        const ofOwn = judged.filter((one) => one.labels[0] === own);
        return shown.map((given) => ofOwn.filter((one) => one.given[0] === given).length);
      }),
    }),
    ...calibrationOf(labels, isSentiment ? polar : judged),
  };
}

function share(list: readonly Judged[], holds: (one: Judged) => boolean): Proportion {
  return proportionOf(list.filter(holds).length, list.length);
}

function labelEvaluation(label: string, judged: readonly Judged[]): LabelEvaluation {
  const having = judged.filter(({ labels }) => labels.includes(label));
  const given = judged.filter((one) => one.given.includes(label));
  const precision = share(given, ({ labels }) => labels.includes(label));
  const recall = share(having, (one) => one.given.includes(label));
  const sum = having.length + given.length;
  const both = having.filter((one) => one.given.includes(label)).length;
  return { label, count: having.length, precision, recall, f1: sum === 0 ? 0 : (2 * both) / sum };
}

function calibrationOf(labels: readonly string[], judged: readonly Judged[]) {
  const sums = Array.from({ length: BINS }, () => ({ count: 0, said: 0, having: 0 }));
  let squares = 0;
  for (const one of judged) {
    for (const [at, label] of labels.entries()) {
      const probability = one.probabilities[at] as number;
      const has = one.labels.includes(label) ? 1 : 0;
      squares += (probability - has) ** 2;
      const bin = sums[Math.min(BINS - 1, Math.floor(probability * BINS))] as (typeof sums)[number];
      bin.count += 1;
      bin.said += probability;
      bin.having += has;
    }
  }
  const all = Math.max(1, judged.length * labels.length);
  const bins = sums.map(({ count, said, having }, at) => ({
    from: at / BINS,
    to: (at + 1) / BINS,
    count,
    probability: count === 0 ? 0 : said / count,
    share: count === 0 ? 0 : having / count,
  }));
  const distance = bins.reduce((sum, { count, probability, share: is }) => sum + count * Math.abs(probability - is), 0);
  return { brier: squares / all, calibrationError: distance / all, bins };
}
