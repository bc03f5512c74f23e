import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { documents, prose, root } from './markdown.js';

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
