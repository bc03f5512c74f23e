import { sentimentOf } from './model-parts.js';

/** A text's sentiment, and the probability of positive that a model gave it. */
export interface Placed {
  readonly label: string;
  readonly probability: number;
}

const STEP = 0.01;
const LABELS = ['positive', 'neutral', 'negative'];

/** The margin around 0.5 within which a text is neutral that gives the best mean of F1 over the three; `otherwise` without neutral texts. */
export function chosenMargin(texts: readonly Placed[], otherwise: number): number {
  if (texts.every(({ label }) => label !== 'neutral')) return otherwise;
  let best = { margin: 0, f1: 0 };
  for (let margin = 0; margin < 0.5 - STEP / 2; margin += STEP) {
    const f1 = meanF1(texts, margin);
    if (f1 > best.f1) best = { margin, f1 };
  }
  return best.margin;
}

function meanF1(texts: readonly Placed[], margin: number): number {
  const [hits, having, given] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const count = (map: Map<string, number>, label: string) => map.set(label, (map.get(label) ?? 0) + 1);
  for (const { label, probability } of texts) {
    const [said] = sentimentOf(probability, margin);
    count(having, label);
    count(given, said);
    if (said === label) count(hits, label);
  }
  const f1s = LABELS.map((label) => {
    const sum = (having.get(label) ?? 0) + (given.get(label) ?? 0);
    return sum === 0 ? 0 : (2 * (hits.get(label) ?? 0)) / sum;
  });
  return f1s.reduce((sum, f1) => sum + f1, 0) / LABELS.length;
}
