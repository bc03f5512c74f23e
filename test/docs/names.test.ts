import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { documents, prose, root, textOf } from './markdown.js';

const PATH = /^(?:[\w@./-]+\.(?:ts|mjs|md)|(?:src|operators|bench|chaos|test|scripts|docs|examples|deploy)\/[\w./-]*)$/;
const NAME = /^[A-Za-z]\w*\$?(?:\.[A-Za-z]\w*\$?)?(?:\(\))?$/;
/** Not ours: a variable of Node, and a commit of this repository. */
const FOREIGN = ['UV_THREADPOOL_SIZE', 'e1f8055'];

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n');
const words = new Set(
  files
    .filter((file) => /^(src|operators|bench|chaos|scripts|examples)\/.*\.(ts|mjs)$/.test(file))
    .flatMap((file) => readFileSync(join(root, file), 'utf8').match(/[A-Za-z]\w*\$?/g) ?? []),
);

/** Words of earlier versions, each with the one to use now. Each expression says what of the word is idiomatic all the same. */
const OLD_WORDS: readonly (readonly [old: RegExp, now: string])[] = [
  [/(?<!connection |ECONN)refus(?:e(?!s connections)|al|ing)/i, 'rejects, or nacks inside a flow'],
  [/\btold\b/i, 'reported, distinguished, given'],
  [/\bt(?:ake|akes|aken|aking|ook) (?:(?!to )\w+ ){0,2}up\b(?! to)|take(?:n)?up(?![a-z])/i, 'resumes from'],
  [/\b(?:comes?|coming|came) again\b/i, 'is redelivered'],
  [/\b(?:stands?|stood|standing)\b(?! for)(?!-)/i, 'exists, is open, is'],
  [/\bfigures?\b/i, 'metric'],
  [/\bnotices?\b/i, 'log event; detects'],
  [/\bmend(?:s|ed|ing)?\b/i, 'repairs'],
  [/\bwhoever\b/i, 'the thing that it is'],
  [/\bnobody knows\b/i, 'it is unknown'],
  [/\bfor ever\b/i, 'forever'],
  [/\btwins?\b/i, 'duplicate'],
  [/\bdut(?:y|ies)\b/i, 'acker'],
];
/** The adjective, not the type. */
const VOID = [/(?<!: |=> |<)\bvoid\b/i, 'stale'] as const;
const QUOTED = /`[^`\n]*`/g;

function oldWords(file: string, text: string, words = OLD_WORDS): string[] {
  return text
    .split('\n')
    .flatMap((line, at) =>
      words.filter(([old]) => old.test(line)).map(([old, now]) => `${file}:${at + 1}: ${old.exec(line)?.[0]} → ${now}`),
    );
}

it('no old word is in the code, its names and its comments', () => {
  const sources = files.filter((file) => /^(src|operators)\/.*\.ts$/.test(file));
  const found = sources.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const comments = text.replaceAll(/^(?!\s*(?:\/\*| \* |\/\/)).*$/gm, '').replaceAll(QUOTED, '');
    return [...oldWords(file, text), ...oldWords(file, comments, [VOID])];
  });
  expect(found).toEqual([]);
});

it('no old word is in a title of a test', () => {
  const title =
    /(?:\b(?:it|test|describe|check|amqpCheck)(?:\.\w+)*(?:\([^()]*\))?|\]\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;
  const found = files
    .filter((file) => /^(test|src\/testing)\/.*\.ts$/.test(file))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(title)].flatMap(([, , text = '']) =>
        oldWords(file, text, [...OLD_WORDS, VOID]).map((one) => `${one} in '${text}'`),
      ),
    );
  expect(found).toEqual([]);
});

/** What was, and what the words were. */
const HISTORY = ['CHANGELOG.md', 'docs/decisions.md', 'docs/reference/glossary.md'];

it.each(documents.filter((document) => !HISTORY.includes(document)))('no old word is in %s', (document) => {
  expect([
    ...oldWords(document, textOf(document)),
    ...oldWords(document, prose(document).replaceAll(QUOTED, ''), [VOID]),
  ]).toEqual([]);
});

it('what the documents quote of the compiler is in the code', () => {
  const plain = (text: string) => text.replaceAll(/\s+/g, ' ');
  const code = plain(
    files
      .filter((file) => /^(src|operators)\/.*\.ts$/.test(file))
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n'),
  );
  // TypeScript shows a name that is a sentence between two apostrophes on each side.
  const quotes = documents.flatMap((document) => [...textOf(document).matchAll(/''(\S[^']+)''/g)]);
  expect(quotes.length).toBeGreaterThan(0);
  expect(quotes.map(([, quote = '']) => plain(quote)).filter((quote) => !code.includes(quote))).toEqual([]);
});

const explained = documents.filter((document) => /^docs\/(explanation|internals)\//.test(document));

it.each(explained)('what %s names in backticks exists', (document) => {
  const named = [...prose(document).matchAll(/`([^`\n]+)`/g)].map((found) => found[1] as string);
  const missing = named.filter((text) => {
    if (PATH.test(text)) return !files.some((file) => `/${file}`.endsWith(`/${text}`) || file.startsWith(text));
    return (
      NAME.test(text) &&
      !FOREIGN.includes(text) &&
      !(text.match(/[A-Za-z]\w*\$?/g) ?? []).every((word) => words.has(word))
    );
  });
  expect(missing).toEqual([]);
});
