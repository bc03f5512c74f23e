/** The `type` of a project's `package.json`; `npm init -y` writes `commonjs`, older ones none. */
export const PROJECTS = ['commonjs', 'module', 'none'] as const;

const WANTS = [
  ['rxflume', 'consoleSink, flow, Source'],
  ['rxflume/drivers/stdio', 'stdio'],
  ['rxflume/operators', 'mapValue'],
] as const;
const imports = WANTS.map(([from, names]) => `import { ${names} } from '${from}';`).join('\n');
const requires = WANTS.map(([from, names]) => `const { ${names} } = require('${from}');`).join('\n');

function flowOf(name: string, type = ''): string {
  return `flow(${name}, new Source(() => undefined), mapValue((value${type}) => value), consoleSink(stdio()).write())`;
}

/** Flow files as people write them, each with what it imports from the project: the flow is called as the file. */
export const FLOW_FILES: Readonly<Record<string, string>> = {
  'module.ts': `${imports}\nimport { name, type N } from './typed.js';\nexport default ${flowOf("name('module-ts')", ': N')};`,
  'bare.ts': `${imports}\nimport { name } from './typed';\nexport default ${flowOf("name('bare-ts')", ': number')};`,
  'module.mts': `${imports}\nimport { name, type N } from './typed.ts';\nexport default ${flowOf("name('module-mts')", ': N')};`,
  'module.cts': `${imports}\nimport { name, type N } from './typed';\nexport default ${flowOf("name('module-cts')", ': N')};`,
  'common.cts': `${requires}\nconst { name } = require('./plain.cjs');\nmodule.exports = ${flowOf("name('common-cts')", ': number')};`,
  'enum.ts': `${imports}\nenum Name { one = 'enum-ts' }\nexport default ${flowOf('Name.one', ': number')};`,
  'module.js': `${imports}\nimport { name } from './plain.js';\nexport default ${flowOf("name('module-js')")};`,
  'module.mjs': `${imports}\nimport { name } from './plain.mjs';\nexport default ${flowOf("name('module-mjs')")};`,
  'common.cjs': `${requires}\nconst { name } = require('./plain.cjs');\nmodule.exports = ${flowOf("name('common-cjs')")};`,
  'compiled.cjs': `Object.defineProperty(exports, '__esModule', { value: true });\n${requires}\nexports.default = ${flowOf("'compiled-cjs'")};`,
};

/** What the flow files import. */
export const HELPERS: Readonly<Record<string, string>> = {
  'typed.ts': 'export type N = number;\nexport const name = (text: string): string => text;',
  'plain.js': 'export const name = (text) => text;',
  'plain.cjs': 'exports.name = (text) => text;',
  'plain.mjs': 'export const name = (text) => text;',
};
