/** More edits than these are another word, not a slip of the fingers. */
const MOST_EDITS = 2;

/** The known word that was probably meant, as the end of a message: ``; did you mean `check`?``. Empty where none is near. */
export function suggestion(word: string, known: readonly string[], prefix = ''): string {
  const near = known
    .map((one) => ({ one, edits: editsBetween(word, one) }))
    .filter(({ one, edits }) => edits <= MOST_EDITS && edits < one.length - 1)
    .sort((a, b) => a.edits - b.edits)[0];
  return near === undefined ? '' : `; did you mean \`${prefix}${near.one}\`?`;
}

/** Letters to insert, remove, change, or swap with their neighbour. Source: optimal string alignment distance. */
function editsBetween(a: string, b: string): number {
  let older: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const own = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const [above, left, corner] = [before[column], own[column - 1], before[column - 1]] as [number, number, number];
      let edits = Math.min(above + 1, left + 1, corner + (isSame ? 0 : 1));
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwapped) edits = Math.min(edits, (older[column - 2] as number) + 1);
      own.push(edits);
    }
    older = before;
    before = own;
  }
  return before[b.length] as number;
}
