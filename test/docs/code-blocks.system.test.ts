import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { codeBlocks, docstringBlocks, documents, root } from './markdown.js';

test('every ts block of the documents and docstrings type-checks against the package', () => {
  const sources = new Map<string, string>();
  for (const block of [...documents.flatMap(codeBlocks), ...docstringBlocks()]) {
    if (block.language !== 'ts') continue;
    // Seen by the compiler beside the document, at the block's own lines, so that an error names the line to look at.
    sources.set(`${root}${block.document}.line-${block.line}.ts`, '\n'.repeat(block.line - 1) + block.code);
  }
  expect(sources.size).toBeGreaterThan(5);
  expect(errorsIn(sources)).toEqual([]);
}, 120_000);

function errorsIn(sources: ReadonlyMap<string, string>): string[] {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const strict = { ...options, moduleDetection: ts.ModuleDetectionKind.Force };
  const host = ts.createCompilerHost(strict);
  const onDisk = { exists: host.fileExists, read: host.readFile };
  host.fileExists = (file) => sources.has(file) || onDisk.exists(file);
  host.readFile = (file) => sources.get(file) ?? onDisk.read(file);
  const program = ts.createProgram([...sources.keys()], strict, host);
  return [...sources.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((found) => {
      const { line } = ts.getLineAndCharacterOfPosition(found.file as ts.SourceFile, found.start ?? 0);
      const document = file.slice(root.length).replace(/\.line-\d+\.ts$/, '');
      return `${document}:${line + 1}: ${ts.flattenDiagnosticMessageText(found.messageText, ' ')}`;
    });
  });
}
