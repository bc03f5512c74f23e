/** Makes a probability of a score: 1 / (1 + e^-(slope · score + offset)). */
export interface Calibration {
  readonly slope: number;
  readonly offset: number;
}

export function probabilityOf(score: number, { slope, offset }: Calibration): number {
  return 1 / (1 + Math.exp(-(slope * score + offset)));
}

const ROUNDS = 50;
const RIDGE = 1e-9;

/**
 * Fits slope and offset to scores of texts that were not trained on, with Platt's targets, which keep it from certainty.
 *
 * Source: Platt, "Probabilistic outputs for support vector machines", 1999; Newton's method with halved steps, Lin, Lin and Weng, 2007.
 */
export function calibrate(scores: readonly number[], isLabel: readonly boolean[]): Calibration {
  const ofLabel = isLabel.filter(Boolean).length;
  const [high, low] = [(ofLabel + 1) / (ofLabel + 2), 1 / (isLabel.length - ofLabel + 2)];
  const targets = isLabel.map((is) => (is ? high : low));
  let calibration: Calibration = { slope: 1, offset: Math.log((ofLabel + 1) / (isLabel.length - ofLabel + 1)) };
  let loss = lossOf(scores, targets, calibration);
  for (let round = 0; round < ROUNDS; round += 1) {
    let [ss, so, oo, s, o] = [RIDGE, 0, RIDGE, 0, 0];
    for (let n = 0; n < scores.length; n += 1) {
      const score = scores[n] as number;
      const probability = probabilityOf(score, calibration);
      const error = probability - (targets[n] as number);
      const curve = probability * (1 - probability);
      s += error * score;
      o += error;
      ss += curve * score * score;
      so += curve * score;
      oo += curve;
    }
    const determinant = ss * oo - so * so;
    const step = { slope: -(oo * s - so * o) / determinant, offset: -(ss * o - so * s) / determinant };
    let size = 1;
    let next = calibration;
    let nextLoss = loss;
    for (; size > 1e-6; size /= 2) {
      next = { slope: calibration.slope + size * step.slope, offset: calibration.offset + size * step.offset };
      nextLoss = lossOf(scores, targets, next);
      if (nextLoss < loss) break;
    }
    if (!(nextLoss < loss - 1e-9)) break;
    calibration = next;
    loss = nextLoss;
  }
  return calibration;
}

/** The log loss, without overflow. */
function lossOf(scores: readonly number[], targets: readonly number[], { slope, offset }: Calibration): number {
  let sum = 0;
  for (let n = 0; n < scores.length; n += 1) {
    const margin = slope * (scores[n] as number) + offset;
    const target = targets[n] as number;
    sum +=
      margin >= 0
        ? (1 - target) * margin + Math.log1p(Math.exp(-margin))
        : -target * margin + Math.log1p(Math.exp(margin));
  }
  return sum;
}
