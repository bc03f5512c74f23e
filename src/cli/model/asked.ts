import type { TextKind } from '../../text/index.js';
import { nameOf, type OptionValues } from '../command.js';
import { suggestion } from '../suggestion.js';

/** What `rxflume model` is asked to do. */
export type ModelAsked =
  | {
      readonly action: 'train';
      readonly files: readonly string[];
      readonly kind: TextKind;
      readonly out: string;
      readonly source: string;
      readonly licence: string;
      readonly limits: string;
      readonly seed: number;
      readonly isJson: boolean;
    }
  | { readonly action: 'evaluate'; readonly model: string; readonly files: readonly string[]; readonly isJson: boolean }
  | {
      readonly action: 'explain';
      readonly model: string;
      readonly text: string;
      readonly count: number;
      readonly isJson: boolean;
    };

/** The options of the command, for `parseArgs`. */
export const MODEL_OPTIONS = {
  kind: { type: 'string' },
  out: { type: 'string' },
  source: { type: 'string' },
  licence: { type: 'string' },
  limits: { type: 'string' },
  seed: { type: 'string' },
  count: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const ACTIONS = ['train', 'evaluate', 'explain'] as const;
const OF_ACTION: Readonly<Record<(typeof ACTIONS)[number], readonly string[]>> = {
  train: ['kind', 'out', 'source', 'licence', 'limits', 'seed', 'json'],
  evaluate: ['json'],
  explain: ['count', 'json'],
};

/** Reads the arguments of `rxflume model`. Throws an `Error` that says what is wrong with one. */
export function readModelArguments([given, ...rest]: readonly string[], options: OptionValues): ModelAsked {
  const names = ACTIONS.map((name) => `\`${name}\``).join(', ');
  if (given === undefined) throw new Error(`\`model\` needs one of ${names}`);
  const action = ACTIONS.find((name) => name === given);
  if (action === undefined) {
    throw new Error(`expected \`model\` with one of ${names}, got \`${given}\`${suggestion(given, [...ACTIONS])}`);
  }
  const foreign = Object.keys(options).find((name) => options[name] !== undefined && !OF_ACTION[action].includes(name));
  if (foreign !== undefined) throw new Error(`\`model ${action}\` has no option \`--${foreign}\``);
  const isJson = options.json === true;
  if (action === 'train') return readTrain(rest, options, isJson);
  const [model, ...others] = rest;
  if (model === undefined) throw new Error(`\`model ${action}\` needs the file of a model`);
  if (action === 'evaluate') {
    if (others.length === 0) throw new Error('`model evaluate` needs a file of labelled texts, or several');
    return { action, model, files: others, isJson };
  }
  const [text, more] = others;
  if (text === undefined) throw new Error('`model explain` needs a text');
  if (more !== undefined) throw new Error(`\`model explain\` takes one text, in quotes; also got \`${more}\``);
  return { action, model, text, count: wholeOf(options, 'count', 10, 1), isJson };
}

function readTrain(files: readonly string[], options: OptionValues, isJson: boolean): ModelAsked {
  if (files.length === 0) throw new Error('`model train` needs a file of labelled texts, or several');
  const needed = (name: string) => {
    const value = nameOf(options, name);
    if (value === undefined) throw new Error(`\`model train\` needs \`--${name}\``);
    return value;
  };
  const kind = needed('kind');
  if (kind !== 'sentiment' && kind !== 'topics') {
    throw new Error(
      `expected \`--kind\` to be \`sentiment\` or \`topics\`, got \`${kind}\`${suggestion(kind, ['sentiment', 'topics'])}`,
    );
  }
  const own = { out: needed('out'), source: needed('source'), licence: needed('licence') };
  const limits = nameOf(options, 'limits') ?? '';
  return { action: 'train', files, kind, ...own, limits, seed: wholeOf(options, 'seed', 1, 0), isJson };
}

function wholeOf(options: OptionValues, name: string, otherwise: number, least: number): number {
  const text = nameOf(options, name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least) return value;
  throw new Error(`expected \`--${name}\` to be a whole number from ${least} to 999999999, got \`${text}\``);
}
