/** A measured value, and what it is a sum of. */
export interface Row {
  readonly basis: readonly number[];
  readonly y: number;
}

export interface LinearFit {
  /** One for each of the basis, none below 0. */
  readonly coefficients: readonly number[];
  /** The standard deviation of a measured value, as a share of it. */
  readonly deviation: number;
  readonly degrees: number;
  /** The value that the fit gives, and its standard error. */
  at(basis: readonly number[]): { readonly y: number; readonly error: number };
}

interface Solution {
  /** Which of the basis are in it. */
  readonly used: readonly number[];
  readonly weights: readonly number[];
  readonly inverse: readonly (readonly number[])[];
  /** The sum of the squared relative residuals. */
  readonly squares: number;
}

/**
 * Least squares of relative errors, with coefficients that may not be negative: of all choices of which are 0, the best that
 * holds. The first is never 0. For a handful of coefficients.
 */
export function fitLinear(rows: readonly Row[]): LinearFit {
  const size = (rows[0] as Row).basis.length;
  // In units of its own: a coefficient may be 1e-9 beside another of 1.
  const scales = Array.from({ length: size }, (_, at) =>
    Math.max(...rows.map(({ basis, y }) => (basis[at] as number) / y)),
  );
  const scaled = rows.map(({ basis, y }) => basis.map((value, at) => value / y / (scales[at] as number)));
  const choices = Array.from({ length: 2 ** (size - 1) }, (_, bits) =>
    Array.from({ length: size }, (_, at) => at).filter((at) => at === 0 || (bits >> (at - 1)) % 2 === 1),
  );
  const best = choices
    .map((used) => solve(scaled, used))
    .filter((solution) => solution?.weights.every((weight) => weight >= 0))
    .sort((a, b) => (a as Solution).squares - (b as Solution).squares)[0] as Solution;
  const degrees = Math.max(1, rows.length - best.used.length);
  const deviation = Math.sqrt(best.squares / degrees);
  const coefficients = Array.from({ length: size }, () => 0);
  for (const [at, index] of best.used.entries()) {
    coefficients[index] = (best.weights[at] as number) / (scales[index] as number);
  }
  return {
    coefficients,
    deviation,
    degrees,
    at: (basis) => {
      const point = best.used.map((index) => (basis[index] as number) / (scales[index] as number));
      const y = point.reduce((sum, value, at) => sum + value * (best.weights[at] as number), 0);
      const spread = point.reduce(
        (sum, value, row) =>
          sum +
          point.reduce((inner, other, column) => inner + value * other * (best.inverse[row]?.[column] as number), 0),
        0,
      );
      return { y, error: deviation * Math.sqrt(Math.max(0, spread)) };
    },
  };
}

/** The normal equations of rows whose value is 1, by elimination with pivots. */
function solve(rows: readonly (readonly number[])[], used: readonly number[]): Solution | undefined {
  const picked = rows.map((row) => used.map((at) => row[at] as number));
  const size = used.length;
  const matrix = used.map((_, row) => [
    ...used.map((_, column) => picked.reduce((sum, one) => sum + (one[row] as number) * (one[column] as number), 0)),
    ...used.map((_, column) => (row === column ? 1 : 0)),
  ]);
  for (let column = 0; column < size; column += 1) {
    const below = matrix.slice(column).map((row) => Math.abs(row[column] as number));
    const pivot = column + below.indexOf(Math.max(...below));
    if (!(Math.abs(matrix[pivot]?.[column] as number) > 1e-14)) return undefined;
    [matrix[column], matrix[pivot]] = [matrix[pivot] as number[], matrix[column] as number[]];
    const own = matrix[column] as number[];
    const lead = own[column] as number;
    for (let at = 0; at < own.length; at += 1) own[at] = (own[at] as number) / lead;
    for (const [at, row] of matrix.entries()) {
      const factor = row[column] as number;
      if (at === column || factor === 0) continue;
      for (let index = 0; index < row.length; index += 1)
        row[index] = (row[index] as number) - factor * (own[index] as number);
    }
  }
  const inverse = matrix.map((row) => row.slice(size));
  const right = used.map((_, at) => picked.reduce((sum, row) => sum + (row[at] as number), 0));
  const weights = inverse.map((row) => row.reduce((sum, value, at) => sum + value * (right[at] as number), 0));
  const squares = picked.reduce(
    (sum, row) => sum + (1 - row.reduce((y, value, at) => y + value * (weights[at] as number), 0)) ** 2,
    0,
  );
  return { used, weights, inverse, squares };
}
