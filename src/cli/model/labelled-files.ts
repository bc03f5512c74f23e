import { readFileSync, statSync } from 'node:fs';
import { describeError, describeValue, OptionError } from '../../core/errors.js';
import { shownPath } from '../../core/text.js';
import { csvRecord } from '../../formats/csv-record.js';
import type { LabelledText } from '../../text/index.js';

const MAX_BYTES = 256 * 1_048_576;

/**
 * The labelled texts of files: JSON lines, or CSV by the name `.csv`.
 *
 * Bounds: 256 MiB a file.
 * Fails: `RXF_TEXT_DATA`, with the file and the line, for what cannot be read or is no labelled text.
 */
export function labelledTexts(files: readonly string[]): readonly LabelledText[] {
  return files.flatMap((file) => {
    const text = contents(file);
    const read = /\.csv$/i.test(file) ? csvTexts : jsonTexts;
    return read(text, (line, why) => dataError(`${shownPath(file)}:${line}`, why));
  });
}

type Fault = (line: number, why: string) => OptionError;

function contents(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_BYTES) throw dataError(shownPath(file), `it has ${size} bytes, more than ${MAX_BYTES}`);
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    if (cause instanceof OptionError) throw cause;
    throw dataError(shownPath(file), `it cannot be read: ${describeError(cause)}`);
  }
}

function jsonTexts(text: string, fault: Fault): LabelledText[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return [];
    let value: { readonly text?: unknown; readonly label?: unknown; readonly labels?: unknown } | null;
    try {
      value = JSON.parse(line) as typeof value;
    } catch {
      throw fault(at + 1, 'it is no JSON');
    }
    const labels = value?.labels ?? (value?.label === undefined ? undefined : [value.label]);
    if (typeof value?.text !== 'string' || !Array.isArray(labels) || labels.some((one) => typeof one !== 'string')) {
      throw fault(at + 1, 'it has no `text` with a `label`, or `labels` in a list');
    }
    return { text: value.text, labels: labels as string[] };
  });
}

function csvTexts(text: string, fault: Fault): LabelledText[] {
  const [header, ...records] = csvRecords(text, fault);
  if (header === undefined) throw fault(1, 'it has no header');
  const names = header.fields.map((name) => name.trim().toLowerCase());
  const [textAt, labelAt] = [names.indexOf('text'), names.findIndex((name) => name === 'label' || name === 'labels')];
  if (textAt < 0 || labelAt < 0) {
    throw fault(1, `its header has no \`text\` and \`label\`, but ${describeValue(header.fields.join(','))}`);
  }
  return records.map(({ line, fields }) => {
    if (fields.length !== names.length) throw fault(line, `it has ${fields.length} fields, not ${names.length}`);
    const labels = (fields[labelAt] as string).split('|').map((label) => label.trim());
    return { text: fields[textAt] as string, labels: labels.filter((label) => label !== '') };
  });
}

/** The records with the line on which each begins: a quoted field may have line ends. */
function csvRecords(text: string, fault: Fault): { readonly line: number; readonly fields: readonly string[] }[] {
  const records: { readonly line: number; readonly fields: readonly string[] }[] = [];
  let begun: { readonly line: number; text: string } | undefined;
  const lines = text.split('\n');
  for (const [at, line] of lines.entries()) {
    if (begun === undefined && line.trim() === '') continue;
    begun = begun === undefined ? { line: at + 1, text: line } : { line: begun.line, text: `${begun.text}\n${line}` };
    const isOpen = begun.text.split('"').length % 2 === 0;
    if (isOpen && at < lines.length - 1) continue;
    try {
      records.push({ line: begun.line, fields: csvRecord(begun.text.replace(/\r$/, ''), ',').texts });
    } catch (cause) {
      throw fault(begun.line, `it is no CSV: ${describeError(cause)}`);
    }
    begun = undefined;
  }
  return records;
}

function dataError(where: string, why: string): OptionError {
  return new OptionError('RXF_TEXT_DATA', `Cannot use ${where}: ${why}. Correct the labelled texts.`);
}
