import { posix } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { entryFiles } from '../support/entries.js';
import { textOf } from './markdown.js';

interface Export {
  readonly name: string;
  readonly file: string;
  readonly isFunction: boolean;
  readonly docstring: string;
}

const files = new Map<string, ts.SourceFile>();
const exported = entryFiles().flatMap(exportsOf);
const factories = exported.filter(({ isFunction }) => isFunction);
const named = (list: readonly Export[]) => list.map(({ name, file }) => `${name} (${file})`);

test('exports are found', () => {
  expect(exported.length).toBeGreaterThan(100);
  expect(factories.length).toBeGreaterThan(50);
});

test('every export says in a sentence what it is', () => {
  expect(named(exported.filter(({ docstring }) => !/^[A-Z\d].*[.:](?:\s|$)/s.test(prosed(docstring))))).toEqual([]);
});

test('every export has an example that is compiled or run', () => {
  const without = exported.filter(({ name, file, docstring }) => {
    if (name.endsWith('_DEFAULTS')) return false;
    // An operator's drawing is held equal to its first test by test/architecture.test.ts.
    const fence = file.startsWith('operators/') ? /```(?:ts)?\n([\s\S]*?)```/ : /```ts\n([\s\S]*?)```/;
    return !new RegExp(`\\b${name.replace('$', '\\$')}(?![\\w$])`).test(fence.exec(docstring)?.[1] ?? '');
  });
  expect(named(without)).toEqual([]);
});

test('every constant of defaults names what it is for, where the example is', () => {
  const names = new Set(exported.filter(({ name }) => !name.endsWith('_DEFAULTS')).map(({ name }) => name));
  const without = exported.filter(
    ({ name, docstring }) =>
      name.endsWith('_DEFAULTS') && ![...docstring.matchAll(/`(\w+)`/g)].some(([, word]) => names.has(word as string)),
  );
  expect(named(without)).toEqual([]);
});

test('operators, sources, sinks and drivers have the headings that their kind has', () => {
  const missing = factories.flatMap(({ name, file, docstring }) => {
    const sink = /^(\w)(\w+Sink)$/.exec(name);
    const text = sink === null ? docstring : writeDocstring(file, `${sink[1]?.toUpperCase()}${sink[2]}`);
    return headingsOf(file, name)
      .filter((heading) => !new RegExp(`^${heading}: \\S`, 'm').test(text))
      .map((heading) => `${name} (${file}) has no ${heading}`);
  });
  expect(missing).toEqual([]);
});

function headingsOf(file: string, name: string): string[] {
  if (file.startsWith('operators/')) return ['Settles', 'Bounds'];
  if (file.startsWith('src/drivers/')) return ['Bounds', 'Fails', 'Source'];
  return /^src\/(?:sources|sinks)\//.test(file) && /S(?:ource|ink)$/.test(name) ? ['Settles', 'Bounds', 'Fails'] : [];
}

/** The values that an index hands on, with the docstring of their declaration: of overloads, the first that has one. */
function exportsOf(index: string): Export[] {
  return parsed(index).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return [];
    if (!statement.exportClause || !ts.isNamedExports(statement.exportClause)) throw new Error(`${index}: export *`);
    const { text: specifier } = statement.moduleSpecifier as ts.StringLiteral;
    const file = posix.join(posix.dirname(index), specifier.replace(/\.js$/, '.ts'));
    return statement.exportClause.elements
      .filter(({ isTypeOnly }) => !isTypeOnly)
      .map(({ name: { text: name } }) => {
        const declarations = parsed(file).statements.filter((one) => namesOf(one).includes(name));
        const isFunction = declarations.some(ts.isFunctionDeclaration);
        if (declarations.length === 0) throw new Error(`${file} declares no ${name}`);
        return { name, file, isFunction, docstring: declarations.map(docstringOf).find(Boolean) ?? '' };
      });
  });
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) return [statement.name?.text ?? ''];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text);
}

function writeDocstring(file: string, name: string): string {
  const type = parsed(file).statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
  const write = (type as ts.InterfaceDeclaration | undefined)?.members.find((one) => one.name?.getText() === 'write');
  return write === undefined ? '' : docstringOf(write);
}

function docstringOf(node: ts.Node): string {
  const comment = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)?.getText() ?? '';
  return comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, '')
    .replace(/^[ \t]*\* ?/gm, '')
    .trim();
}

/** The first paragraph, its code as one word each. */
function prosed(docstring: string): string {
  return (docstring.split('\n\n', 1)[0] as string).replace(/`[^`]+`/g, 'Code');
}

function parsed(file: string): ts.SourceFile {
  const known = files.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
  files.set(file, source);
  return source;
}
