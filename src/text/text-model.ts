import { probabilityOf } from './calibration.js';
import type { TextClassifier } from './classify.js';
import { evaluationOf, type TextEvaluation } from './evaluation.js';
import { checkTexts, distinctTexts, type LabelledText, type TextKind } from './labelled-text.js';
import { modelBytes, modelError, modelParts, versionOf } from './model-file.js';
import { type DataCard, type ModelHead, sentimentOf } from './model-parts.js';
import { NGrams } from './n-grams.js';

/** What a model of sentiments says of a text. */
export interface Sentiment {
  readonly label: 'positive' | 'neutral' | 'negative';
  /** That it is positive rather than negative, from 0 to 1, calibrated. */
  readonly probability: number;
  /** The version of the model that said so. */
  readonly model: string;
}

/** What a model of topics says of a text. */
export interface Topics {
  /** Those whose probability is at least 0.5. */
  readonly labels: readonly string[];
  /** Of each label of the model, in its order, calibrated. */
  readonly probabilities: readonly number[];
  readonly model: string;
}

/** One n-gram of a text, and what it says for a label. */
export interface Reason {
  readonly label: string;
  /** As it is in the text. */
  readonly text: string;
  /** By how much it raises the log-odds of the label; below 0 it speaks against it. */
  readonly weight: number;
  /** How often it is in the text. */
  readonly count: number;
}

/** Which result a kind of model gives. */
export type ResultOf<K extends TextKind> = K extends 'sentiment' ? Sentiment : Topics;

/**
 * A trained model: hashed n-grams and logistic regression, one label against the rest. Made by `trainTextModel`, or from the bytes of its
 * file by `textModel`.
 *
 * ```ts
 * import type { TextModel } from 'rxflume/text';
 *
 * export const isAngry = (model: TextModel<'sentiment'>, text: string) => model.classify(text).label === 'negative';
 * ```
 *
 * Bounds: 4 bytes for each label and each of 2^bits hashes: 1 MiB for a sentiment with the defaults. Nothing is allocated per text but the
 * result.
 */
export class TextModel<K extends TextKind = TextKind> implements TextClassifier<ResultOf<K>> {
  /** The first 12 hexadecimal digits of the file's SHA-256. */
  readonly version: string;
  readonly kind: K;
  readonly labels: readonly string[];
  readonly card: DataCard;
  readonly #head: ModelHead;
  readonly #weights: Float32Array;
  readonly #nGrams: NGrams;
  readonly #scores: Float64Array;

  /** From the bytes of its file; `what` names it in messages. Use `textModel`, which also checks the kind. */
  constructor(bytes: Uint8Array, what = 'The model') {
    const { head, weights } = modelParts(bytes, what);
    this.version = versionOf(bytes);
    this.kind = head.kind as K;
    this.labels = head.kind === 'sentiment' ? ['negative', 'neutral', 'positive'] : head.labels;
    this.card = head.card;
    this.#head = head;
    this.#weights = weights;
    this.#nGrams = new NGrams(head.form);
    this.#scores = new Float64Array(head.labels.length);
  }

  classify(text: string): ResultOf<K> {
    this.#score(text);
    const { kind, margin, labels, calibrations } = this.#head;
    if (kind === 'sentiment') {
      const probability = probabilityOf(this.#scores[0] as number, calibrations[0] as (typeof calibrations)[0]);
      return { label: sentimentOf(probability, margin)[0], probability, model: this.version } as ResultOf<K>;
    }
    const probabilities: number[] = [];
    const given: string[] = [];
    for (let at = 0; at < labels.length; at += 1) {
      const probability = probabilityOf(this.#scores[at] as number, calibrations[at] as (typeof calibrations)[0]);
      probabilities.push(probability);
      if (probability >= 0.5) given.push(labels[at] as string);
    }
    return { labels: given, probabilities, model: this.version } as unknown as ResultOf<K>;
  }

  /** The n-grams that decided most, for each label, those that speak against it too. Of a sentiment for `positive`. */
  explain(text: string, count = 10): readonly Reason[] {
    const places = this.#nGrams.places(text);
    const { labels, calibrations } = this.#head;
    return labels.flatMap((label, at) => {
      const scale = (calibrations[at]?.slope ?? 1) / Math.sqrt(Math.max(1, places.length));
      const sums = new Map<string, { weight: number; count: number }>();
      for (const { index, from, to } of places) {
        const shown = text.slice(from, to);
        const sum = sums.get(shown) ?? { weight: 0, count: 0 };
        sum.weight += scale * (this.#weights[index * labels.length + at] as number);
        sum.count += 1;
        sums.set(shown, sum);
      }
      return [...sums]
        .map(([shown, sum]) => ({ label, text: shown, ...sum }))
        .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
        .slice(0, count);
    });
  }

  /**
   * How it does on labelled texts. Duplicates are left out; whether it was trained on them is not known here.
   *
   * Fails: `RXF_TEXT_DATA` for texts whose labels are of another kind.
   */
  evaluate(texts: readonly LabelledText[]): TextEvaluation {
    checkTexts(this.kind, texts);
    const { texts: distinct } = distinctTexts(texts);
    const judged = distinct.map(({ text, labels }) => {
      const given = this.classify(text) as Sentiment & Topics;
      return this.kind === 'sentiment'
        ? { labels, given: [given.label], probabilities: [given.probability] }
        : { labels, given: given.labels, probabilities: given.probabilities };
    });
    return evaluationOf(this.kind, this.#head.labels, judged);
  }

  /** The bytes of its file. */
  toBytes(): Uint8Array {
    return modelBytes({ head: this.#head, weights: this.#weights });
  }

  #score(text: string): void {
    const count = this.#nGrams.cut(text);
    const { indices } = this.#nGrams;
    const weights = this.#weights;
    const { biases } = this.#head;
    const scale = 1 / Math.sqrt(Math.max(1, count));
    const labels = biases.length;
    for (let label = 0; label < labels; label += 1) {
      let sum = 0;
      for (let at = 0; at < count; at += 1) sum += weights[(indices[at] as number) * labels + label] as number;
      this.#scores[label] = (biases[label] as number) + sum * scale;
    }
  }
}

/**
 * A model from the bytes of its file, checked by hash and size; `kind` is which results it must give.
 *
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { textModel } from 'rxflume/text';
 *
 * export const sentiment = textModel(readFileSync('sentiment.rxtm'), 'sentiment');
 * ```
 *
 * Fails: `RXF_TEXT_MODEL` for bytes that are no model, are damaged, or are one of the other kind.
 */
export function textModel<K extends TextKind>(bytes: Uint8Array, kind: K, what = 'The model'): TextModel<K> {
  const model = new TextModel<K>(bytes, what);
  if (model.kind !== kind) throw modelError(what, `is one of ${model.kind}, not of ${kind}`);
  return model;
}
