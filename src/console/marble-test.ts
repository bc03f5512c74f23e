import type { TapValue } from './contract.js';

/** One character names a delivery in a drawing. */
const NAMES = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];

/** Where values were tapped. */
export interface TappedEdge {
  readonly flow: string;
  readonly edge: number;
  /** The parts before it and behind it. */
  readonly from: string;
  readonly to: string;
}

/**
 * The values of a tap as a marble test, for Node's own test runner: its sink acks each a moment after it came. The operator under test goes
 * between the two rows. Values come from outside, so each is written as JSON or as bytes: data, never code.
 */
export function marbleTest({ flow, edge, from, to }: TappedEdge, kept: readonly TapValue[], date: string): string {
  const whole = kept.filter(({ cut }) => !cut).slice(-NAMES.length);
  const left = kept.length - whole.length;
  const rows = whole.map((value, at) => {
    const { stream, offset, redacted } = value;
    return `  // ${lineOf(`${stream} at ${offset}`)}${redacted ? ', redacted' : ''}\n  ${JSON.stringify(NAMES[at])}: ${codeOf(value, edge)},`;
  });
  const marbles = whole.map((_, at) => `-${NAMES[at]}`).join('');
  const title = `${flow}: what passed from ${lineOf(from)} to ${lineOf(to)}`;
  return `import test from 'node:test';
import { marbles } from 'rxflume/testing';

// Tapped from flow ${lineOf(flow)}, between ${lineOf(from)} and ${lineOf(to)}, on ${date}.
// Run it with \`npx tsx --test <this file>\`. In Jest or Vitest, import \`test\` from there.${
    left === 0
      ? ''
      : `\n// ${left} more are left out: a drawing has ${NAMES.length} names, and values that were cut have no end.`
  }

const values: Record<string, unknown> = {
${rows.join('\n')}
};

test(${JSON.stringify(title)}, () =>
  marbles((m) => {
    const settled$ = m.deliveries('${marbles}-|', values).pipe(
      // Put what you want to test here, such as \`filterValue(isWanted)\`, and draw what is left of the values.
      m.sink('-${marbles}'),
    );
    m.expectObservable(settled$);
    m.expectAcks('-${marbles}');
  }));
`;
}

/** Text in a comment, which ends at any line end. */
function lineOf(text: string): string {
  return text.replace(/[\r\n\u2028\u2029]+/g, ' ').slice(0, 200);
}

/** What a source passes on is bytes, as the broker has them; an operator passes objects on, which are shown as JSON, or text. */
function codeOf({ stream, text }: TapValue, edge: number): string {
  if (edge === 0 && /^(kafka|amqp)/.test(stream)) return `Buffer.from(${JSON.stringify(text)})`;
  try {
    JSON.parse(text);
    return text.trim();
  } catch {
    return JSON.stringify(text);
  }
}
