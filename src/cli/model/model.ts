import { renameSync, writeFileSync } from 'node:fs';
import { timeOfDayMs } from '../../core/clock.js';
import { describeError, OptionError } from '../../core/errors.js';
import { shownPath } from '../../core/text.js';
import { readTextModel, trainTextModel } from '../../text/index.js';
import { isOwn } from '../load-flow.js';
import type { ModelAsked } from './asked.js';
import { labelledTexts } from './labelled-files.js';
import { evaluationText, explanationText, trainedText } from './model-text.js';

interface Setting {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/**
 * Trains a model, evaluates one on labelled texts, or explains what it says of a text.
 *
 * Fails: never; exit code 0 done, 1 texts or the model cannot be used.
 */
export async function modelCommand(asked: ModelAsked, { out, err }: Setting): Promise<0 | 1> {
  try {
    out.write(await printed(asked));
    return 0;
  } catch (error) {
    err.write(`rxflume: ${isOwn(error) ? `${error.code}: ` : ''}${describeError(error)}\n`);
    return 1;
  }
}

async function printed(asked: ModelAsked): Promise<string> {
  if (asked.action === 'train') {
    const { out, kind, source, licence, limits, seed, isJson } = asked;
    const date = new Date(timeOfDayMs()).toISOString().slice(0, 10);
    const model = trainTextModel(labelledTexts(asked.files), { kind, card: { source, licence, date, limits }, seed });
    const bytes = model.toBytes();
    written(out, bytes);
    const trained = { file: out, bytes: bytes.length, version: model.version, kind, card: model.card };
    return isJson ? line(trained) : trainedText(trained);
  }
  const model = await readTextModel(asked.model);
  if (asked.action === 'evaluate') {
    const evaluated = {
      version: model.version,
      kind: model.kind,
      evaluation: model.evaluate(labelledTexts(asked.files)),
    };
    return asked.isJson ? line(evaluated) : evaluationText(evaluated.evaluation);
  }
  const explained = {
    version: model.version,
    kind: model.kind,
    result: model.classify(asked.text),
    reasons: model.explain(asked.text, asked.count),
  };
  return asked.isJson ? line(explained) : explanationText(explained);
}

/** Whole or not at all: a flow may read it at any time. */
function written(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(`${file}.part`, bytes);
    renameSync(`${file}.part`, file);
  } catch (cause) {
    throw new OptionError('RXF_TEXT_MODEL', `Cannot write ${shownPath(file)}: ${describeError(cause)}.`, { cause });
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
