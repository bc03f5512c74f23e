import { shownText } from '../../core/text.js';
import type { DataCard, Proportion, Reason, Sentiment, TextEvaluation, Topics } from '../../text/index.js';

/** A model that was trained, to be printed. */
export interface TrainedReport {
  readonly file: string;
  readonly bytes: number;
  readonly version: string;
  readonly kind: string;
  readonly card: DataCard;
}

/** What a model says of a text, and why, to be printed. */
export interface ExplainedReport {
  readonly version: string;
  readonly result: Sentiment | Topics;
  readonly reasons: readonly Reason[];
}

export function trainedText({ file, bytes, version, kind, card }: TrainedReport): string {
  const limits = card.limits === '' ? [] : [`limits: ${shownText(card.limits)}`];
  return [
    `${file}: ${kind}, version ${version}, ${bytes} bytes`,
    `texts: ${card.texts}; ${card.duplicates} duplicates and ${card.conflicts} contradictions left out`,
    `source: ${shownText(card.source)}`,
    `licence: ${shownText(card.licence)}`,
    ...limits,
    `Evaluation in ${card.folds} folds, each text by a model that did not see it; in brackets the interval of 95 %:`,
    evaluationText(card.evaluation),
  ].join('\n');
}

export function evaluationText(evaluation: TextEvaluation): string {
  const { texts, accuracy, polarity, decided, labels, confusion, brier, calibrationError } = evaluation;
  const width = Math.max(...labels.map(({ label }) => shownText(label).length), 8);
  const rows = labels.map(
    ({ label, count, precision, recall, f1 }) =>
      `  ${shownText(label).padEnd(width)}  ${`${count}`.padStart(7)}  ${shown(precision)}  ${shown(recall)}  ${f1.toFixed(3)}`,
  );
  return [
    `  all labels right     ${shown(accuracy)} of ${texts}`,
    ...(polarity === undefined ? [] : [`  positive or negative ${shown(polarity)} of ${polarity.count}`]),
    ...(decided === undefined ? [] : [`  where not neutral    ${shown(decided)} of ${decided.count}`]),
    `  calibration error ${calibrationError.toFixed(3)}, Brier score ${brier.toFixed(3)}`,
    '',
    `  ${'label'.padEnd(width)}  ${'texts'.padStart(7)}  ${'precision'.padEnd(21)}  ${'recall'.padEnd(21)}  F1`,
    ...rows,
    ...(confusion === undefined
      ? []
      : confusionLines(
          labels.map(({ label }) => label),
          confusion,
        )),
    '',
  ].join('\n');
}

function confusionLines(labels: readonly string[], confusion: readonly (readonly number[])[]): string[] {
  const cells = (list: readonly (string | number)[]) => list.map((one) => `${one}`.padStart(9)).join('');
  return [
    '',
    `  ${'is \\ given'.padEnd(12)}${cells(labels)}`,
    ...confusion.map((row, at) => `  ${(labels[at] as string).padEnd(12)}${cells(row)}`),
  ];
}

export function explanationText({ version, result, reasons }: ExplainedReport): string {
  const head =
    'label' in result
      ? `${result.label}: positive with a probability of ${result.probability.toFixed(3)}`
      : `${result.labels.map(shownText).join(', ') || 'no topic'}`;
  const rows = reasons.map(({ label, text, weight, count }) => {
    const sign = weight < 0 ? '' : '+';
    return `  ${`${sign}${weight.toFixed(3)}`.padStart(8)}  ${shownText(label)}  ${JSON.stringify(shownText(text))}${count > 1 ? ` ×${count}` : ''}`;
  });
  return `${head} (model ${version})\n${rows.join('\n')}\n`;
}

function shown({ value, low, high }: Proportion): string {
  return `${value.toFixed(3)} [${low.toFixed(3)} … ${high.toFixed(3)}]`;
}
