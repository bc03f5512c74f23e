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

/** A project with `paths`, by way of another configuration, whose flow imports by them. */
export const ALIASES: Readonly<Record<string, string>> = {
  'tsconfig.json': '// As tsc --init writes it.\n{ "extends": "./base.json", "compilerOptions": { "strict": true, }, }',
  'base.json':
    '{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["./nowhere/*", "./src/*"], "named": ["src/lib/name.ts"] } } }',
  'src/lib/name.ts': 'export const name = (text: string): string => text;',
  'src/flow.ts': `${imports}\nimport { name } from '@/lib/name';\nimport { name as again } from 'named';\nexport default ${flowOf("name(again('aliased'))", ': number')};`,
};

/** A workspace whose package `a` has a flow that imports the TypeScript of package `b`. */
export const WORKSPACE: Readonly<Record<string, string>> = {
  'packages/a/package.json': '{ "name": "@acme/a", "dependencies": { "@acme/b": "*" } }',
  'packages/a/flow.ts': `${imports}\nimport { name } from '@acme/b';\nexport default ${flowOf('name()', ': number')};`,
  'packages/b/package.json': '{ "name": "@acme/b", "exports": "./src/index.ts" }',
  'packages/b/src/index.ts': "export { name } from './name.js';",
  'packages/b/src/name.ts': "enum Name { b = 'workspace' }\nexport const name = (): string => Name.b;",
};

/** Flow files that cannot be loaded, each with where its error is. */
export const FAULTY: Readonly<Record<string, readonly [text: string, at: RegExp]>> = {
  'throws.ts': [
    `${imports}\ntype N = number;\n\nfunction fail(n: N): never {\n  throw new Error('no config');\n}\nexport default fail(1);`,
    /no config\.\n {2}at throws\.ts:7:9\n$/,
  ],
  'enum-throws.ts': [
    "enum A {\n  one,\n  two,\n}\n\ninterface B {\n  b: A;\n}\nthrow new Error('no config');\nexport default {} as B;",
    /no config\.\n {2}at enum-throws\.ts:9:7\n$/,
  ],
  'syntax.ts': [`${imports}\n\nexport default (;`, /\n {2}at syntax\.ts:5(:16)?\n$/],
  'no-export.ts': [
    `\nimport { nothing } from 'rxflume';\nexport default nothing;`,
    /'nothing'\.\n {2}at no-export\.ts:2\n$/,
  ],
  'option.ts': [
    `import { consoleSink } from 'rxflume';\n\nexport default consoleSink(null as never);`,
    /RXF_\w+: .*\n {2}at option\.ts:3:\d+\n$/,
  ],
};

/** A flow that is over at once. */
export const ENDING = `${imports}\nexport default flow('ending', new Source<never>((subscriber) => subscriber.complete()), consoleSink(stdio()).write());`;
