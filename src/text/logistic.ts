/** Texts as sparse vectors, one after the other: text `n` has the entries from `starts[n]` to `starts[n + 1]`. */
export interface Vectors {
  readonly starts: Int32Array;
  /** The indices of each text, ascending, each once. */
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

export interface Fitted {
  readonly weights: Float32Array;
  readonly bias: number;
}

export interface FitSetting {
  readonly size: number;
  readonly epochs: number;
  readonly seed: number;
}

const RATE = 0.5;
const BIAS_RATE = 0.01;
const FIRST_SQUARE = 0.01;
const L2 = 1e-6;
const SMOOTHING = 1;

/**
 * Logistic regression of one label against the rest, by AdaGrad, on vectors that are scaled by the log-ratio of how often an n-gram is in
 * texts of the label and in others. The ratio is in the weights that are returned, so that scoring needs only them. The same input and
 * seed give the same weights.
 *
 * Source: Wang and Manning, "Baselines and bigrams", ACL 2012; Duchi et al., "Adaptive subgradient methods", JMLR 2011.
 */
export function fitLogistic(
  { starts, indices, values }: Vectors,
  texts: Int32Array,
  isLabel: Uint8Array,
  { size, epochs, seed }: FitSetting,
): Fitted {
  const ratios = logRatios({ starts, indices, values }, texts, isLabel, size);
  const weights = new Float32Array(size);
  const squares = new Float32Array(size).fill(FIRST_SQUARE);
  let bias = 0;
  const random = randomOf(seed);
  const order = texts.slice();
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    shuffle(order, random);
    for (let at = 0; at < order.length; at += 1) {
      const text = order[at] as number;
      const [from, to] = [starts[text] as number, starts[text + 1] as number];
      let score = bias;
      for (let n = from; n < to; n += 1) {
        const index = indices[n] as number;
        score += (weights[index] as number) * (values[n] as number) * (ratios[index] as number);
      }
      const error = 1 / (1 + Math.exp(-score)) - (isLabel[text] as number);
      bias -= BIAS_RATE * error;
      for (let n = from; n < to; n += 1) {
        const index = indices[n] as number;
        const gradient = error * (values[n] as number) * (ratios[index] as number) + L2 * (weights[index] as number);
        squares[index] = (squares[index] as number) + gradient * gradient;
        weights[index] = (weights[index] as number) - (RATE * gradient) / Math.sqrt(squares[index]);
      }
    }
  }
  for (let index = 0; index < size; index += 1) {
    weights[index] = (weights[index] as number) * (ratios[index] as number);
  }
  return { weights, bias };
}

/** Naive Bayes: the log of how much more often an index is in texts of the label. 0 of what is in none. */
function logRatios({ starts, indices }: Vectors, texts: Int32Array, isLabel: Uint8Array, size: number): Float32Array {
  const counts = [new Float32Array(size), new Float32Array(size)] as const;
  for (const text of texts) {
    const own = counts[isLabel[text] === 1 ? 1 : 0];
    const to = starts[text + 1] as number;
    for (let n = starts[text] as number; n < to; n += 1)
      own[indices[n] as number] = (own[indices[n] as number] as number) + 1;
  }
  const [others, ofLabel] = counts;
  const isUsed = (index: number) => (others[index] as number) + (ofLabel[index] as number) > 0;
  const sums = [0, 0];
  for (let index = 0; index < size; index += 1) {
    if (!isUsed(index)) continue;
    sums[0] = (sums[0] as number) + (others[index] as number) + SMOOTHING;
    sums[1] = (sums[1] as number) + (ofLabel[index] as number) + SMOOTHING;
  }
  const base = Math.log((sums[1] as number) / (sums[0] as number));
  const ratios = new Float32Array(size);
  for (let index = 0; index < size; index += 1) {
    if (!isUsed(index)) continue;
    ratios[index] = Math.log(((ofLabel[index] as number) + SMOOTHING) / ((others[index] as number) + SMOOTHING)) - base;
  }
  return ratios;
}

/** Numbers in [0, 1), the same for the same seed. Source: mulberry32, Tommy Ettinger, public domain. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fisher and Yates. */
export function shuffle(list: Int32Array, random: () => number): void {
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const kept = list[at] as number;
    list[at] = list[other] as number;
    list[other] = kept;
  }
}
