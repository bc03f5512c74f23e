import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readTextModel, textModel, trainTextModel } from '../../src/text/index.js';
import { randomOf } from '../../src/text/logistic.js';
import { NGrams } from '../../src/text/n-grams.js';
import { CARD, questions, reviews } from './texts.js';

const folder = mkdtempSync(join(tmpdir(), 'rxflume-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = { card: CARD, bits: 14, margin: 0 } as const;
const sentiment = trainTextModel(reviews(), { kind: 'sentiment', ...small });
const topics = trainTextModel(questions(), { kind: 'topics', ...small });
const unread = (error: unknown) => ({ code: 'RXF_TEXT_MODEL', message: expect.stringMatching(error as string) });

describe('a model of sentiments', () => {
  it('judges texts it has not seen, Chinese too, whatever their case and width', () => {
    const label = (text: string) => sentiment.classify(text).label;
    expect(['a good stew', 'A BAD STEW', 'ｂａｄ ｓｔｅｗ', '味道很好', '很失望'].map(label)).toEqual([
      ...['positive', 'negative', 'negative', 'positive', 'negative'],
    ]);
    expect(sentiment.classify('good').model).toBe(sentiment.version);
    expect(sentiment.classify('').probability).toBeCloseTo(0.5, 1);
  });

  it('says neutral within the margin that fits neutral texts, and outside it never', () => {
    const model = trainTextModel(reviews({ withNeutral: true }), { kind: 'sentiment', ...small });
    expect(['good stew', 'stew at noon', 'bad stew'].map((text) => model.classify(text).label)).toEqual([
      ...['positive', 'neutral', 'negative'],
    ]);
    const { confusion, polarity, labels } = model.card.evaluation;
    expect(labels.map(({ label, count }) => [label, count])).toEqual([
      ['negative', 12],
      ['neutral', 12],
      ['positive', 12],
    ]);
    expect([confusion?.flat().reduce((sum, one) => sum + one), polarity?.count]).toEqual([36, 24]);
  });

  it('explains with the parts of the text that decided, which add up to what it scored', () => {
    const reasons = sentiment.explain('Good, BAD stew', 100);
    const weight = (text: string) => reasons.find((one) => one.text === text)?.weight ?? 0;
    expect([weight('Good') > 0, weight('BAD') < 0]).toEqual([true, true]);
    const logOdds = (text: string) => {
      const { probability } = sentiment.classify(text);
      return Math.log(probability / (1 - probability));
    };
    const sum = reasons.reduce((all, one) => all + one.weight, 0);
    expect(sum).toBeCloseTo(logOdds('Good, BAD stew') - logOdds(''), 5);
  });

  it('is evaluated by models that did not see a text: labels by chance are right by chance', () => {
    const random = randomOf(7);
    const coin = () => random() < 0.5;
    const word = () => Math.floor(random() * 400).toString(36);
    const texts = Array.from({ length: 600 }, (_, n) => ({
      text: `${word()} ${word()} ${word()} n${n}`,
      labels: [coin() ? 'positive' : 'negative'],
    }));
    const { accuracy, polarity } = trainTextModel(texts, { kind: 'sentiment', ...small }).card.evaluation;
    expect(polarity?.value).toBeGreaterThan(0.4);
    expect(polarity?.value).toBeLessThan(0.6);
    expect([accuracy.low < accuracy.value, accuracy.value < accuracy.high]).toEqual([true, true]);
  });

  it('leaves duplicates out before it splits', () => {
    const model = trainTextModel([...reviews(), ...reviews()], { kind: 'sentiment', ...small });
    expect(model.card).toMatchObject({ texts: 24, duplicates: 24, conflicts: 0, folds: 5, source: 'made up' });
    // Half of them once more would be known by heart.
    expect(model.card.evaluation.texts).toBe(24);
    expect(model.evaluate([...reviews(), ...reviews()]).texts).toBe(24);
  });

  it('is the same for the same texts and seed', () => {
    const again = trainTextModel(reviews(), { kind: 'sentiment', ...small });
    expect(again.version).toBe(sentiment.version);
    expect(trainTextModel(reviews(), { kind: 'sentiment', ...small, seed: 2 }).version).not.toBe(sentiment.version);
  });
});

describe('a model of topics', () => {
  it('gives each text all topics that it has, and none', () => {
    const given = (text: string) => topics.classify(text).labels;
    expect(topics.labels).toEqual(['delivery', 'refund']);
    expect(given('my parcel is not here, I want my money back')).toEqual(['delivery', 'refund']);
    expect([given('money back'), given('where is it, the parcel'), given('thanks')]).toEqual([
      ['refund'],
      ['delivery'],
      [],
    ]);
    expect(topics.classify('money back').probabilities).toHaveLength(2);
    expect(topics.card.evaluation.labels.map(({ f1 }) => f1 > 0.9)).toEqual([true, true]);
  });
});

describe('labelled texts that cannot be used are rejected with their number', () => {
  it.each([
    ['another label', [...reviews(), { text: 'x', labels: ['good'] }], /text 25 .*positive, neutral, negative.*"good"/],
    ['two sentiments', [...reviews(), { text: 'x', labels: ['positive', 'negative'] }], /text 25 .*2 labels/],
    ['no text', [{ labels: ['positive'] } as never], /text 1 /],
    [
      'one side only',
      reviews().filter(({ labels }) => labels[0] === 'positive'),
      /different texts of `negative`, got 0/,
    ],
  ])('%s', (_, texts, message) => {
    const call = () => trainTextModel(texts, { kind: 'sentiment', ...small });
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_TEXT_DATA', message: expect.stringMatching(message) }));
  });
});

describe('the file of a model', () => {
  const bytes = sentiment.toBytes();

  it('gives the same model again', async () => {
    writeFileSync(join(folder, 'good.rxtm'), bytes);
    const read = await readTextModel(join(folder, 'good.rxtm'), { kind: 'sentiment' });
    expect([read.version, read.card]).toEqual([sentiment.version, sentiment.card]);
    for (const text of ['good', 'bad soup', '']) expect(read.classify(text)).toEqual(sentiment.classify(text));
  });

  it('is rejected for any byte that differs, and wherever it is cut off', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] as number) ^ by;
        expect(() => textModel(damaged, 'sentiment')).toThrow(expect.objectContaining({ code: 'RXF_TEXT_MODEL' }));
        const cut = bytes.slice(0, at);
        expect(() => textModel(cut, 'sentiment')).toThrow(expect.objectContaining({ code: 'RXF_TEXT_MODEL' }));
      }),
      { numRuns: 60 },
    );
  });

  it('is rejected by kind, by size before it is read, and where it is none', async () => {
    expect(() => textModel(bytes, 'topics')).toThrow(
      expect.objectContaining(unread('is one of sentiment, not of topics')),
    );
    // Sparse: reading it would take 8 GiB.
    const huge = join(folder, 'huge.rxtm');
    writeFileSync(huge, bytes);
    truncateSync(huge, 2 ** 33);
    await expect(readTextModel(huge)).rejects.toMatchObject(unread('has 8589934592 bytes, more than'));
    await expect(readTextModel(join(folder, 'none'))).rejects.toMatchObject(unread('cannot be read: ENOENT'));
    await expect(readTextModel(folder)).rejects.toMatchObject(unread('is no file|EISDIR'));
    expect(() => textModel(new Uint8Array(100), 'sentiment')).toThrow(expect.objectContaining(unread('is no model')));
  });
});

describe('n-grams', () => {
  const nGrams = new NGrams({ bits: 18, maxCharacters: 50 });
  const cut = (text: string) => [...new Set(nGrams.places(text).map(({ from, to }) => text.slice(from, to)))].sort();

  it('are words, pairs of words and four characters within words; Han characters and marks are words', () => {
    expect(cut('so good')).toEqual([' goo', 'good', 'ood', 'so', 'so good'].sort());
    expect(cut('很好!')).toEqual(['!', '好', '好!', '很', '很好'].sort());
  });

  it('never outgrow their buffer, and read no more than they may', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', '!', ' ', '好', '\ud83d', '\ude00'), maxLength: 80 }),
        (text) => {
          const count = nGrams.cut(text);
          expect(count).toBeLessThanOrEqual(nGrams.indices.length);
          expect(nGrams.cut(text.slice(0, 50))).toBe(count);
        },
      ),
    );
  });
});
