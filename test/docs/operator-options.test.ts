import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { root, tablesUnder } from './markdown.js';

const PAGE = 'docs/reference/options/operators.md';
const FOLDERS = ['operators', 'src/backpressure'];

/** The members of every interface of the operators' options, those of an `extends` included. */
function membersOf(): (name: string) => string[] {
  const found = new Map<string, { own: string[]; bases: string[] }>();
  for (const path of FOLDERS.flatMap((folder) => readdirSync(`${root}${folder}`).map((file) => `${folder}/${file}`))) {
    const file = ts.createSourceFile(path, readFileSync(`${root}${path}`, 'utf8'), ts.ScriptTarget.Latest);
    file.forEachChild((node) => {
      if (!ts.isInterfaceDeclaration(node)) return;
      const own = node.members.map((member) => (member.name as ts.Identifier).text);
      const bases = (node.heritageClauses ?? []).flatMap(({ types }) =>
        types.map(({ expression }) => (expression as ts.Identifier).text),
      );
      found.set(node.name.text, { own, bases });
    });
  }
  const all = (name: string): string[] => {
    const { own, bases } = found.get(name) ?? { own: [], bases: [] };
    return [...new Set([...bases.flatMap(all), ...own])];
  };
  return all;
}

const members = membersOf();
const operators = readdirSync(`${root}operators`)
  .map((file) => /export interface (\w+)Options\b/.exec(readFileSync(`${root}operators/${file}`, 'utf8'))?.[1])
  .filter((name) => name !== undefined);

test('operators with options are found', () => expect(operators.length).toBeGreaterThan(14));

test.each(operators)('%sOptions has a row for each option, and no other', (name) => {
  const heading = name.charAt(0).toLowerCase() + name.slice(1);
  const [table] = tablesUnder(PAGE, heading);
  const rows = table?.rows.map(([option = '']) => option.replaceAll('`', '').split('.', 1)[0]) ?? [];
  expect([...new Set(rows)].sort()).toEqual(members(`${name}Options`).sort());
});
