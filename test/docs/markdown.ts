import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The documents a reader is sent to, by their path in the repository. */
export const documents: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export function textOf(document: string): string {
  return readFileSync(`${root}${document}`, 'utf8');
}

export interface CodeBlock {
  readonly document: string;
  readonly language: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

export function codeBlocks(document: string): CodeBlock[] {
  return blocksOf(document, textOf(document));
}

/** The code blocks of the docstrings, with the lines of the source file. */
export function docstringBlocks(): CodeBlock[] {
  return ['src', 'operators'].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .flatMap((name) => {
        const text = textOf(`${folder}/${name}`);
        if (!text.includes(' * ```')) return [];
        const lines = text.split('\n').map((line) => /^\s*\* ?(?!\/)(.*)/.exec(line)?.[1] ?? '');
        return blocksOf(`${folder}/${name}`, lines.join('\n'));
      }),
  );
}

function blocksOf(document: string, content: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; language: string; line: number; code: string[] } | undefined;
  for (const [at, text] of content.split('\n').entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(text);
    if (open === undefined) {
      if (fence !== null) open = { fence: fence[1] as string, language: fence[2] as string, line: at + 2, code: [] };
    } else if (fence !== null && fence[2] === '' && (fence[1] as string).startsWith(open.fence)) {
      blocks.push({ document, language: open.language, line: open.line, code: open.code.join('\n') });
      open = undefined;
    } else open.code.push(text);
  }
  if (open !== undefined) throw new Error(`${document}:${open.line - 1}: a code block is not closed`);
  return blocks;
}

/** The text with its code blocks as empty lines, so that lines keep their numbers. */
export function prose(document: string): string {
  const lines = textOf(document).split('\n');
  for (const { line, code } of codeBlocks(document)) lines.fill('', line - 2, line + code.split('\n').length);
  return lines.join('\n');
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The tables under a heading, up to the next of the same or a higher level. */
export function tablesUnder(document: string, heading: string): Table[] {
  const lines = prose(document).split('\n');
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  if (start < 0) throw new Error(`${document} has no heading ${heading}`);
  const level = /^#+/.exec(lines[start] as string)?.[0].length ?? 1;
  const tables: { head: string[]; rows: string[][] }[] = [];
  let table: { head: string[]; rows: string[][] } | undefined;
  for (const line of lines.slice(start + 1)) {
    const next = /^(#+) /.exec(line)?.[1];
    if (next !== undefined && next.length <= level) break;
    if (!line.startsWith('|')) table = undefined;
    else if (table === undefined) {
      table = { head: cellsOf(line), rows: [] };
      tables.push(table);
    } else if (!/^[|\s:-]+$/.test(line)) table.rows.push(cellsOf(line));
  }
  return tables;
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}
