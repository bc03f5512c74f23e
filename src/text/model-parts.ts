import type { Calibration } from './calibration.js';
import type { TextEvaluation } from './evaluation.js';
import type { TextKind } from './labelled-text.js';
import type { NGramForm } from './n-grams.js';

/** Where a model comes from and what it is good for: what its author says, and what was measured. */
export interface DataCard {
  /** Where its texts are from. */
  readonly source: string;
  /** The licence of its texts. */
  readonly licence: string;
  /** When it was trained, such as `2026-11-28`. */
  readonly date: string;
  /** What it is not validated for, and other limits. */
  readonly limits: string;
  /** How many different texts it was trained on, and how many were left out. */
  readonly texts: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** By how many folds it was evaluated. */
  readonly folds: number;
  /** Of each text by a model that was trained on the other folds. */
  readonly evaluation: TextEvaluation;
}

/** All that scoring needs, without the weights. */
export interface ModelHead {
  readonly kind: TextKind;
  readonly form: NGramForm;
  /** Of a sentiment `positive` alone, whose opposite is `negative`. */
  readonly labels: readonly string[];
  /** Of each label. */
  readonly biases: readonly number[];
  readonly calibrations: readonly Calibration[];
  /** A sentiment is neutral where the probability of positive is closer to 0.5. */
  readonly margin: number;
  readonly card: DataCard;
}

export interface ModelParts {
  readonly head: ModelHead;
  /** Of the n-gram `i` and the label `j` at `i × labels + j`. */
  readonly weights: Float32Array;
}

const [POSITIVE, NEUTRAL, NEGATIVE] = [['positive'], ['neutral'], ['negative']] as const;

/** The sentiment that a probability of positive means. */
export function sentimentOf(probability: number, margin: number): readonly ['positive' | 'neutral' | 'negative'] {
  if (Math.abs(probability - 0.5) < margin) return NEUTRAL;
  return probability >= 0.5 ? POSITIVE : NEGATIVE;
}
