import { command } from '../command.js';
import { MODEL_OPTIONS, type ModelAsked, readModelArguments } from '../model/asked.js';

export const model = command<ModelAsked>({
  name: 'model',
  usage: [
    'model train <file>… --kind sentiment|topics --out <model> --source <text> --licence <text>',
    'model evaluate <model> <file>… [--json]',
    'model explain <model> <text> [--count <n>] [--json]',
  ],
  summary: 'train a model on labelled texts, say how it does on others, and which parts of a text decided',
  options: MODEL_OPTIONS,
  optionsHelp: [
    '--kind <kind>          of train: sentiment (positive, neutral, negative), or topics (any number of labels)',
    '--out <model>          of train: the file of the model',
    '--source <text>        of train: where the texts are from; kept in the model',
    '--licence <text>       of train: their licence; kept in the model',
    '--limits <text>        of train: what the model is not validated for; kept in the model',
    '--seed <n>             of train: the order of texts (default 1)',
    '--count <n>            of explain: how many parts for each label (default 10)',
    '--json                 print one JSON object, for programs',
  ],
  notes: `A file of labelled texts is JSON lines, such as {"text":"Late again","label":"negative"}, or with "labels":["delivery"]; or .csv with
the columns text and label, where several labels are separated by |. What is there twice is left out before texts are split.`,
  exitCodes: '0 done, 1 failed: texts or the model cannot be used',
  example:
    'rxflume model train reviews.csv --kind sentiment --out sentiment.rxtm --source "our shop, 2026" --licence own',
  read: readModelArguments,
  async run(asked, context) {
    const { modelCommand } = await import('../model/model.js');
    return modelCommand(asked, context);
  },
});
